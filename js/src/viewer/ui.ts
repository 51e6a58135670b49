/** What the user is doing: kept by the page alone, some of it once for the viewer, some for each pane. */
import type { Point } from "../geometry";
import type { Place } from "../pointing";
import type { FrameHeader } from "../protocol";
import type { ProbedValue } from "../session";
import type { Voxel } from "./axes";
import type { Tool } from "./bindings";
import type { Pane } from "./camera";

/** Which floating part is open; one at a time. */
export type Open =
  | ""
  | "window"
  | "planes"
  | "layouts"
  | "plane"
  | "channels"
  | "picture"
  | "zoom"
  | "more"
  | "settings"
  | "context"
  | "annotate"
  | "measure"
  | "tools"
  | "share"
  | "chat"
  | "help";

/** "goto": put the focus into the number; "focus": onto the picture; "maximise": give a pane all the room, or take it back. */
export type Asked = "goto" | "focus" | "maximise";

/** What the pointer is over. */
export interface Cursor {
  readonly voxel: Voxel;
  /** CSS pixels in the pane. */
  readonly at: Point;
}

/** What there is once for every pane. */
export interface PaneUi {
  /** Header of the picture on screen: what labels say of the picture comes from here. */
  readonly shown: FrameHeader | null;
  /** The picture on screen has the newest window, level and colours, although it was drawn in others. */
  readonly recoloured: boolean;
  readonly pane: Pane;
  readonly cursor: Cursor | null;
}

/** What there is once for the viewer. */
export interface SharedUi {
  readonly tool: Tool;
  /** Points of the fence that is picked, indices along the horizontal axes; null: none is. */
  readonly fence: readonly (readonly [number, number])[] | null;
  readonly open: Open;
  /** Where the context menu was asked for, CSS pixels in the viewer. */
  readonly menuAt: Point | null;
  /** Where the crosshair follows the pointer while Shift is held; it is gone with the key. */
  readonly follows: Voxel | null;
  /** Where the pointer of a linked viewer is; indices, fractional. */
  readonly linked: Place;
  readonly value: ProbedValue | null;
  readonly notice: { readonly message: string; readonly hint: string } | null;
  /** "Click the picture to scroll slices" is on screen. */
  readonly hint: "" | "wheel" | "touch";
  readonly focused: boolean;
  readonly fullScreen: boolean;
  /** The viewer fills the browser's window. */
  readonly maximised: boolean;
  /** The side panel is open. */
  readonly panel: boolean;
  /** There is room for one pane only: the others come by a switch. */
  readonly compact: boolean;
  readonly withLabels: boolean;
  /** The worker died and is back, a moment ago. */
  readonly restarted: boolean;
}

export type Ui = SharedUi & PaneUi;

export const SHARED_START: SharedUi = {
  tool: "navigate",
  fence: null,
  open: "",
  menuAt: null,
  follows: null,
  linked: null,
  value: null,
  notice: null,
  hint: "",
  focused: false,
  fullScreen: false,
  maximised: false,
  panel: false,
  compact: false,
  withLabels: true,
  restarted: false,
};

export const PANE_START: PaneUi = {
  shown: null,
  recoloured: false,
  pane: { width: 640, height: 480, pixelRatio: 1 },
  cursor: null,
};

/** The part of a change that concerns one pane, and the part that concerns all; null: there is none. */
export function split(change: Partial<Ui>): [Partial<PaneUi> | null, Partial<SharedUi> | null] {
  const own: Record<string, unknown> = {};
  const shared: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(change)) {
    (key in PANE_START ? own : shared)[key] = value;
  }
  const orNull = <T>(part: Record<string, unknown>): Partial<T> | null =>
    Object.keys(part).length > 0 ? (part as Partial<T>) : null;
  return [orNull<PaneUi>(own), orNull<SharedUi>(shared)];
}
