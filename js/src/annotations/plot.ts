/** The values along a profile as a curve, over the picture while the profile is chosen. */
import { css, html, nothing, svg, type TemplateResult } from "lit";
import { withUnit } from "../viewer/axes";
import { valueText } from "../viewer/format";
import type { Profile } from "./types";
import { lengthText } from "./words";

const WIDTH = 260;
const HEIGHT = 96;

export const plotStyles = css`
  .plot {
    position: absolute;
    left: 12px;
    bottom: 60px;
    padding: 6px 8px;
    border-radius: 4px;
    background: rgba(12, 14, 17, 0.82);
    color: #fff;
    font-size: 11px;
    line-height: 14px;
    pointer-events: none;
    forced-color-adjust: none;
  }
  .plot svg {
    display: block;
    width: ${WIDTH}px;
    max-width: 100%;
    height: ${HEIGHT}px;
  }
  .plot div {
    display: flex;
    justify-content: space-between;
    gap: 12px;
  }
  @container (max-width: 400px) {
    .plot svg {
      width: 180px;
    }
  }
`;

interface Curve {
  readonly path: string;
  readonly low: number;
  readonly high: number;
}

/** Where there is no data the curve is broken. */
export function curveOf({ values, positions }: Profile): Curve | null {
  const known = values.filter((value) => value !== null);
  const last = positions.at(-1) ?? 0;
  if (known.length === 0) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const span = high - low || 1;
  let isDown = false;
  const path = values.map((value, i) => {
    const wasDown = isDown;
    isDown = value !== null;
    if (value === null) return "";
    const x = (WIDTH * (positions[i] ?? 0)) / (last || 1);
    const y = HEIGHT - 3 - ((HEIGHT - 6) * (value - low)) / span;
    return `${wasDown ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return { path: path.join(""), low, high };
}

export function plotOf(profile: Profile | null, color: string): TemplateResult | typeof nothing {
  const curve = profile && curveOf(profile);
  if (!profile || !curve) return nothing;
  const [low, high] = [curve.low, curve.high].map(valueText);
  const length = withUnit(lengthText(profile.positions.at(-1) ?? 0), profile.unit);
  const words = `Profile over ${length}: ${low} to ${high} ${profile.value_unit}`;
  return html`<div class="plot" role="img" aria-label=${words}>
    <div><span>${withUnit(high ?? "", profile.value_unit)}</span></div>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
      ${svg`<path d=${curve.path} fill="none" stroke=${color} stroke-width="1.5" vector-effect="non-scaling-stroke"></path>`}
    </svg>
    <div><span>${low}</span><span>${length}</span></div>
  </div>`;
}
