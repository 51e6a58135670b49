/** The view's state as the browser sees it: the server's, with what the hand did since laid over it. */
import { shownPanes, viewOfPane } from "./panes";
import { MessageType, type ViewerMessage, type ViewPatch, type ViewState } from "./protocol";

type Field = keyof ViewPatch;

interface Pending {
  readonly value: ViewPatch[Field];
  /** Number of the message that carried it; null while it was not sent. */
  seq: number | null;
}

/** Shown until the server has told its state. */
export const NOTHING_YET: ViewState = {
  revision: 0,
  axis: 0,
  slice_idx: [0, 0, 0],
  time_idx: 0,
  channel: 0,
  window: 1,
  level: 0.5,
  colormap: "grey",
  reverse: false,
  below_color: "",
  above_color: "",
  no_value_color: "",
  label_style: "",
  zoom: 1,
  pan: [0.5, 0.5],
  stretch: 1,
  interpolate: true,
  north_up: false,
  rotation: 0,
  flip_x: false,
  flip_y: false,
  slab: 1,
  slab_mode: "max",
  display: "density",
  wiggle_excursion: 1,
  wiggle_fill: true,
  wiggle_polarity: "normal",
  section: null,
  crosshair: false,
  segmentations: [],
  show_segmentations: true,
  overlays: [],
  show_overlays: true,
  width_px: 960,
  height_px: 540,
  layout: "single",
  panes: [],
  pane_sizes: [],
  active: 0,
  linked: true,
  maximised: false,
  columns: [],
  rows: [],
};

/**
 * What the page cannot know before the server: the panes that a layout opens with. Until then the view
 * stays as it is.
 */
const BY_THE_SERVER: ReadonlySet<Field> = new Set(["layout"]);

/** Fields that say which panes there are, not what a picture shows. */
const OF_PANES: ReadonlySet<string> = new Set([
  "layout",
  "panes",
  "pane_sizes",
  "active",
  "linked",
  "maximised",
  "columns",
  "rows",
]);

/** Equality of two field values: numbers, strings, booleans, or lists and objects of them. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  }
  if (a === b || typeof a !== "object" || typeof b !== "object" || !a || !b) return Object.is(a, b);
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => sameValue(left[name], right[name]))
  );
}

/** The same but for the last digits, which the server may compute in another way. */
function isNearly(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.every((item, i) => isNearly(item, b[i]));
  if (typeof a !== "number" || typeof b !== "number") return sameValue(a, b);
  return Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));
}

/** The revision is left out: nothing that is shown depends on it. */
function sameState(a: ViewState, b: ViewState): boolean {
  return (Object.keys(a) as (keyof ViewState)[]).every(
    (field) => field === "revision" || sameValue(a[field], b[field]),
  );
}

/** The state `now`, with lists and objects of `before` where they say the same: who draws compares those. */
function withParts(now: ViewState, before: ViewState): ViewState {
  const same = (Object.keys(now) as (keyof ViewState)[]).filter(
    (field) => now[field] !== before[field] && sameValue(now[field], before[field]),
  );
  return { ...now, ...Object.fromEntries(same.map((field) => [field, before[field]])) };
}

/** Both give the same picture: only the crosshair, or a slice that is not shown, is another one. */
export function samePicture(a: ViewState, b: ViewState): boolean {
  if (a.panes.length === 0 && b.panes.length === 0) return samePane(a, b);
  const [shown, others] = [shownPanes(a), shownPanes(b)];
  return (
    sameValue(shown, others) &&
    shown.every((index) => samePane(viewOfPane(a, index), viewOfPane(b, index)))
  );
}

function samePane(a: ViewState, b: ViewState): boolean {
  return (Object.keys(a) as (keyof ViewState)[]).every(
    (field) =>
      field === "revision" ||
      OF_PANES.has(field) ||
      field === "crosshair" ||
      (field === "slice_idx"
        ? a.slice_idx[a.axis] === b.slice_idx[b.axis]
        : sameValue(a[field], b[field])),
  );
}

/**
 * Holds what was changed here until the server acknowledges it.
 *
 * Each message carries every change that is not acknowledged, so one that is lost, or overtaken by a
 * newer one, costs nothing.
 */
export class ViewStore {
  #server: ViewState = NOTHING_YET;
  #state: ViewState = NOTHING_YET;
  #seq = 0;
  #pictureRevision = 0;
  readonly #pending = new Map<Field, Pending>();
  /** What the server will say in a moment, because a linked view was moved here. Never sent. */
  readonly #foreseen = new Map<Field, ViewPatch[Field]>();

  get state(): ViewState {
    return this.#state;
  }

  /** The server's state, without the changes it has not acknowledged. */
  get server(): ViewState {
    return this.#server;
  }

  /** The newest revision that a picture is due for: no picture comes for a crosshair. */
  get pictureRevision(): number {
    return this.#pictureRevision;
  }

  /** A picture will come for what is not in the server's state yet. */
  get awaitsPicture(): boolean {
    return !samePicture(this.#state, this.#server);
  }

  /** Some change was not sent yet. */
  get hasUnsent(): boolean {
    return [...this.#pending.values()].some((change) => change.seq === null);
  }

  /** Some change is not in the server's state yet. */
  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /** Lay changes over the state; false if they change nothing. */
  patch(patch: ViewPatch): boolean {
    let changed = false;
    for (const [field, value] of Object.entries(patch) as [Field, ViewPatch[Field]][]) {
      if (value === undefined || sameValue(value, this.#state[field])) continue;
      this.#foreseen.delete(field);
      this.#pending.set(field, { value, seq: null });
      changed = true;
    }
    if (changed) this.#merge();
    return changed;
  }

  /** Lay over the state what the server is about to say; false if that changes nothing. */
  foresee(patch: ViewPatch): boolean {
    for (const [field, value] of Object.entries(patch) as [Field, ViewPatch[Field]][]) {
      this.#foreseen.set(field, value);
    }
    return this.#merge();
  }

  /** The server said something else, or nothing; false if nothing changed. */
  forgetForeseen(): boolean {
    this.#foreseen.clear();
    return this.#merge();
  }

  /** The message that carries all changes of now; null if there are none. */
  takeMessage(): (ViewerMessage & { readonly seq: number }) | null {
    if (this.#pending.size === 0) return null;
    this.#seq += 1;
    for (const change of this.#pending.values()) change.seq = this.#seq;
    return this.#message(this.#seq);
  }

  /** Take the server's state, which contains our messages up to `seq`; false if nothing changed. */
  confirm(seq: number, state: ViewState): boolean {
    for (const [field, change] of this.#pending) {
      if (change.seq !== null && change.seq <= seq) this.#pending.delete(field);
    }
    return this.#adopt(state);
  }

  /** Take the state of a new connection, which knows none of our messages: all go out again. */
  restart(state: ViewState): boolean {
    for (const change of this.#pending.values()) change.seq = null;
    this.#pictureRevision = state.revision;
    return this.#adopt(state);
  }

  /** Give up what the server refused; false if nothing changed. */
  discard(): boolean {
    this.#pending.clear();
    return this.#merge();
  }

  #adopt(state: ViewState): boolean {
    if (!samePicture(state, this.#server)) this.#pictureRevision = state.revision;
    this.#server = withParts(state, this.#server);
    for (const [field, value] of this.#foreseen) {
      if (isNearly(value, state[field])) this.#foreseen.delete(field);
    }
    return this.#merge();
  }

  #merge(): boolean {
    const changes = [...this.#pending]
      .filter(([field]) => !BY_THE_SERVER.has(field))
      .map(([field, change]) => [field, change.value]);
    const foreseen = Object.fromEntries(this.#foreseen);
    const merged: ViewState = { ...this.#server, ...foreseen, ...Object.fromEntries(changes) };
    const isNews = !sameState(merged, this.#state);
    if (isNews || merged.revision !== this.#state.revision) this.#state = merged;
    return isNews;
  }

  #message(seq: number): ViewerMessage & { readonly seq: number } {
    const { axis, slice_idx, zoom, pan, window, level } = this.#state;
    const only = (...fields: Field[]): boolean =>
      [...this.#pending.keys()].every((field) => fields.includes(field));
    if (only("axis", "slice_idx") && this.#changesOneAxis()) {
      return { type: MessageType.CHANGE_SLICE, seq, axis, slice_idx: slice_idx[axis] ?? 0 };
    }
    if (only("zoom", "pan")) return { type: MessageType.ZOOM_PAN, seq, zoom, pan };
    if (only("window", "level")) return { type: MessageType.WINDOW_LEVEL, seq, window, level };
    const changes = [...this.#pending].map(([field, change]) => [field, change.value]);
    return { type: MessageType.VIEW_SYNC, seq, ...Object.fromEntries(changes) };
  }

  #changesOneAxis(): boolean {
    const { axis, slice_idx } = this.#state;
    return slice_idx.every((idx, a) => a === axis || idx === this.#server.slice_idx[a]);
  }
}
