/** Names and colours of a channel's labels, a row for each. */
import { html, nothing, type TemplateResult } from "lit";
import type { Channel, LabelStyle, SegmentationInfo, SegmentationLook } from "../protocol";
import type { ProbedValue, Session } from "../session";
import { overlaysText } from "./overlaylooks";

export interface Label {
  readonly value: number;
  readonly name: string;
  /** "#rrggbb" */
  readonly colour: string;
}

/** As many as a person looks through; a volume may have thousands without a name. */
const MOST_UNNAMED = 64;
/** Label values v and v + PERIOD have the same colour; 0 alone is the background. */
const PERIOD = 1023;
const GOLDEN_RATIO = 0.6180339887498949;
const FIRST_HUE = 0.68;
const SATURATION = [0.65, 0.95, 0.8] as const;
const BRIGHTNESS = [0.95, 0.75, 0.6] as const;

/** The colour that the server gives a label; the same arithmetic as its `label_color`. */
export function labelColour(value: number, first = 0): string {
  if (value === 0) return "#000000";
  const entry = ((((value - 1 + first) % PERIOD) + PERIOD) % PERIOD) + 1;
  const hue = ((entry * GOLDEN_RATIO + FIRST_HUE) % 1) * 6;
  const s = SATURATION[entry % 3] ?? 0;
  const v = BRIGHTNESS[Math.floor(entry / 3) % 3] ?? 0;
  const sector = Math.floor(hue);
  const rest = hue - sector;
  const [p, q, t] = [v * (1 - s), v * (1 - s * rest), v * (1 - s * (1 - rest))];
  const [red, green, blue] = [
    [v, t, p],
    [q, v, p],
    [p, v, t],
    [p, q, v],
    [t, p, v],
    [v, p, q],
  ][sector % 6] as [number, number, number];
  const hex = (part: number): string =>
    Math.round(part * 255)
      .toString(16)
      .padStart(2, "0");
  return `#${hex(red)}${hex(green)}${hex(blue)}`;
}

/** Labels with a name or a colour of their own, in order; else the first ones there are. */
export function labelsOf(channel: Channel, style: LabelStyle | undefined): readonly Label[] {
  const names = { ...channel.label_names, ...style?.names };
  const told = [...new Set([...Object.keys(names), ...Object.keys(style?.colors ?? {})])];
  const first = Math.max(1, channel.value_min);
  const n = Math.max(0, Math.min(MOST_UNNAMED, channel.value_max - first + 1));
  const values = told.length
    ? told.map(Number).sort((a, b) => a - b)
    : Array.from({ length: n }, (_, i) => first + i);
  return values.map((value) => ({
    value,
    name: names[value] ?? "",
    colour: style?.colors[value] ?? labelColour(value),
  }));
}

/** Colour that a segmentation of this look gives a label. */
export function colourIn(session: Session, look: SegmentationLook, value: number): string {
  const own = session.palettes.styleOf(look.label_style)?.colors[value];
  return own ?? labelColour(value, look.first_color ?? 0); // recordings may be older
}

/** Colour of a label of a segmentation, as it is drawn. */
export function labelColourOf(
  session: Session,
  segmentation: SegmentationInfo | null,
  value: number,
): string {
  const look = session.state.segmentations.find(({ name }) => name === segmentation?.name);
  return look ? colourIn(session, look, value) : labelColour(value);
}

/** Name of a label of a segmentation, as its legend has it. */
export function labelName(session: Session, segmentation: string, value: number): string {
  const info = session.segmentations.find(({ name }) => name === segmentation);
  const look = session.state.segmentations.find(({ name }) => name === segmentation);
  const own = session.palettes.styleOf(look?.label_style ?? "")?.names[value];
  return own || info?.channel.label_names[value] || `${segmentation} ${value}`;
}

/** Labels, and values of overlays, that are drawn over a probed voxel; "" where there are none. */
export function labelsText(session: Session, read: ProbedValue | null): string {
  const names = read?.labels.map(([name, value]) => labelName(session, name, value)) ?? [];
  return [...names, overlaysText(session, read)].filter(Boolean).join(", ");
}

export function legend(labels: readonly Label[]): TemplateResult | typeof nothing {
  if (!labels.length) return nothing;
  return html`<ul class="legend" tabindex="0" aria-label="Labels">
    ${labels.map(
      ({ value, name, colour }) => html`<li title=${name}>
        <i style="background:${colour}"></i>
        <span class="grow cut">${name || html`<span class="quiet">Label ${value}</span>`}</span>
        <span class="quiet">${value}</span>
      </li>`,
    )}
  </ul>`;
}
