/** Rulers in the gutters and the scale bar: what they say, for the page and for saved pictures. */
import { isMap, type Placement } from "../geometry";
import type { Axis, VolumeInfo } from "../protocol";
import { placeOf, type SectionGrid, toWorld, type Vector } from "../sections";
import { axisOf, axisShort, axisTitle, numberAt } from "./axes";
import type { Scene } from "./context";
import { decimalsOf, fixed } from "./format";
import { niceLength, type Tick, ticksAlong } from "./ticks";

export interface RulerTick extends Tick {
  readonly text: string;
}

export interface Ruler {
  readonly ticks: readonly RulerTick[];
  /** "ms", "XL": what the numbers are. */
  readonly caption: string;
  /** "Time (ms)": the same in words. */
  readonly title: string;
}

/** Survey numbers make no sense in medical pictures: letters and a scale bar stand there instead. */
export function hasRulers(scene: Scene): boolean {
  return scene.volume.kind !== "medical";
}

function rulerOf(
  axis: Axis,
  at0: number,
  perPixel: number,
  length: number,
  horizontal: boolean,
): Ruler {
  const apart = horizontal ? (length > 700 ? 96 : 56) : length > 400 ? 32 : 40;
  // Line numbers exist only at multiples of their step; times do in between.
  const smallest = axis.unit ? 0 : Math.abs(axis.step);
  // Beyond the first and the last line there is nothing to number.
  const within = [axis.first, numberAt(axis, axis.n - 1)] as const;
  const ticks = ticksAlong(at0, perPixel, length, apart, smallest, horizontal ? 20 : 7, within);
  const first = ticks[0];
  const second = ticks[1];
  const decimals = decimalsOf(first && second ? second.number - first.number : smallest || 1, 4);
  return {
    ticks: ticks.map((tick) => ({ ...tick, text: fixed(tick.number, decimals) })),
    caption: axis.unit || axisShort(axis),
    title: axis.unit ? `${axisTitle(axis)} (${axis.unit})` : axisTitle(axis),
  };
}

/** Rulers along the top and the left edge of a pane of `width` x `height` CSS pixels. */
export function rulersOf(scene: Scene, width: number, height: number): { top: Ruler; left: Ruler } {
  const { info, placement, fit } = scene;
  const columns = axisOf(info, placement.plane.columnAxis);
  const rows = axisOf(info, placement.plane.rowAxis);
  const corner = placement.toVoxel(-fit.x / fit.scale, -fit.y / fit.scale);
  const next = placement.toVoxel((1 - fit.x) / fit.scale, (1 - fit.y) / fit.scale);
  const across = (next.column - corner.column) * columns.step;
  const down = (next.row - corner.row) * rows.step;
  return {
    top: rulerOf(columns, numberAt(columns, corner.column), across, width, true),
    left: rulerOf(rows, numberAt(rows, corner.row), down, height, false),
  };
}

export interface ScaleBar {
  /** CSS pixels. */
  readonly length: number;
  readonly text: string;
}

const LONGER: Readonly<Record<string, readonly [number, string]>> = {
  m: [1000, "km"],
  mm: [1000, "m"],
};

/** A round length along the screen's x; null where the axis has no known length. */
export function scaleBarOf(scene: Scene, most = 104): ScaleBar | null {
  const { info, placement, fit, volume, grid } = scene;
  const axis = axisOf(info, placement.plane.columnAxis);
  // Across samples, the spacing that makes a section look right is no length.
  const isMixed = grid?.section.kind === "oblique" && volume.kind === "seismic" && !isLevel(scene);
  if (isMixed) return null;
  if (!info.world_unit || (info.kind === "seismic" && axis.name === "sample")) return null;
  const perPixel = (placement.nColumns * axis.spacing) / (placement.width * fit.scale);
  const length = niceLength(perPixel * most);
  if (!(length > 0) || !Number.isFinite(length)) return null;
  const longer = LONGER[info.world_unit];
  const isLong = longer !== undefined && length >= longer[0];
  const shown = isLong ? length / longer[0] : length;
  const unit = isLong ? longer[1] : info.world_unit;
  return { length: length / perPixel, text: `${fixed(shown, decimalsOf(shown, 4))}\u00a0${unit}` };
}

/** Does the screen's x run along no samples? */
function isLevel({ grid, placement }: Scene): boolean {
  const isTurned = placement.plane.columnAxis > placement.plane.rowAxis;
  const [, step] = (isTurned ? grid?.rows : grid?.columns)?.[2] ?? [];
  return step === 0;
}

/**
 * Where north is on a slice of a survey, in degrees clockwise from up; null where that is not known, or
 * the slice stands upright.
 */
export function northOf({ info, axis, placement }: Scene): number | null {
  if (!info.affine || !isMap(info, axis)) return null;
  const [e0 = 0, e1 = 0, , , n0 = 0, n1 = 0] = info.affine;
  const area = e0 * n1 - e1 * n0;
  if (area === 0) return null;
  // Steps along the two axes that together go one unit north.
  const steps = [-e1 / area, e0 / area] as const;
  const { plane } = placement;
  const along = (step: number, isFlipped: boolean): number => (isFlipped ? -step : step);
  const right = along(steps[plane.columnAxis as 0 | 1], plane.flipX) / placement.nColumns;
  const down = along(steps[plane.rowAxis as 0 | 1], plane.flipY) / placement.nRows;
  return (Math.atan2(right * placement.width, -down * placement.height) * 180) / Math.PI;
}

/** Letters at the left, right, top and bottom edge, or a remark that orientation is unknown. */
export function lettersOf(scene: Scene): { letters: readonly string[]; remark: string } {
  const { volume, grid, placement } = scene;
  if (volume.kind !== "medical") return { letters: [], remark: "" };
  if (!volume.affine) return { letters: [], remark: "Orientation unknown" };
  return {
    letters: grid ? lettersOn(volume, grid, placement) : placement.plane.letters,
    remark: "",
  };
}

/** Towards which side a world direction of a patient goes: "A", or "AR" where it goes to both. */
export function directionLetters(direction: Vector): string {
  const length = Math.hypot(...direction);
  return direction
    .map((part, axis) => ({
      share: Math.abs(part) / length,
      letter: SIDES[part > 0 ? 1 : 0][axis],
    }))
    .filter(({ share }) => share > SECOND_LETTER)
    .sort((a, b) => b.share - a.share)
    .slice(0, 2)
    .map(({ letter }) => letter)
    .join("");
}

const SIDES = ["LPI", "RAS"] as const;
/** A direction that goes less than this to a side (12 degrees) is not said to go there. */
const SECOND_LETTER = 0.2;

/** What lies beyond the edges of a section; of a fence, beyond the ends of its line. */
function lettersOn(
  volume: VolumeInfo,
  grid: SectionGrid,
  { plane }: Placement,
): readonly [string, string, string, string] {
  const between = (a: readonly [number, number], b: readonly [number, number]): string => {
    const [from, to] = [placeOf(grid, ...a), placeOf(grid, ...b)].map((at) => toWorld(volume, at));
    if (!from || !to) return "";
    return directionLetters([to[0] - from[0], to[1] - from[1], to[2] - from[2]]);
  };
  const last = grid.nColumns - 1;
  const columns = [between([1, 0], [0, 0]), between([last - 1, 0], [last, 0])] as const;
  const rows = [between([0, 1], [0, 0]), between([0, 0], [0, 1])] as const;
  const isTurned = plane.columnAxis > plane.rowAxis;
  const [across, down] = isTurned ? [rows, columns] : [columns, rows];
  const [left, right] = plane.flipX ? [across[1], across[0]] : across;
  const [top, bottom] = plane.flipY ? [down[1], down[0]] : down;
  return [left, right, top, bottom];
}
