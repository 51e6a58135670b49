/**
 * Several panes of one view: what each shows, and how one is made the active one.
 *
 * The fields of the state are those of the active pane; `panes` holds all of them, empty while there is
 * one alone. The same as `core/panes.py` and `core/layouts.py`.
 */
import type { PaneState, ViewPatch, ViewState } from "./protocol";

const OWN_FIELDS = [
  "axis",
  "zoom",
  "pan",
  "stretch",
  "rotation",
  "flip_x",
  "flip_y",
  "slab",
  "slab_mode",
  "display",
  "wiggle_excursion",
  "wiggle_fill",
  "wiggle_polarity",
  "section",
] as const;
const SHARED_FIELDS = [
  "slice_idx",
  "time_idx",
  "channel",
  "window",
  "level",
  "colormap",
  "reverse",
  "interpolate",
] as const;
const PANE_FIELDS = [...OWN_FIELDS, ...SHARED_FIELDS] as const;

/** Columns and rows of a layout, and how many panes it has. */
export interface Cells {
  readonly columns: number;
  readonly rows: number;
  readonly panes: number;
}

const CELLS: Readonly<Record<string, Cells>> = {
  single: { columns: 1, rows: 1, panes: 1 },
  orthogonal: { columns: 2, rows: 2, panes: 3 },
  quad: { columns: 2, rows: 2, panes: 3 },
  "picture-in-picture": { columns: 1, rows: 1, panes: 2 },
  compare: { columns: 2, rows: 1, panes: 2 },
};

/** The server knows no other layouts than these, and grids of rows x columns. */
export function cellsOf(layout: string): Cells {
  const known = CELLS[layout];
  if (known) return known;
  const [rows = 1, columns = 1] = layout.split("x").map(Number);
  return { columns, rows, panes: rows * columns };
}

/** How many panes a state has. */
export function paneCount(state: ViewState): number {
  return Math.max(state.panes.length, 1);
}

type PaneFields = { -readonly [K in keyof PaneState]: PaneState[K] };

function fieldsOf(from: PaneState, names: readonly (keyof PaneState)[]): Partial<PaneState> {
  const fields: Partial<Record<keyof PaneState, unknown>> = {};
  for (const name of names) fields[name] = from[name];
  return fields as Partial<PaneFields>;
}

/** A pane as it is with what was changed here and is not in the list yet. */
export function paneState(state: ViewState, index: number): PaneState {
  const listed = state.panes[index];
  if (index === state.active || !listed) return fieldsOf(state, PANE_FIELDS) as PaneState;
  return state.linked ? { ...listed, ...fieldsOf(state, SHARED_FIELDS) } : listed;
}

/** Always the very same list, so that nothing seems to have changed. */
const NONE: readonly never[] = [];

/** What one pane shows, as a state of one pane alone. */
export function viewOfPane(state: ViewState, index: number): ViewState {
  if (state.panes.length === 0) return state;
  const [width_px, height_px] = sizeOf(state, index);
  const alone = { panes: NONE, pane_sizes: NONE };
  return { ...state, ...alone, ...paneState(state, index), width_px, height_px };
}

function sizeOf(state: ViewState, index: number): readonly [number, number] {
  if (index === state.active) return [state.width_px, state.height_px];
  return state.pane_sizes[index] ?? [0, 0];
}

/** Numbers of the panes whose pictures come: those with a place on the page. */
export function shownPanes(state: ViewState): readonly number[] {
  if (state.panes.length === 0 || state.maximised) return [state.active];
  return state.panes
    .map((_, index) => index)
    .filter((index) => index === state.active || sizeOf(state, index)[0] > 0);
}

/**
 * Make a pane the active one.
 *
 * The fields of the state come to be that pane's, in the page at once and in the server with the same
 * message; what the last one was changed to goes along in the list.
 */
export function activation(state: ViewState, index: number): ViewPatch {
  if (index === state.active || !state.panes[index]) return {};
  const panes = state.panes.map((_, i) => paneState(state, i));
  const [width_px, height_px] = sizeOf(state, index);
  const size = width_px > 0 ? { width_px, height_px } : {};
  const sizes = state.pane_sizes.map((_, i) => sizeOf(state, i));
  return { active: index, panes, pane_sizes: sizes, ...panes[index], ...size };
}

/** The size of one pane, among those of the others. */
export function resizing(
  state: ViewState,
  index: number,
  size: readonly [number, number],
): ViewPatch {
  const own = index === state.active && size[0] > 0;
  const single = own ? { width_px: size[0], height_px: size[1] } : {};
  if (state.panes.length === 0) return single;
  return {
    ...single,
    pane_sizes: state.pane_sizes.map((_, i) => (i === index ? size : sizeOf(state, i))),
  };
}
