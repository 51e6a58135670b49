/** Arithmetic of the histogram: what values it spans, how high its bars are. */
import type { Channel } from "../protocol";
import { highOf, lowOf, type Range } from "./range";

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Values worth showing: where the data is and where the window is, with a little air. */
export function spanOf(channel: Channel, range: Range, signed: boolean): Span {
  const { percentiles, value_min: min, value_max: max } = channel;
  const low = Math.min(percentiles[0] ?? min, lowOf(range));
  const high = Math.max(percentiles[12] ?? max, highOf(range));
  if (signed) {
    const reach = Math.max(Math.abs(low), Math.abs(high)) * 1.12;
    return { from: -reach, to: reach };
  }
  const air = (high - low || 1) * 0.08;
  return { from: low - air, to: high + air };
}

/** Heights 0 to 1 of `n` bars over `span`; square roots, so that the tails are seen too. */
export function barsOf(channel: Channel, span: Span, n: number): number[] {
  const { histogram, value_min: min, value_max: max } = channel;
  const counts = new Array<number>(n).fill(0);
  const bin = (max - min) / histogram.length;
  histogram.forEach((count, i) => {
    // A bin wider than a bar is spread evenly over all bars it covers.
    const a = ((min + i * bin - span.from) / (span.to - span.from)) * n;
    const b = ((min + (i + 1) * bin - span.from) / (span.to - span.from)) * n;
    for (let bar = Math.max(0, Math.floor(a)); bar < Math.min(n, Math.ceil(b)); bar++) {
      const share = (Math.min(b, bar + 1) - Math.max(a, bar)) / (b - a || 1);
      counts[bar] = (counts[bar] ?? 0) + count * share;
    }
  });
  const most = Math.max(...counts, 1e-9);
  return counts.map((count) => Math.sqrt(count / most));
}
