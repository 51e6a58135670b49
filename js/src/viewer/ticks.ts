/** Round numbers along a ruler. */

export interface Tick {
  /** Survey number, free of rounding noise. */
  readonly number: number;
  /** Pixels from the ruler's start. */
  readonly at: number;
}

/** Smallest of 1, 2, 5 times a power of ten that is at least `least`. */
export function niceStep(least: number): number {
  if (!(least > 0) || !Number.isFinite(least)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const multiple = [1, 2, 5, 10].find((m) => m * power >= least * (1 - 1e-9)) ?? 10;
  return multiple * power;
}

/** Largest of 1, 2, 5 times a power of ten that is at most `most`. */
export function niceLength(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const multiple = [5, 2, 1].find((m) => m * power <= most * (1 + 1e-9)) ?? 1;
  return multiple * power;
}

/**
 * Ticks of a ruler `length` pixels long.
 *
 * @param at0 survey number at the ruler's start
 * @param perPixel survey numbers per pixel; negative where numbers fall
 * @param apart least distance between ticks, in pixels
 * @param smallest numbers in between do not exist below this step, 0 = any
 * @param margin no tick nearer than this to either end, so that its label is not cut
 * @param within the two numbers, in any order, that no tick lies beyond
 */
export function ticksAlong(
  at0: number,
  perPixel: number,
  length: number,
  apart: number,
  smallest: number,
  margin: number,
  within: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): Tick[] {
  const size = Math.abs(perPixel);
  if (!(size > 0) || !Number.isFinite(at0) || length < 2 * margin) return [];
  const step = Math.max(niceStep(size * apart), Math.abs(smallest));
  const from = at0 + perPixel * margin;
  const to = at0 + perPixel * (length - margin);
  const low = Math.max(Math.min(from, to), Math.min(...within));
  const high = Math.min(Math.max(from, to), Math.max(...within));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const ticks: Tick[] = [];
  for (let i = first; i <= last && ticks.length < 200; i++) {
    const number = Number((i * step).toPrecision(12));
    ticks.push({ number, at: (number - at0) / perPixel });
  }
  return ticks;
}
