/** Words and numbers of the volume's axes: survey numbers, anatomical positions, short names. */
import { anatomicalAxes } from "../geometry";
import type { Axis, VolumeInfo } from "../protocol";
import { clamp, decimalsOf, fixed, valueText } from "./format";

export type Voxel = readonly [number, number, number];

const TIME_UNITS = new Set(["ms", "s", "us", "µs"]);
const DEPTH_UNITS = new Set(["m", "ft", "km"]);
/** Red for time, depth and axial; yellow for inline and sagittal; green for crossline and coronal. */
const PLANE_COLOURS: Readonly<Record<string, string>> = {
  inline: "#ffd23f",
  crossline: "#4ade80",
  sample: "#ff5d5d",
  sagittal: "#ffd23f",
  coronal: "#4ade80",
  axial: "#ff5d5d",
};
const BY_INDEX = ["#ffd23f", "#4ade80", "#ff5d5d"];

export function axisOf(info: VolumeInfo, index: number): Axis {
  return info.axes[index] ?? info.axes[0];
}

/** "Inline", "Time", "Axial": what the slice across the axis is called. */
export function axisTitle(axis: Axis): string {
  if (axis.name === "sample") {
    if (TIME_UNITS.has(axis.unit)) return "Time";
    if (DEPTH_UNITS.has(axis.unit)) return "Depth";
  }
  return axis.name.charAt(0).toUpperCase() + axis.name.slice(1);
}

/** "IL", "XL", "" for a number that its unit explains. */
export function axisShort(axis: Axis): string {
  if (axis.name === "inline") return "IL";
  if (axis.name === "crossline") return "XL";
  return axis.name === "sample" && axis.unit ? "" : axis.name;
}

export function planeColour(info: VolumeInfo, axis: number): string {
  return PLANE_COLOURS[axisOf(info, axis).name] ?? BY_INDEX[axis] ?? "#ffd23f";
}

/** Survey number of an index, which may be fractional. */
export function numberAt(axis: Axis, idx: number): number {
  return axis.first + idx * axis.step;
}

export function numberText(axis: Axis, idx: number): string {
  const decimals = Math.max(decimalsOf(axis.step), decimalsOf(axis.first));
  return fixed(numberAt(axis, idx), decimals);
}

/** Index whose survey number is nearest. */
export function indexOf(axis: Axis, number: number): number {
  const idx = Math.round((number - axis.first) / (axis.step || 1));
  return clamp(idx, 0, axis.n - 1);
}

export function withUnit(text: string, unit: string): string {
  return unit ? `${text}\u00a0${unit}` : text;
}

/** Index to world by the volume's affine; null where there is none. */
export function worldOf(info: VolumeInfo, voxel: Voxel): [number, number, number] | null {
  const m = info.affine;
  if (!m) return null;
  const row = (r: number): number =>
    (m[4 * r] ?? 0) * voxel[0] +
    (m[4 * r + 1] ?? 0) * voxel[1] +
    (m[4 * r + 2] ?? 0) * voxel[2] +
    (m[4 * r + 3] ?? 0);
  return [row(0), row(1), row(2)];
}

/** "L 25.0": the letter says the sign. `ras` is one coordinate along R-L, A-P or S-I. */
function patientText(ras: number, world: number): string {
  const letter = (ras >= 0 ? "RAS" : "LPI").charAt(world);
  return `${letter}\u00a0${fixed(Math.abs(ras), 1)}`;
}

/** Where a voxel lies, as the field says it. */
export function positionText(info: VolumeInfo, voxel: Voxel): string {
  const world = info.kind === "medical" ? worldOf(info, voxel) : null;
  if (world) return `${world.map(patientText).join(" ")} ${info.world_unit || "mm"}`;
  if (info.axes.every((axis, i) => axis.name === `axis ${i}`)) return `[${voxel.join(", ")}]`;
  return info.axes
    .map((axis, i) => {
      const number = withUnit(numberText(axis, voxel[i] ?? 0), axis.unit);
      const short = axisShort(axis);
      return short ? `${short}\u00a0${number}` : number;
    })
    .join(" · ");
}

/** Map coordinates of a seismic voxel: [["X", "431 208"], ["Y", "6 521 940"]]; empty if unknown. */
export function mapText(info: VolumeInfo, voxel: Voxel): readonly (readonly [string, string])[] {
  const world = info.kind === "medical" ? null : worldOf(info, voxel);
  if (!world) return [];
  return [
    ["X", fixed(world[0], 0)],
    ["Y", fixed(world[1], 0)],
  ];
}

/** Title and position of a slice for its chip: ["Inline", "1 412"], ["Axial", "S 20.0 mm"]. */
export function sliceText(info: VolumeInfo, axis: number, idx: number): [string, string] {
  const along = axisOf(info, axis);
  if (info.kind === "medical" && info.affine) {
    const centre = info.axes.map((a) => (a.n - 1) / 2) as [number, number, number];
    centre[axis] = idx;
    const world = anatomicalAxes(info.affine)[axis]?.world ?? 2;
    const position = worldOf(info, centre)?.[world] ?? 0;
    return [axisTitle(along), `${patientText(position, world)} ${info.world_unit || "mm"}`];
  }
  return [axisTitle(along), withUnit(numberText(along, idx), along.unit)];
}

/** "1 412 of 1 950" for screen readers: the number and the last one. */
export function sliceOfText(info: VolumeInfo, axis: number, idx: number): string {
  const along = axisOf(info, axis);
  return `${axisTitle(along)} ${numberText(along, idx)} of ${numberText(along, along.n - 1)}`;
}

/** Value with its unit, or the label's name where values are names. */
export function channelText(info: VolumeInfo, channel: number, value: number): string {
  const of = info.channels[channel];
  if (of?.is_label) {
    const name = of.label_names[String(value)];
    return name ? `${valueText(value)} ${name}` : valueText(value);
  }
  return withUnit(valueText(value), of?.unit ?? "");
}
