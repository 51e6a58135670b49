/** The amplitude spectrum of a window's traces: a curve, the dominant frequency, the band around it. */
import { css, html, nothing, svg, type TemplateResult } from "lit";
import type { Spectrum, VolumeInfo } from "../protocol";
import { withUnit } from "../viewer/axes";
import { fixed } from "../viewer/format";
import type { Annotation, Measured } from "./types";

const WIDTH = 256;
const HEIGHT = 64;
/** Lower amplitudes lie on the base line of the curve in dB. */
const FLOOR_DB = -60;

export const spectrumStyles = css`
  .spectrum {
    margin-top: 8px;
    font-size: 11px;
    line-height: 14px;
    color: var(--fg2);
  }
  .spectrum svg {
    display: block;
    width: 100%;
    height: ${HEIGHT}px;
    border-bottom: 1px solid var(--line1);
  }
  .spectrum .curve {
    fill: none;
    stroke: var(--fg);
    stroke-width: 1.5;
  }
  .spectrum .band {
    fill: var(--accent);
    opacity: 0.18;
  }
  .spectrum .dominant {
    stroke: var(--accent);
    stroke-width: 2;
  }
  .spectrum div {
    display: flex;
    align-items: baseline;
    justify-content: space-between;
    gap: 12px;
  }
  .spectrum b {
    color: var(--fg);
    font-weight: 600;
  }
  .spectrum button {
    padding: 0 6px;
    height: 24px;
    border-radius: 4px;
    box-shadow: inset 0 0 0 1px var(--line1);
    font-size: 11px;
  }
  @media (pointer: coarse) {
    .spectrum button {
      height: 44px;
    }
  }
`;

/** Whether a spectrum is asked for: of windows on sections. The worker says why there is none. */
export function mayHaveSpectrum({ kind, axis }: Annotation): boolean {
  return kind === "rectangle" && axis !== null && axis !== 2;
}

/** Three significant figures: "32.4", "0.0124". */
export function frequencyText(value: number): string {
  const digits = value > 0 ? 2 - Math.floor(Math.log10(value)) : 0;
  return fixed(value, Math.min(Math.max(digits, 0), 6));
}

/** The curve in WIDTH x HEIGHT, from 0 to the greatest frequency. */
export function curveOf({ amplitude }: Spectrum, inDecibels: boolean): string {
  const most = Math.max(...amplitude);
  const last = Math.max(amplitude.length - 1, 1);
  const points = amplitude.map((value, i) => {
    const level = inDecibels ? 1 - (20 * Math.log10(value / most)) / FLOOR_DB : value / most;
    const x = (WIDTH * i) / last;
    const y = HEIGHT - (HEIGHT - 2) * Math.max(level, 0);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}

/** What the spectrum says, in a sentence. */
export function spectrumWords(found: Spectrum): string {
  const { n_traces, n_left_out, unit } = found;
  const [dominant, low, high] = [found.dominant, found.low, found.high].map(frequencyText);
  const without = n_left_out > 0 ? `, ${fixed(n_left_out, 0)} without all values left out` : "";
  const traces = `${fixed(n_traces, 0)} ${n_traces === 1 ? "trace" : "traces"}`;
  return `Amplitude spectrum of ${traces}${without}: dominant ${withUnit(dominant ?? "", unit)}, −6 dB from ${low} to ${withUnit(high ?? "", unit)}`;
}

export function spectrumOf(
  item: Annotation,
  info: VolumeInfo,
  reading: Measured | null,
  inDecibels: boolean,
  toggle: () => void,
): TemplateResult | typeof nothing {
  if (!reading?.done || info.kind !== "seismic" || !mayHaveSpectrum(item)) return nothing;
  const found = reading.spectrum;
  if (found) return plot(found, inDecibels, toggle);
  return reading.no_spectrum ? html`<div class="spectrum">${reading.no_spectrum}</div>` : nothing;
}

function plot(found: Spectrum, inDecibels: boolean, toggle: () => void): TemplateResult {
  const nyquist = found.step * (found.amplitude.length - 1);
  const x = (frequency: number): number => (WIDTH * frequency) / nyquist;
  const words = spectrumWords(found);
  const [low, high] = [found.low, found.high].map(frequencyText);
  return html`<div class="spectrum" part="spectrum">
    <div>
      <span>Spectrum: <b>${withUnit(frequencyText(found.dominant), found.unit)}</b></span>
      <button
        aria-pressed=${inDecibels ? "true" : "false"}
        title=${inDecibels ? "Shown in dB, 60 dB down to the base line" : "Shown as amplitude; press for dB"}
        @click=${toggle}
      >
        dB
      </button>
    </div>
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      preserveAspectRatio="none"
      role="img"
      aria-label=${words}
    >
      ${svg`<title>${words}</title>
        <rect class="band" x=${x(found.low)} y="0" width=${x(found.high - found.low)} height=${HEIGHT}></rect>
        <line class="dominant" x1=${x(found.dominant)} x2=${x(found.dominant)} y1="0" y2=${HEIGHT} vector-effect="non-scaling-stroke"></line>
        <path class="curve" d=${curveOf(found, inDecibels)} vector-effect="non-scaling-stroke"></path>`}
    </svg>
    <div>
      <span>0</span><span>−6 dB: ${low}–${high}</span>
      <span>${withUnit(frequencyText(nyquist), found.unit)}</span>
    </div>
  </div>`;
}
