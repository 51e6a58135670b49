/** Which key does what, and the table that `?` shows: the one place where bindings are written down. */

import { annotationRows } from "../annotations/help";
import { TALK_KEY } from "../call/keys";
import { labelRows } from "../labels/catalogue";
import type { MouseSet } from "./settings";

export type Tool = "navigate" | "crosshair" | "window" | "fence" | "annotate" | "labels";

export type Command =
  | { readonly do: "step"; readonly slices: number }
  | { readonly do: "first" | "last" | "goto" | "play" | "fit" | "reset" | "auto" }
  | {
      readonly do:
        | "help"
        | "fullscreen"
        | "picture"
        | "labels"
        | "overlays"
        | "bare"
        | "read"
        | "panel"
        | "maximise"
        | "layout"
        | "display"
        | "back"
        | "forward"
        | "escape"
        | "menu";
    }
  | { readonly do: "zoom"; readonly factor: number }
  | { readonly do: "pan"; readonly x: number; readonly y: number }
  | { readonly do: "window"; readonly factor: number; readonly shift: number }
  | { readonly do: "axis"; readonly axis: number }
  | { readonly do: "rotate"; readonly quarters: number }
  | { readonly do: "flip"; readonly side: "x" | "y" }
  | { readonly do: "tool"; readonly tool: Tool }
  | { readonly do: "centre" }
  | { readonly do: "point"; readonly x: number; readonly y: number }
  | { readonly do: "preset"; readonly index: number }
  | { readonly do: "speed"; readonly faster: boolean }
  | { readonly do: "time"; readonly steps: number }
  | { readonly do: "playtime" };

/** The parts of a KeyboardEvent that decide. */
export interface Key {
  readonly key: string;
  readonly code: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly isComposing: boolean;
}

/** Of the zoom, at one press. */
export const ZOOM_STEP = 1.25;
const WINDOW_STEP = 1.1;
/** Share of the window that the level moves by at one key press. */
const LEVEL_STEP = 0.05;

const PLAIN: Readonly<Record<string, Command>> = {
  ArrowDown: { do: "step", slices: 1 },
  ArrowRight: { do: "step", slices: 1 },
  ArrowUp: { do: "step", slices: -1 },
  ArrowLeft: { do: "step", slices: -1 },
  PageDown: { do: "step", slices: 10 },
  PageUp: { do: "step", slices: -10 },
  Home: { do: "first" },
  End: { do: "last" },
  "+": { do: "zoom", factor: ZOOM_STEP },
  "=": { do: "zoom", factor: ZOOM_STEP },
  "-": { do: "zoom", factor: 1 / ZOOM_STEP },
  "]": { do: "panel" },
  " ": { do: "play" },
  ",": { do: "speed", faster: false },
  ".": { do: "speed", faster: true },
  "<": { do: "time", steps: -1 },
  ">": { do: "time", steps: 1 },
  "\\": { do: "playtime" },
  "?": { do: "help" },
  Escape: { do: "escape" },
  ContextMenu: { do: "menu" },
  g: { do: "goto" },
  v: { do: "tool", tool: "navigate" },
  x: { do: "tool", tool: "crosshair" },
  c: { do: "centre" },
  w: { do: "tool", tool: "window" },
  W: { do: "display" },
  n: { do: "auto" },
  p: { do: "picture" },
  o: { do: "labels" },
  Q: { do: "overlays" },
  q: { do: "bare" },
  i: { do: "read" },
  f: { do: "fullscreen" },
  z: { do: "maximise" },
  l: { do: "layout" },
  r: { do: "rotate", quarters: 1 },
  h: { do: "flip", side: "x" },
  t: { do: "flip", side: "y" },
  u: { do: "back" },
  U: { do: "forward" },
};

const WINDOW_ARROWS: Readonly<Record<string, Command>> = {
  ArrowRight: { do: "window", factor: WINDOW_STEP, shift: 0 },
  ArrowLeft: { do: "window", factor: 1 / WINDOW_STEP, shift: 0 },
  ArrowUp: { do: "window", factor: 1, shift: LEVEL_STEP },
  ArrowDown: { do: "window", factor: 1, shift: -LEVEL_STEP },
};

const POINT_ARROWS: Readonly<Record<string, Command>> = {
  ArrowRight: { do: "point", x: 1, y: 0 },
  ArrowLeft: { do: "point", x: -1, y: 0 },
  ArrowUp: { do: "point", x: 0, y: -1 },
  ArrowDown: { do: "point", x: 0, y: 1 },
};

const TOOL_ARROWS: Readonly<Partial<Record<Tool, Readonly<Record<string, Command>>>>> = {
  window: WINDOW_ARROWS,
  crosshair: POINT_ARROWS,
};

const PAN_ARROWS: Readonly<Record<string, Command>> = {
  ArrowRight: { do: "pan", x: -1, y: 0 },
  ArrowLeft: { do: "pan", x: 1, y: 0 },
  ArrowUp: { do: "pan", x: 0, y: 1 },
  ArrowDown: { do: "pan", x: 0, y: -1 },
};

/** After the planes 1, 2 and 3. */
const FENCE_DIGIT = 4;

function digitCommand(digit: number, shift: boolean): Command | null {
  if (digit === 0) return shift ? { do: "reset" } : { do: "fit" };
  if (shift) return { do: "preset", index: digit - 1 };
  if (digit === FENCE_DIGIT) return { do: "tool", tool: "fence" };
  return digit <= 3 ? { do: "axis", axis: digit - 1 } : null;
}

function isCombination(event: Key): boolean {
  // AltGr, by which many keyboards make a bracket, is Ctrl and Alt to Windows.
  const isBracket = event.key === "]" && event.ctrlKey && event.altKey;
  return event.metaKey || (!isBracket && (event.ctrlKey || event.altKey));
}

/** What a key press means, or null if it means nothing here. */
export function commandOf(event: Key, tool: Tool): Command | null {
  if (event.isComposing || isCombination(event)) return null;
  if (event.shiftKey && event.key === "F10") return { do: "menu" };
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  // Digits by their place: Shift+1 prints "!" here and "1" on a French keyboard; AltGr+9 a bracket.
  if (digit && event.key !== "]") return digitCommand(Number(digit[1]), event.shiftKey);
  if (event.shiftKey && event.key in PAN_ARROWS) return PAN_ARROWS[event.key] ?? null;
  return TOOL_ARROWS[tool]?.[event.key] ?? plainCommand(event);
}

function plainCommand(event: Key): Command | null {
  if (event.shiftKey && /^(Page|Home|End|Escape| )/.test(event.key)) return null;
  // Capitals by Caps Lock mean their small letters.
  const name = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
  return PLAIN[name] ?? byPlace(event);
}

function byPlace(event: Key): Command | null {
  if (event.shiftKey) return null;
  if (event.code === "BracketRight") return PLAIN["]"] ?? null;
  return null;
}

/** Whether a key moves the slider that has the focus: that is left to the browser. */
export function movesSlider(target: EventTarget | undefined, event: Key): boolean {
  const isSlider = target instanceof HTMLInputElement && target.type === "range";
  const isHeld = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
  return isSlider && !isHeld && /^(Arrow|Page|Home$|End$)/.test(event.key);
}

/**
 * Must this key press stay from the notebook around us?
 *
 * Plain keys would cut, merge or run cells. Combinations with Ctrl, Cmd or Alt, Tab, Shift+Enter and
 * the function keys belong to the page and the browser.
 */
export function isOurs(event: Key): boolean {
  if (isCombination(event)) return false;
  if (event.key === "Tab" || (event.key === "Enter" && event.shiftKey)) return false;
  return !/^F\d+$/.test(event.key) || (event.key === "F10" && event.shiftKey);
}

export interface HelpRow {
  readonly action: string;
  readonly keys: readonly string[];
  /** Given: of such volumes only. */
  readonly only?: "seismic" | "time";
}

/** Rows of the help, in reading order. */
export function helpRows(
  axisTitles: readonly string[],
  mouse: MouseSet = "standard",
): readonly HelpRow[] {
  const asOhif = mouse === "radiology";
  return [
    { action: "Next, previous slice", keys: ["Wheel", "↑ ↓"] },
    { action: "Ten slices", keys: ["Shift + wheel", "PgUp PgDn"] },
    { action: "First, last", keys: ["Home", "End"] },
    { action: "Go to number", keys: ["G"] },
    { action: "Play; slower, faster", keys: ["Space", ",", "."] },
    { action: "Step in time; play time", keys: ["< >", "\\"], only: "time" },
    { action: axisTitles.join(", "), keys: ["1", "2", "3"] },
    {
      action: "Zoom at pointer",
      keys: [...(asOhif ? ["Right drag"] : []), "Ctrl + wheel", "+ −"],
    },
    { action: "Pan", keys: [asOhif ? "Middle drag" : "Drag", "Shift + arrows"] },
    { action: "Fit; undo stretch", keys: ["0", "0 again"] },
    { action: "Rotate to the right", keys: ["R"] },
    { action: "Flip: left to right, top to bottom", keys: ["H", "T"] },
    { action: "Earlier, later view", keys: ["U", "Shift + U"] },
    { action: "Window and level", keys: [asOhif ? "Drag" : "Right drag"] },
    { action: "Window tool", keys: ["W", "Arrows"] },
    { action: "Automatic window", keys: ["N"] },
    { action: "Window presets", keys: ["Shift + 1…9"] },
    { action: "Navigate", keys: ["V"] },
    { action: "Crosshair; again: off", keys: ["X"] },
    { action: "Move the crosshair", keys: ["Drag in X", "Arrows"] },
    { action: "Crosshair here; again: centre on it", keys: ["C"] },
    { action: "Crosshair follows", keys: ["Shift + move"] },
    { action: "Turn the other planes; by 15°", keys: ["Drag a handle", "Shift"] },
    { action: "Fence through points; end, last point back", keys: ["4", "Enter", "Backspace"] },
    ...annotationRows(),
    { action: "Segmentations: all off, on", keys: ["O"] },
    { action: "Overlays: off while held; all off, on", keys: ["Q", "Shift + Q"] },
    ...labelRows(),
    { action: "Be heard while it is held (left of 1)", keys: [TALK_KEY] },
    { action: "Save picture", keys: ["P"] },
    { action: "Read position and value aloud", keys: ["I"] },
    { action: "Fill the window, or one pane of several; back", keys: ["Z", "Double click"] },
    { action: "Next layout", keys: ["L"] },
    { action: "Density, wiggles, both", keys: ["Shift + W"], only: "seismic" },
    { action: "Full screen", keys: ["F"] },
    { action: "Side panel", keys: ["]"] },
    { action: "Menu", keys: ["Right click", "Shift + F10"] },
    { action: "Reset view", keys: ["Shift + 0"] },
    { action: "Leave the viewer", keys: ["Esc", "Tab"] },
  ];
}

export const TOUCH_ROWS: readonly HelpRow[] = [
  { action: "Slices", keys: ["Scroll", "One finger up, down"] },
  { action: "Pan and zoom", keys: ["Two fingers"] },
  { action: "Window and level", keys: ["Window", "One finger"] },
  { action: "Distance and others", keys: ["Measure", "Tap or drag"] },
  { action: "Menu", keys: ["Long press"] },
  { action: "Fit", keys: ["Double tap"] },
  { action: "Fill the window", keys: ["Tap on the slice's name"] },
];
