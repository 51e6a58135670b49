/** Plays the slices like a film: absolute positions from the time gone, so that no frame piles up. */

export const SPEEDS = [1, 2, 5, 10, 15, 20, 30, 60] as const;
export type End = "loop" | "bounce";

export interface CineClock {
  now(): number;
  /** Calls back before the next repaint; returns how to cancel. */
  nextFrame(callback: () => void): () => void;
}

export const browserClock: CineClock = {
  now: () => performance.now(),
  nextFrame: (callback) => {
    const id = requestAnimationFrame(callback);
    return () => cancelAnimationFrame(id);
  },
};

/** Slice that is `steps` after `start` of `n`, turning round or starting again at the ends. */
export function playedSlice(start: number, steps: number, n: number, end: End): number {
  if (n <= 1) return 0;
  if (end === "loop") return (start + steps) % n;
  const period = 2 * (n - 1);
  const at = (start + steps) % period;
  return at < n ? at : period - at;
}

export class Cine {
  playing = false;
  end: End = "loop";
  private speedIndex = 3;
  private startSlice = 0;
  private startMs = 0;
  private cancel: (() => void) | null = null;

  constructor(
    private readonly clock: CineClock,
    private readonly source: { current(): number; count(): number },
    /** Shows a slice; may call `stop`, where the view may not be moved. */
    private readonly show: (slice: number) => void,
    private readonly changed: () => void,
  ) {}

  get framesPerSecond(): number {
    return SPEEDS[this.speedIndex] ?? 10;
  }

  set framesPerSecond(speed: number) {
    const index = SPEEDS.findIndex((s) => s >= speed);
    this.speedIndex = index < 0 ? SPEEDS.length - 1 : index;
    this.restart();
  }

  faster(by: 1 | -1): void {
    this.speedIndex = Math.min(Math.max(this.speedIndex + by, 0), SPEEDS.length - 1);
    this.restart();
  }

  setEnd(end: End): void {
    this.end = end;
    this.restart();
  }

  toggle(): void {
    if (this.playing) this.stop();
    else this.start();
  }

  start(): void {
    if (this.playing || this.source.count() < 2) return;
    this.playing = true;
    this.restart();
    this.schedule();
  }

  stop(): void {
    if (!this.playing) return;
    this.playing = false;
    this.cancel?.();
    this.cancel = null;
    this.changed();
  }

  /** Time counts from the slice shown now. */
  private restart(): void {
    this.startSlice = this.source.current();
    this.startMs = this.clock.now();
    this.changed();
  }

  private schedule(): void {
    this.cancel = this.clock.nextFrame(() => {
      if (!this.playing) return;
      const steps = Math.floor(((this.clock.now() - this.startMs) / 1000) * this.framesPerSecond);
      const slice = playedSlice(this.startSlice, steps, this.source.count(), this.end);
      if (slice !== this.source.current()) this.show(slice);
      if (this.playing) this.schedule();
    });
  }
}
