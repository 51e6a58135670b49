/** A slice or a section as it lies in a pane, and which place of the volume lies where in it. */
import { type PaneView, type Placement, type Point, placeSlice } from "../geometry";
import type { VolumeInfo } from "../protocol";
import { gridOf, NORMAL, placeOf, projected, type SectionGrid, type Vector } from "../sections";
import { type Fit, fitPicture, type Pane } from "./camera";

/** A slice in the pane: placement in picture pixels, and where the picture lies. */
export interface Scene {
  /** What is placed: the volume, or a section as a volume one voxel thick. */
  readonly info: VolumeInfo;
  /** Axis of that across which the picture lies. */
  readonly axis: number;
  readonly volume: VolumeInfo;
  /** Axis of the volume whose slices the pane shows without a section. */
  readonly base: number;
  /** The points of a section; null of a slice. */
  readonly grid: SectionGrid | null;
  readonly view: PaneView;
  readonly placement: Placement;
  readonly fit: Fit;
}

export function sceneOf(volume: VolumeInfo, base: number, view: PaneView, pane: Pane): Scene {
  const grid = view.section ? gridOf(volume, view.section) : null;
  return {
    info: grid?.info ?? volume,
    axis: grid ? NORMAL : base,
    volume,
    base,
    grid,
    view,
    placement: placeSlice(volume, base, view),
    fit: fitPicture(view, pane),
  };
}

/** Indices along the axes of `scene.info` of a place of the volume; on a section, of the nearest point. */
function laid({ volume, grid }: Scene, place: Vector): Vector {
  if (!grid) return place;
  const { column, row } = projected(volume, grid, place);
  return [0, column, row];
}

/** CSS pixel of a place of the volume. */
export function pixelOf(scene: Scene, place: Vector): Point {
  const { placement, fit } = scene;
  const at = laid(scene, place);
  const { columnAxis, rowAxis } = placement.plane;
  const { x, y } = placement.toPixel(at[columnAxis as 0] ?? 0, at[rowAxis as 0] ?? 0);
  return { x: fit.x + x * fit.scale, y: fit.y + y * fit.scale };
}

/** Place of the volume, fractional indices, at a CSS pixel; `slice` is the index of the shown slice. */
export function placeAt(scene: Scene, at: Point, slice: number): Vector {
  const { placement, fit, grid, axis } = scene;
  const x = (at.x - fit.x) / fit.scale;
  const { column, row } = placement.toVoxel(x, (at.y - fit.y) / fit.scale);
  const place: [number, number, number] = [0, 0, 0];
  place[placement.plane.columnAxis as 0] = column;
  place[placement.plane.rowAxis as 0] = row;
  place[axis as 0] = slice;
  return grid ? placeOf(grid, place[1], place[2]) : place;
}

/** The same, of a section at the point of its grid that is drawn there: whose values are read. */
export function drawnAt(scene: Scene, at: Point, slice: number): Vector {
  const { placement, fit, grid } = scene;
  if (!grid) return placeAt(scene, at, slice);
  const { column, row } = placement.toVoxel((at.x - fit.x) / fit.scale, (at.y - fit.y) / fit.scale);
  const isTurned = placement.plane.columnAxis > placement.plane.rowAxis;
  const [c, r] = isTurned ? [row, column] : [column, row];
  return placeOf(grid, Math.round(c), Math.round(r));
}

/** World distance of a place from the section; 0 of a slice. */
export function offSection({ volume, grid }: Scene, place: Vector): number {
  return grid ? projected(volume, grid, place).distance : 0;
}

/** Name of a section, and where it lies. */
export function sectionText(grid: SectionGrid): string {
  const { section } = grid;
  return section.kind === "fence" ? `Fence, ${section.points.length} nodes` : "Oblique";
}
