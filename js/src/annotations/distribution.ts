/** How often the values of a region occur: bars over their range, with the mean and one SD around it. */
import { css, html, nothing, svg, type TemplateResult } from "lit";
import type { Statistics } from "../protocol";
import { withUnit } from "../viewer/axes";
import { fixed, valueText } from "../viewer/format";

const WIDTH = 256;
const HEIGHT = 64;

export const distributionStyles = css`
  .distribution {
    margin-top: 8px;
    font-size: 11px;
    line-height: 14px;
    color: var(--fg2);
  }
  .distribution svg {
    display: block;
    width: 100%;
    height: ${HEIGHT}px;
    border-bottom: 1px solid var(--line1);
  }
  .distribution .bars {
    fill: var(--fg2);
  }
  .distribution .spread {
    fill: var(--accent);
    opacity: 0.18;
  }
  .distribution .mean {
    stroke: var(--accent);
    stroke-width: 2;
  }
  .distribution div {
    display: flex;
    justify-content: space-between;
    gap: 12px;
  }
`;

export interface Bars {
  /** Outline of all bars, in WIDTH x HEIGHT. */
  readonly path: string;
  /** Middle of the fullest bin. */
  readonly mode: number;
}

/** Null where there is no spread of values to show. */
export function barsOf({ histogram, low, high }: Statistics): Bars | null {
  const most = Math.max(0, ...histogram);
  if (most === 0 || low === null || high === null || high <= low) return null;
  const step = WIDTH / histogram.length;
  const tops = histogram.map((count, i) => {
    const y = HEIGHT - ((HEIGHT - 2) * count) / most;
    return `V${y.toFixed(1)}H${((i + 1) * step).toFixed(1)}`;
  });
  const fullest = histogram.indexOf(most);
  return {
    path: `M0 ${HEIGHT}${tops.join("")}V${HEIGHT}Z`,
    mode: low + ((fullest + 0.5) * (high - low)) / histogram.length,
  };
}

export function distributionOf(found: Statistics): TemplateResult | typeof nothing {
  const bars = barsOf(found);
  const { low, high, mean, sd, unit, count } = found;
  if (!bars || low === null || high === null || mean === null) return nothing;
  const [from, to] = [withUnit(valueText(low), unit), withUnit(valueText(high), unit)];
  const words = `Histogram of ${fixed(count, 0)} voxels from ${from} to ${to}, most near ${valueText(bars.mode)}`;
  const x = (value: number): number =>
    Math.min(Math.max((WIDTH * (value - low)) / (high - low), 0), WIDTH);
  const [left, right] = [x(mean - (sd ?? 0)), x(mean + (sd ?? 0))];
  return html`<div class="distribution" role="img" aria-label=${words} title=${words}>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
      ${svg`<rect class="spread" x=${left} y="0" width=${right - left} height=${HEIGHT}></rect>
        <path class="bars" d=${bars.path}></path>
        <line class="mean" x1=${x(mean)} x2=${x(mean)} y1="0" y2=${HEIGHT} vector-effect="non-scaling-stroke"></line>`}
    </svg>
    <div><span>${from}</span><span>${to}</span></div>
  </div>`;
}
