/** The dark part of the slice bar: slices that come without any reading. */
import type { LoadedSlices } from "../protocol";

/** CSS image for the slider's track; the thumb's centre goes from half its width to half before the end. */
export function trackOf(loaded: LoadedSlices, axis: number, channel: number, last: number): string {
  if (loaded.axis !== axis || loaded.channel !== channel || last < 1) return "none";
  const at = (slice: number): string => {
    const share = Math.min(Math.max(slice / last, 0), 1);
    return `calc(var(--thumb) / 2 + ${share.toFixed(4)} * (100% - var(--thumb)))`;
  };
  const stops = loaded.runs.map(([from, to]) => {
    const [a, b] = [at(from - 0.5), at(to + 0.5)];
    return `transparent ${a}, var(--loaded) ${a}, var(--loaded) ${b}, transparent ${b}`;
  });
  return stops.length > 0 ? `linear-gradient(to right, ${stops.join(", ")})` : "none";
}
