/** Tells scrolling, which may change everything 60 times a second, from what must be seen at once. */
import type { FrameHeader, ViewState } from "../protocol";
import type { ViewContext } from "./context";

/** What parts draw themselves from, as it was at one moment. */
export interface Glimpse {
  readonly ui: ViewContext["ui"];
  readonly state: ViewState;
  readonly status: object;
  readonly info: object | null;
}

export function glimpseOf({ ui, session }: ViewContext): Glimpse {
  const { state, status, info } = session;
  return { ui, state, status, info };
}

/** What a header says anew with each picture; all else is the view. */
const OF_EACH_FRAME: ReadonlySet<keyof FrameHeader> = new Set([
  "flags",
  "lod",
  "frame_no",
  "revision",
  "timestamp_90k",
  "slice_idx",
  "panes", // of one pane alone there are none
]);

/** Keys of two objects whose values are not the very same. */
function changes<T extends object>(a: T, b: T): (keyof T)[] {
  return (Object.keys(b) as (keyof T)[]).filter((key) => !Object.is(a[key], b[key]));
}

/** Whether two pictures lie alike and have the same colours: they may differ in their slice. */
export function isSameView(a: FrameHeader, b: FrameHeader): boolean {
  return changes(a, b).every((key) => OF_EACH_FRAME.has(key));
}

function sameButSlice(a: FrameHeader | null, b: FrameHeader | null): boolean {
  return a && b ? isSameView(a, b) : a === b;
}

function samePlace(a: readonly number[], b: readonly number[], axis: number): boolean {
  return a.every((idx, i) => i === axis || idx === b[i]);
}

function stateScrolled(a: ViewState, b: ViewState): boolean {
  return changes(a, b).every(
    (key) =>
      key === "revision" ||
      // Of the active pane, and of those linked to it, the fields themselves tell.
      (key === "panes" && a.panes.length === b.panes.length && b.linked) ||
      (key === "slice_idx" && samePlace(a.slice_idx, b.slice_idx, b.axis)) ||
      (key === "pan" && a.pan[0] === b.pan[0] && a.pan[1] === b.pan[1]),
  );
}

/**
 * Whether nothing but the slice of the plane in view changed between two moments.
 *
 * What is not known here counts as a change, so that a new kind of state is never shown late.
 */
export function onlyScrolled(a: Glimpse, b: Glimpse): boolean {
  if (a.info !== b.info || a.status !== b.status || !stateScrolled(a.state, b.state)) return false;
  return changes(a.ui, b.ui).every(
    (key) =>
      (key === "shown" && sameButSlice(a.ui.shown, b.ui.shown)) ||
      // The voxel under a resting pointer goes with the slice.
      (key === "cursor" && a.ui.cursor?.at === b.ui.cursor?.at),
  );
}
