/** Several panes without a server: what `core/panes.py` and the worker do, as far as the page sees it. */
import { cellsOf, viewOfPane } from "../src/panes";
import {
  COLORMAPS,
  type FrameHeader,
  type PaneHeader,
  type PaneState,
  type ViewPatch,
  type ViewState,
  type VolumeInfo,
} from "../src/protocol";
import type { Frame } from "../src/session";
import { turnCode } from "../src/viewer/camera";

export const ALONE = {
  layout: "single",
  panes: [],
  pane_sizes: [],
  active: 0,
  linked: true,
  maximised: false,
  columns: [],
  rows: [],
} satisfies Partial<ViewState>;

function paneOf(state: ViewState): PaneState {
  const { axis, slice_idx, time_idx, channel, window, level, colormap } = state;
  const { reverse, zoom, pan, stretch, interpolate } = state;
  const { rotation, flip_x, flip_y, slab, slab_mode, section } = state;
  const view = { axis, slice_idx, time_idx, channel, window, level, colormap };
  const turn = { rotation, flip_x, flip_y };
  const { display, wiggle_excursion, wiggle_fill, wiggle_polarity } = state;
  const wiggles = { display, wiggle_excursion, wiggle_fill, wiggle_polarity };
  return {
    ...view,
    ...turn,
    ...wiggles,
    reverse,
    zoom,
    pan,
    stretch,
    interpolate,
    slab,
    slab_mode,
    section,
  };
}

function laidOut(state: ViewState, layout: string, info: VolumeInfo): ViewState {
  if (layout === "single") return { ...state, ...ALONE };
  const now = paneOf(state);
  const linked = !/compare|x/.test(layout);
  const axes = info.kind === "medical" ? [2, 1, 0] : [0, 1, 2];
  const other = state.axis === 2 ? 0 : 2;
  const all = layout === "picture-in-picture" ? [state.axis, other] : axes;
  const panes = Array.from({ length: cellsOf(layout).panes }, (_, i): PaneState => {
    const axis = all[i] ?? state.axis;
    if (!linked || axis === state.axis) return now;
    return { ...now, axis, zoom: 1, pan: [0.5, 0.5], stretch: 1 };
  });
  const active = linked ? panes.findIndex(({ axis }) => axis === state.axis) : 0;
  const size = [state.width_px / 2, state.height_px / 2] as const;
  const pane_sizes = panes.map(() => size);
  const crosshair = state.crosshair || layout === "orthogonal" || layout === "quad";
  return { ...state, ...ALONE, layout, panes, active, linked, pane_sizes, crosshair };
}

/** The state that the server would answer with. */
export function patched(state: ViewState, patch: ViewPatch, info: VolumeInfo): ViewState {
  const { layout, ...others } = patch;
  const before = layout && layout !== state.layout ? laidOut(state, layout, info) : state;
  const after: ViewState = { ...before, ...others };
  if (after.panes.length === 0) return after;
  const own = [after.width_px, after.height_px] as const;
  const panes = after.panes.map((_, i) => paneOf(viewOfPane(after, i)));
  const sizes = after.pane_sizes.map((size, i) => (i === after.active ? own : size));
  return { ...after, panes, pane_sizes: sizes };
}

/** The part of a header that says what is drawn. */
export function headerOf(state: ViewState) {
  return {
    axis: state.axis,
    lod: 0,
    channel: state.channel,
    width_px: state.width_px,
    height_px: state.height_px,
    slice_idx: state.slice_idx[state.axis] ?? 0,
    zoom: Math.fround(state.zoom),
    pan_x: Math.fround(state.pan[0]),
    pan_y: Math.fround(state.pan[1]),
    stretch: Math.fround(state.stretch),
    window: Math.fround(state.window),
    level: Math.fround(state.level),
    colormap_idx: (COLORMAPS as readonly string[]).indexOf(state.colormap),
    is_reversed: state.reverse ? 1 : 0,
    is_north_up: state.north_up ? 1 : 0,
    turn: turnCode(state),
  };
}

/** One picture of all panes, one below the other. */
export function stacked(
  header: FrameHeader,
  views: readonly (readonly [number, ViewState])[],
  draw: (view: ViewState) => ImageBitmap,
): Frame {
  const width = Math.max(...views.map(([, view]) => view.width_px));
  const height = views.reduce((sum, [, view]) => sum + view.height_px, 0);
  const canvas = new OffscreenCanvas(width, height);
  const brush = canvas.getContext("2d", { alpha: false });
  let y = 0;
  const panes = views.map(([pane, view]): PaneHeader => {
    const image = draw(view);
    brush?.drawImage(image, 0, y);
    image.close();
    const placed = { pane, is_exact: 1, content: header.frame_no & 0xffff, x_px: 0, y_px: y };
    y += view.height_px;
    return { ...placed, ...headerOf(view) };
  });
  const whole = { width_px: width, height_px: height, n_panes: panes.length, panes };
  return { header: { ...header, ...whole }, image: canvas.transferToImageBitmap() };
}
