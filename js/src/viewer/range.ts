/** Window and level: ends of the range, presets by what the data is, the automatic range. */
import { ABS_PERCENTILES, type Channel, type VolumeInfo, WINDOW_MIN } from "../protocol";
import { rangeText, signed } from "./format";

export interface Range {
  /** Full width, positive. */
  readonly window: number;
  /** Centre. */
  readonly level: number;
}

export interface Preset extends Range {
  readonly label: string;
}

/** Width and centre in HU; the customary names of CT reading rooms. */
const CT_PRESETS: readonly Preset[] = [
  { label: "Soft tissue", window: 400, level: 40 },
  { label: "Lung", window: 1500, level: -600 },
  { label: "Bone", window: 2500, level: 480 },
  { label: "Brain", window: 80, level: 40 },
  { label: "Abdomen", window: 350, level: 40 },
  { label: "Liver", window: 150, level: 90 },
  { label: "Mediastinum", window: 350, level: 50 },
  { label: "Subdural", window: 200, level: 75 },
  { label: "Stroke", window: 40, level: 40 },
];

export function lowOf(range: Range): number {
  return range.level - range.window / 2;
}

export function highOf(range: Range): number {
  return range.level + range.window / 2;
}

export function fromEnds(low: number, high: number): Range {
  return { window: high - low, level: (low + high) / 2 };
}

export function channelOf(info: VolumeInfo, index: number): Channel {
  return info.channels[index] ?? (info.channels[0] as Channel);
}

/** Amplitudes: values on both sides of zero, looked at symmetrically. */
export function isSigned(info: VolumeInfo, channel: Channel): boolean {
  return (
    info.kind !== "medical" &&
    !channel.is_label &&
    channel.value_min < 0 &&
    channel.value_max > 0 &&
    (channel.abs_percentiles[2] ?? 0) > 0
  );
}

export function isCt(info: VolumeInfo, channel: Channel): boolean {
  if (channel.unit === "HU") return true;
  return info.kind === "medical" && channel.value_min <= -900 && channel.value_max >= 500;
}

/** What key N and "Auto" give; the same rule as `auto_window` of the server. */
export function autoRange(info: VolumeInfo, channel: Channel): Range {
  const { percentiles, abs_percentiles: abs, value_min: min, value_max: max } = channel;
  const p98 = abs[2] ?? 0;
  let [low, high] = [min, max];
  if (!channel.is_label) {
    if (info.kind === "seismic" && abs.length >= 6 && p98 > 0) [low, high] = [-p98, p98];
    else if (percentiles.length === 13)
      [low, high] = [percentiles[0] ?? min, percentiles[12] ?? max];
  }
  if (high - low < WINDOW_MIN) [low, high] = [min, max];
  return { window: high > low ? high - low : 1, level: (low + high) / 2 };
}

function between(channel: Channel, label: string, low: number, high: number): Preset[] {
  const [from, to] = [channel.percentiles[low], channel.percentiles[high]];
  return from !== undefined && to !== undefined && to > from
    ? [{ label, ...fromEnds(from, to) }]
    : [];
}

/** Ranges worth one click, in the order of Shift+1 to Shift+9. */
export function presetsOf(info: VolumeInfo, channel: Channel): readonly Preset[] {
  if (isCt(info, channel)) return CT_PRESETS;
  if (isSigned(info, channel)) {
    return ABS_PERCENTILES.map((percent, i) => [percent, channel.abs_percentiles[i] ?? 0] as const)
      .filter(([, size]) => size > 0)
      .sort(([a], [b]) => a - b)
      .map(([percent, size]) => ({
        label: percent === 100 ? "Full range" : `p${percent}`,
        window: 2 * size,
        level: 0,
      }));
  }
  const full = channel.value_max > channel.value_min;
  return [
    ...(channel.is_label ? [] : between(channel, "0.1–99.9 %", 0, 12)),
    ...(channel.is_label ? [] : between(channel, "1–99 %", 1, 11)),
    ...(channel.is_label ? [] : between(channel, "5–95 %", 3, 9)),
    ...(full ? [{ label: "Full range", ...fromEnds(channel.value_min, channel.value_max) }] : []),
  ];
}

export function sameRange(a: Range, b: Range): boolean {
  const close = Math.max(a.window, b.window) * 1e-4;
  return Math.abs(a.window - b.window) <= close && Math.abs(a.level - b.level) <= close;
}

/** How far one screen width of dragging moves window and level: the range that most values lie in. */
export function dragRange(channel: Channel): number {
  const [low, high] = [channel.percentiles[1], channel.percentiles[11]];
  if (low !== undefined && high !== undefined && high > low) return high - low;
  return channel.value_max > channel.value_min ? channel.value_max - channel.value_min : 1;
}

/** "±12 400" or "W 400 L 40": how the toolbar says it. */
export function shortRange(range: Range, symmetric: boolean): string {
  const number = (value: number): string => rangeText(value, range.window);
  if (symmetric && Math.abs(range.level) < range.window * 1e-6)
    return `±${number(range.window / 2)}`;
  return `W ${number(range.window)} L ${number(range.level)}`;
}

/** A value at an end of the colour bar, signed where data has signs. */
export function endText(value: number, range: Range, isSignedData: boolean): string {
  const text = rangeText(value, range.window);
  return isSignedData ? signed(text, value) : text;
}
