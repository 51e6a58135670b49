/** What the side panel says of the volume and of the view, as rows of label and text. */
import type { Axis, Channel, VolumeInfo } from "../protocol";
import { axisTitle, channelText, numberText, positionText, withUnit } from "./axes";
import type { ViewContext } from "./context";
import { decimalsOf, fixed, rangeText } from "./format";
import { channelOf } from "./range";
import { pathText } from "./statustext";

export type Fact = readonly [label: string, text: string];

const KINDS = { seismic: "Seismic", medical: "Medical", generic: "Array" } as const;
const TIMES = "\u202f×\u202f";
const BYTES: Readonly<Record<string, number>> = { "8": 1, "16": 2, "32": 4, "64": 8 };
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

function bytesText(bytes: number): string {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const size = bytes / 1000 ** step;
  return withUnit(fixed(size, step > 0 && size < 100 ? 1 : 0), UNITS[step] ?? "");
}

/** Decoded size of all channels. */
export function bytesOf(info: VolumeInfo): number {
  const voxels = info.axes.reduce((product, axis) => product * axis.n, 1);
  const each = info.channels.map(({ dtype }) => BYTES[/\d+$/.exec(dtype)?.[0] ?? ""] ?? 1);
  return voxels * each.reduce((sum, size) => sum + size, 0);
}

function axisFact(axis: Axis): Fact {
  const ends = `${numberText(axis, 0)} – ${numberText(axis, axis.n - 1)}`;
  return [axisTitle(axis), withUnit(ends, axis.unit)];
}

function channelFact(channel: Channel): Fact {
  const { name, unit, dtype, is_label, value_min: min, value_max: max } = channel;
  if (is_label) return [name, `labels, ${dtype}`];
  const ends = [min, max].map((value) => rangeText(value, max - min)).join(" – ");
  return [name, `${withUnit(ends, unit)}, ${dtype}`];
}

/** Time along seismic samples has no length: it is left out. */
function spacingText(info: VolumeInfo): string {
  const lengths = info.axes
    .filter(({ name }) => info.kind !== "seismic" || name !== "sample")
    .map(({ spacing }) => fixed(spacing, decimalsOf(spacing)));
  return info.world_unit ? withUnit(lengths.join(TIMES), info.world_unit) : "";
}

export function volumeFacts(info: VolumeInfo): readonly Fact[] {
  const { axes, channels, n_lods, brick_size, source, kind } = info;
  const facts: readonly Fact[] = [
    ["Name", info.name],
    ["Kind", KINDS[kind]],
    ["Voxels", axes.map(({ n }) => fixed(n, 0)).join(TIMES)],
    ...axes.map(axisFact),
    ["Spacing", spacingText(info)],
    ...channels.map(channelFact),
    ["Decoded", bytesText(bytesOf(info))],
    ["Levels of detail", n_lods > 1 ? `${n_lods}, bricks of ${brick_size}` : ""],
    ["Read by", source],
  ];
  return facts.filter(([, text]) => text);
}

export function viewFacts(context: ViewContext): readonly Fact[] {
  const { session, ui, crosshair, valueHere } = context;
  const { info, state, status } = session;
  if (!info) return [];
  const at = crosshair && positionText(info, crosshair);
  const isRead = crosshair && valueHere?.voxel.every((v, i) => v === crosshair[i]);
  const value = isRead ? (valueHere?.value ?? null) : null;
  const facts: readonly Fact[] = [
    ["Crosshair", at ?? ""],
    [
      `${channelOf(info, state.channel).name} there`,
      value === null ? "" : channelText(info, state.channel, value),
    ],
    ["Zoom", `${fixed(state.zoom, state.zoom === 1 ? 0 : 2)}×`],
    ["Stretch", state.stretch === 1 ? "" : `${fixed(state.stretch, 2)}×`],
    [
      "Picture",
      ui.shown ? withUnit([ui.shown.width_px, ui.shown.height_px].join(TIMES), "px") : "",
    ],
    ["Detail", status.lod > 0 ? `1 voxel of ${2 ** status.lod}` : "every voxel"],
    ["Comes by", pathText(status)],
    ["Encoder", status.encoder],
    ["Viewers", status.viewers > 1 ? fixed(status.viewers, 0) : ""],
  ];
  return facts.filter(([, text]) => text);
}
