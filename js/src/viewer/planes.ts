/** The planes of a view's panes: which of them cut a pane's own, and how they are turned together. */
import { paneState } from "../panes";
import type { PaneState, ViewState, VolumeInfo } from "../protocol";
import { liesLike, type Oblique, planeAcross, turned, type Vector } from "../sections";
import type { Voxel } from "./axes";
import type { Scene } from "./scene";

/** A plane that cuts the shown one. */
export interface PlaneBeside {
  readonly axis: number;
  readonly plane: Oblique;
  /** The pane that shows it; null: none does. */
  readonly pane: number | null;
}

/** The plane that a scene shows, which is none on a fence. */
export function planeOfScene({ volume, base, grid, view }: Scene, voxel: Voxel): Oblique {
  if (grid?.section.kind === "oblique") return grid.section;
  return planeAcross(volume, base, voxel, view.north_up);
}

/** Planes across the two other axes: those of linked panes, which may be turned, else the slices. */
export function planesBeside(
  { volume, base, view }: Scene,
  voxel: Voxel,
  whole: ViewState | null = null,
): PlaneBeside[] {
  return [0, 1, 2]
    .filter((axis) => axis !== base)
    .map((axis) => {
      const pane = whole?.linked ? whole.panes.findIndex((each) => each.axis === axis) : -1;
      const section = pane < 0 ? null : (whole?.panes[pane]?.section ?? null);
      const plane =
        section?.kind === "oblique" ? section : planeAcross(volume, axis, voxel, view.north_up);
      return { axis, plane, pane: pane < 0 || section?.kind === "fence" ? null : pane };
    });
}

/**
 * All panes, with the planes across other axes than `base` turned by an angle about a direction.
 *
 * They stay at right angles to each other. One that lies as its slice again is that slice.
 */
export function turnedPanes(
  info: VolumeInfo,
  state: ViewState,
  base: number,
  about: Vector,
  radians: number,
): PaneState[] {
  return state.panes.map((_, index) => {
    const pane = paneState(state, index);
    if (pane.axis === base || pane.section?.kind === "fence") return pane;
    const slice = planeAcross(info, pane.axis, pane.slice_idx, state.north_up);
    const section = turned(pane.section ?? slice, about, radians, pane.slice_idx);
    return { ...pane, section: liesLike(section, slice) ? null : section };
  });
}

/** All panes with slices in the place of planes that were turned. */
export function uprightPanes(state: ViewState): PaneState[] {
  return state.panes.map((_, index) => {
    const pane = paneState(state, index);
    return pane.section?.kind === "oblique" ? { ...pane, section: null } : pane;
  });
}
