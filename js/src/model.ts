/** The widget model of the notebook: the only place that knows its traits and custom messages. */
import type { AnyModel } from "@anywidget/types";
import type { Tie } from "./exchange";
import { activation } from "./panes";
import type { ViewPatch, ViewState, VolumeInfo } from "./protocol";
import type { Session, SessionError } from "./session";
import { sameValue } from "./store";
import { nearestStep, timeAt } from "./time";

/**
 * Traits that mirror the view's state; `axis` is a name here, `slice_no` the survey number, and
 * `crosshair_idx` the positions of all three slices.
 */
export interface StateTraits {
  axis: string;
  slice_idx: number;
  slice_no: number;
  time_idx: number;
  time: number;
  channel: number;
  window: number;
  level: number;
  colormap: string;
  reverse: boolean;
  below_color: string;
  above_color: string;
  no_value_color: string;
  zoom: number;
  pan: readonly [number, number];
  stretch: number;
  interpolate: boolean;
  north_up: boolean;
  rotation: number;
  flip_x: boolean;
  flip_y: boolean;
  slab: number;
  slab_mode: string;
  display: string;
  wiggle_excursion: number;
  wiggle_fill: boolean;
  wiggle_polarity: string;
  crosshair: boolean;
  crosshair_idx: readonly [number, number, number];
  show_segmentations: boolean;
  show_overlays: boolean;
  view_layout: string;
  active: number;
  linked: boolean;
  maximised: boolean;
  columns: readonly number[];
  rows: readonly number[];
}

export interface ViewerTraits extends StateTraits {
  height: number;
  _session: string;
  /** File's name of a recording that is played; a viewer has none. */
  _recording?: string;
  /** Comma-separated subset of "websocket,webrtc,comm". */
  _transports: string;
  /** Of the server's WebSocket, relative to Jupyter's base address. */
  _path: string;
  /** Page for guests at JupyterHub's service; "" while it is not known, null where there is none. */
  _hub_page?: string | null;
  /** Error that the kernel knows of; empty object if there is none. */
  _error: Partial<SessionError>;
  _closed: boolean;
  /** Links with other viewers. */
  _tied: readonly Tie[];
}

export type ViewerModel = AnyModel<ViewerTraits>;

const TOKEN_TIMEOUT_MS = 1000;
/** Fields that have the same name and value as trait and in the state. */
const PLAIN_FIELDS = [
  "time_idx",
  "channel",
  "window",
  "level",
  "colormap",
  "reverse",
  "below_color",
  "above_color",
  "no_value_color",
  "zoom",
  "pan",
  "stretch",
  "interpolate",
  "north_up",
  "rotation",
  "flip_x",
  "flip_y",
  "slab",
  "slab_mode",
  "display",
  "wiggle_excursion",
  "wiggle_fill",
  "wiggle_polarity",
  "crosshair",
  "show_segmentations",
  "show_overlays",
  "active",
  "linked",
  "maximised",
  "columns",
  "rows",
] as const;

const MIRRORED = [
  "axis",
  "slice_idx",
  "slice_no",
  "time",
  "crosshair_idx",
  "view_layout",
  ...PLAIN_FIELDS,
] as const;

/** The traits' values for a state. */
export function traitsOf(state: ViewState, info: VolumeInfo): StateTraits {
  const axis = info.axes[state.axis] ?? info.axes[0];
  const slice_idx = state.slice_idx[state.axis] ?? 0;
  const { channel, window, level, colormap, reverse, zoom, pan, stretch, interpolate } = state;
  const plain = { channel, window, level, colormap, reverse, zoom, pan, stretch, interpolate };
  const { active, linked, maximised, columns, rows } = state;
  const { rotation, flip_x, flip_y, slab, slab_mode } = state;
  const { display, wiggle_excursion, wiggle_fill, wiggle_polarity } = state;
  return {
    ...plain,
    ...{ active, linked, maximised, columns, rows },
    ...{ rotation, flip_x, flip_y, slab, slab_mode },
    ...{ display, wiggle_excursion, wiggle_fill, wiggle_polarity },
    view_layout: state.layout,
    below_color: state.below_color,
    above_color: state.above_color,
    no_value_color: state.no_value_color,
    north_up: state.north_up,
    crosshair: state.crosshair,
    show_segmentations: state.show_segmentations,
    show_overlays: state.show_overlays,
    crosshair_idx: state.slice_idx,
    axis: axis.name,
    slice_idx,
    slice_no: axis.first + axis.step * slice_idx,
    time_idx: state.time_idx,
    time: timeAt(info.time, state.time_idx),
  };
}

function insideVolume(value: unknown, info: VolumeInfo): ViewState["slice_idx"] {
  const wanted = value as readonly number[];
  const inside = info.axes.map(({ n }, axis) => Math.min(Math.max(wanted[axis] ?? 0, 0), n - 1));
  return inside as unknown as ViewState["slice_idx"];
}

function timePatch(name: string, value: number, { time }: VolumeInfo): ViewPatch | null {
  if (!time || !Number.isFinite(value)) return null;
  if (name === "time") return { time_idx: nearestStep(time, value) };
  return { time_idx: Math.min(Math.max(Math.round(value), 0), time.n - 1) };
}

/** What a trait's new value asks for; null if it asks for nothing that can be. */
export function patchOf<K extends keyof StateTraits>(
  name: K,
  value: StateTraits[K],
  state: ViewState,
  info: VolumeInfo,
): ViewPatch | null {
  if (name === "axis") {
    const axis = info.axes.findIndex((candidate) => candidate.name === value);
    return axis < 0 ? null : { axis };
  }
  if (name === "time_idx" || name === "time") return timePatch(name, Number(value), info);
  if (name === "active") return activation(state, Number(value));
  if (name === "view_layout") return { layout: String(value) };
  if (name === "crosshair_idx") return { slice_idx: insideVolume(value, info) };
  if (name !== "slice_idx" && name !== "slice_no") return { [name]: value };
  const axis = info.axes[state.axis] ?? info.axes[0];
  const number = Number(value);
  const wanted = name === "slice_idx" ? number : (number - axis.first) / (axis.step || 1);
  if (!Number.isFinite(wanted)) return null;
  const idx = Math.min(Math.max(Math.round(wanted), 0), axis.n - 1);
  const slice_idx = state.slice_idx.map((old, a) => (a === state.axis ? idx : old));
  return { slice_idx: slice_idx as unknown as ViewState["slice_idx"] };
}

/** Which transports may be used. */
export function allowedTransports(model: ViewerModel): ReadonlySet<string> {
  return new Set(model.get("_transports").split(",").filter(Boolean));
}

/** Call `listener` when the trait changes, until the signal ends. */
export function onTrait(
  model: ViewerModel,
  name: keyof ViewerTraits,
  listener: (...event: unknown[]) => void,
  signal: AbortSignal,
): void {
  model.on(`change:${name}`, listener);
  signal.addEventListener("abort", () => model.off(`change:${name}`, listener), { once: true });
}

function toldToken(content: unknown): string {
  const { kind, token } = (content ?? {}) as { kind?: unknown; token?: unknown };
  return kind === "token" && typeof token === "string" ? token : "";
}

/**
 * Where the session's token comes from: the kernel sends it, asked or not.
 *
 * It is not a trait, because the notebook file keeps traits. A fresh one is asked of the kernel; if that
 * is busy, the known one is tried. Waits as long as there is none at all: the kernel is still starting its
 * server.
 */
export function tokenSource(
  model: ViewerModel,
  signal: AbortSignal,
): (isFresh: boolean) => Promise<string> {
  let known = "";
  const waiting = new Set<(token: string) => void>();
  const told = (content: unknown): void => {
    known = toldToken(content) || known;
    if (toldToken(content)) for (const finish of [...waiting]) finish(known);
  };
  model.on("msg:custom", told);
  signal.addEventListener("abort", () => model.off("msg:custom", told), { once: true });
  return (isFresh) => {
    if (known && !isFresh) return Promise.resolve(known);
    return new Promise((resolve) => {
      const finish = (token: string): void => {
        if (!token) return;
        waiting.delete(finish);
        clearTimeout(timer);
        resolve(token);
      };
      waiting.add(finish);
      const timer = setTimeout(() => finish(known), TOKEN_TIMEOUT_MS);
      model.send({ kind: "token" });
    });
  };
}

/** True while a value of the kernel is being set: ipywidgets locks the names it sets then. */
function isSetByKernel(event: readonly unknown[], name: string): boolean {
  const source = event[0] as { _state_lock?: Record<string, unknown> | null } | undefined;
  return source?._state_lock != null && name in source._state_lock;
}

/**
 * Keep the model's traits and the session's state equal.
 *
 * The traits follow the session without `save_changes`: the kernel hears from the server. A trait that
 * somebody else on the page changes (a linked slider) becomes a patch; what the kernel sets does not,
 * because the kernel tells the server itself, and what comes by the comm may be old.
 */
export function mirrorState(model: ViewerModel, session: Session, signal: AbortSignal): void {
  let isFollowing = false;
  const follow = (): void => {
    // The traits are those of the view that all see, also while this page looks elsewhere.
    if (!session.info || session.ownView.isOn) return;
    isFollowing = true;
    const traits = traitsOf(session.state, session.info);
    for (const name of Object.keys(traits) as (keyof StateTraits)[]) {
      if (!sameValue(model.get(name), traits[name])) model.set(name, traits[name]);
    }
    isFollowing = false;
  };
  const asked = (name: keyof StateTraits, event: readonly unknown[]): void => {
    if (isFollowing || !session.info || session.ownView.isOn) return;
    if (isSetByKernel(event, name)) return;
    const patch = patchOf(name, model.get(name), session.state, session.info);
    if (patch) session.patch(patch);
  };
  for (const name of MIRRORED) {
    onTrait(model, name, (...event) => asked(name, event), signal);
  }
  session.onState(follow, signal);
  session.onInfo(follow, signal);
}

/** Tell the session what the kernel says of its end and its errors. */
export function watchKernel(
  model: ViewerModel,
  session: { end(): void; setKernelError(error: SessionError | null): void },
  signal: AbortSignal,
): void {
  const failed = (): void => {
    const { code, message = "", hint = "" } = model.get("_error") ?? {};
    session.setKernelError(code ? { code, message, hint } : null);
  };
  const closed = (): void => {
    if (model.get("_closed")) session.end();
  };
  onTrait(model, "_error", failed, signal);
  onTrait(model, "_closed", closed, signal);
  failed();
  closed();
}
