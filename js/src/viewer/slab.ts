/** Slabs: several slices around the shown one as one picture, in the words of the field. */
import type { Fence, Oblique, SLAB_MODES, ViewState, VolumeInfo } from "../protocol";
import {
  cross,
  gridOf,
  normalOf,
  toIndex,
  toWorld,
  unit,
  type Vector,
  verticalAxis,
} from "../sections";
import { axisOf, withUnit } from "./axes";
import { decimalsOf, fixed } from "./format";
import { channelOf } from "./range";

export type SlabMode = (typeof SLAB_MODES)[number];

/** The ways of reducing a slab, in the order and words of the menus. */
export const SLAB_CHOICES: readonly (readonly [SlabMode, string])[] = [
  ["max", "Maximum"],
  ["min", "Minimum"],
  ["mean", "Mean"],
  ["rms", "Root mean square"],
];

const WORDS: Readonly<Record<string, readonly [medical: string, other: string]>> = {
  max: ["MIP", "Maximum"],
  min: ["MinIP", "Minimum"],
  mean: ["Mean", "Mean"],
  rms: ["RMS", "RMS"],
};

/** How a slab is reduced, as the field says it: "MIP" of a scan, "Maximum" of a survey. */
export function modeText(info: VolumeInfo, mode: string): string {
  return WORDS[mode]?.[info.kind === "medical" ? 0 : 1] ?? mode;
}

/** Why there can be no slab; "" if there can. */
export function noSlabReason(info: VolumeInfo, state: ViewState): string {
  return channelOf(info, state.channel).is_label ? "Labels are shown slice by slice" : "";
}

/** Thickness of so many slices: "9 mm", "36 ms", "25 slices" where their distance has no unit. */
export function thicknessText(info: VolumeInfo, axis: number, slices: number): string {
  const along = axisOf(info, axis);
  const isSample = info.kind === "seismic" && along.name === "sample";
  const step = isSample ? Math.abs(along.step) : along.spacing;
  const unit = isSample ? along.unit : info.world_unit;
  return unit && step > 0 ? lengthText(slices, step, unit) : `${slices} slices`;
}

function lengthText(slices: number, step: number, unit: string): string {
  // As a length is written: 3.4375 mm slices make no slab of 30.9375.
  const length = slices * step;
  const decimals = length >= 100 ? 0 : Math.min(decimalsOf(step), 1);
  return withUnit(fixed(length, decimals), unit);
}

/** The same of the slab that a pane shows, which may be one of a section. */
export function slabThickness(info: VolumeInfo, state: ViewState): string {
  const { section, axis, slab } = state;
  if (!section) return thicknessText(info, axis, slab);
  const across = section.kind === "fence" ? acrossFence(info, section) : acrossPlane(info, section);
  if (!info.world_unit || !across)
    return `${slab} ${section.kind === "fence" ? "curtains" : "planes"}`;
  return lengthText(slab, Number(across.toFixed(6)), info.world_unit);
}

/** World distance of a voxel across a plane; null where it has none. */
function acrossPlane(info: VolumeInfo, plane: Oblique): number | null {
  const across = toIndex(info, normalOf(plane));
  const vertical = verticalAxis(info);
  const isTime = info.kind === "seismic" && axisOf(info, vertical).unit !== info.world_unit;
  // In time only a plane that stands upright has a length across it.
  const isTilted = isTime && Math.abs(across[vertical as 0]) > 1e-9 * Math.hypot(...across);
  return isTilted ? null : 1 / Math.hypot(...across);
}

/** The same across the pieces of a fence: where a voxel is the shortest, as `voxels_across`. */
function acrossFence(info: VolumeInfo, fence: Fence): number {
  const { columns, rows } = gridOf(info, fence);
  const down = toWorld(info, rows.map(([, step]) => step) as unknown as Vector);
  const lengths = fence.points.slice(1).map((_, k) => {
    const by = columns.map((at) => (at[k + 1] ?? 0) - (at[k] ?? 0)) as unknown as Vector;
    return 1 / Math.hypot(...toIndex(info, unit(cross(toWorld(info, by), down))));
  });
  return Math.min(...lengths);
}

/** "MIP 9 mm" where a pane shows a slab; "" where it shows one slice. */
export function slabText(info: VolumeInfo, state: ViewState): string {
  if (state.slab === 1 || noSlabReason(info, state)) return "";
  return `${modeText(info, state.slab_mode)} ${slabThickness(info, state)}`;
}
