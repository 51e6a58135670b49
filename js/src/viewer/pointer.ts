/** Mouse, pen and fingers on the picture: which gesture it is, and what it does to the view. */
import type { Point } from "../geometry";
import type { ViewState } from "../protocol";
import type { Tool } from "./bindings";
import { clamp } from "./format";
import type { MouseSet } from "./settings";

/** Movement below this is a click. */
const CLICK_PX = 4;
const LONG_PRESS_MS = 500;
const DOUBLE_TAP_MS = 300;
const DOUBLE_CLICK_MS = 400;
/** A mouse may report a thousand times a second; more than one look in this time helps nobody. */
const RAW_APART_MS = 4;
const DOUBLE_TAP_PX = 24;
/** Dragging down by this much doubles the zoom. */
const DOUBLE_ZOOM_PX = 120;

/** What gestures need of the view; points are CSS pixels in the pane. */
export interface GestureTarget {
  readonly state: ViewState;
  readonly tool: Tool;
  readonly mouse: MouseSet;
  readonly pane: { readonly width: number; readonly height: number };
  readonly sliceIdx: number;
  readonly sliceCount: number;
  /** Unfocused, one finger belongs to the page. */
  readonly focused: boolean;
  focus(): void;
  goTo(slice: number): void;
  pan(from: ViewState, dx: number, dy: number): void;
  pinch(from: ViewState, factor: number, start: Point, now: Point): void;
  dragRange(from: ViewState, shareX: number, shareY: number, fine: boolean): void;
  fit(): void;
  maximise(): void;
  menu(at: Point): void;
  /** Put the crosshair here. */
  point(at: Point): void;
  /** A click or tap on a viewer in use, which moved nothing. */
  click(at: Point): void;
  /** The crosshair follows the pointer; null: no longer. */
  follow(at: Point | null): void;
  hover(at: Point | null): void;
}

export interface Press {
  readonly id: number;
  readonly type: string;
  readonly button: number;
  readonly at: Point;
  readonly shiftKey: boolean;
  readonly time: number;
}

type Drag = "point" | "pan" | "zoom" | "range" | "slices" | "none";

const TOUCH_DRAGS: Readonly<Record<Tool, Drag>> = {
  navigate: "slices",
  crosshair: "point",
  window: "range",
  fence: "none",
  annotate: "none",
  labels: "none",
};

interface Gesture {
  readonly drag: Drag;
  readonly start: Point;
  readonly state: ViewState;
  readonly slice: number;
  readonly button: number;
  /** The viewer had the focus before. */
  readonly wasFocused: boolean;
  moved: boolean;
}

interface Pinch {
  readonly a: number;
  readonly b: number;
  readonly centre: Point;
  readonly spread: number;
  readonly state: ViewState;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

/** The gesture in progress, free of the DOM: `trackPointers` feeds it. */
export class Gestures {
  private readonly pressed = new Map<number, Point>();
  private gesture: Gesture | null = null;
  private pinch: Pinch | null = null;
  private longPress: ReturnType<typeof setTimeout> | undefined;
  private lastTap: { at: Point; time: number } | null = null;
  /** Where Shift was found held: a hand that turns the wheel meanwhile moves a little. */
  private followFrom: Point | null = null;

  constructor(private readonly target: GestureTarget) {}

  get active(): boolean {
    return this.gesture !== null || this.pinch !== null;
  }

  down(press: Press): void {
    const isTouch = press.type === "touch";
    this.pressed.set(press.id, press.at);
    if (isTouch && this.pressed.size === 2) {
      this.startPinch();
      return;
    }
    if (this.pressed.size > 1) return; // a palm, or a second button of the mouse
    const wasFocused = this.target.focused;
    const mayDrag = !isTouch || wasFocused;
    if (!isTouch) this.target.focus();
    this.gesture = {
      drag: mayDrag ? this.dragOf(press, isTouch) : "none",
      start: press.at,
      state: this.target.state,
      slice: this.target.sliceIdx,
      button: press.button,
      wasFocused,
      moved: false,
    };
    if (isTouch) this.longPress = setTimeout(() => this.pressedLong(press.at), LONG_PRESS_MS);
    else if (this.gesture.drag === "point") this.target.point(press.at);
  }

  private dragOf(press: Press, isTouch: boolean): Drag {
    if (isTouch) return TOUCH_DRAGS[this.target.tool];
    if (press.button === 1) return "pan";
    const asOhif = this.target.mouse === "radiology";
    if (press.button === 2) return asOhif ? "zoom" : "range";
    if (press.button !== 0) return "none";
    if (this.target.tool === "crosshair" && !press.shiftKey) return "point";
    const isRange = asOhif || this.target.tool === "window";
    return isRange && !press.shiftKey ? "range" : "pan";
  }

  move(id: number, at: Point, fine: boolean): void {
    if (!this.pressed.has(id)) {
      if (!this.active) this.hover(at, fine);
      return;
    }
    this.pressed.set(id, at);
    if (this.pinch) this.movePinch(this.pinch);
    else if (this.gesture) this.moveDrag(this.gesture, at, fine);
  }

  private hover(at: Point, follows: boolean): void {
    this.target.hover(at);
    if (!follows || !this.target.focused) {
      this.followFrom = null;
      this.target.follow(null);
      return;
    }
    this.followFrom ??= at;
    if (distance(at, this.followFrom) < CLICK_PX) return;
    this.followFrom = { x: Number.POSITIVE_INFINITY, y: 0 };
    this.target.follow(at);
  }

  private moveDrag(gesture: Gesture, at: Point, fine: boolean): void {
    const dx = at.x - gesture.start.x;
    const dy = at.y - gesture.start.y;
    const isNear = !gesture.moved && Math.hypot(dx, dy) < CLICK_PX;
    if (isNear && gesture.drag !== "point") return;
    gesture.moved = !isNear;
    clearTimeout(this.longPress);
    const { target } = this;
    if (gesture.drag === "pan") target.pan(gesture.state, dx, dy);
    else if (gesture.drag === "zoom") {
      target.pinch(gesture.state, 2 ** (dy / DOUBLE_ZOOM_PX), gesture.start, gesture.start);
    } else if (gesture.drag === "range") {
      target.dragRange(gesture.state, dx / target.pane.width, dy / target.pane.width, fine);
    } else if (gesture.drag === "point") {
      target.point(at);
    } else if (gesture.drag === "slices") {
      // The whole stack in one stroke where it is short; never so fine that a finger cannot hold it.
      const pixels = clamp(target.pane.height / target.sliceCount, 3, 16);
      target.goTo(gesture.slice + Math.trunc(dy / pixels));
    }
    target.hover(at);
  }

  up(id: number, at: Point, time: number, type: string): void {
    if (!this.pressed.delete(id)) return;
    clearTimeout(this.longPress);
    if (this.pinch) {
      // The finger that stays must not jump into a drag: all fingers have to leave.
      if (this.pressed.size === 0) this.pinch = null;
      return;
    }
    const gesture = this.gesture;
    this.gesture = null;
    if (!gesture || gesture.moved) return;
    if (gesture.button === 2) this.target.menu(at);
    else if (type === "touch") this.tapped(at, time, gesture.wasFocused);
    else if (gesture.button === 0) this.clicked(at, time, gesture.wasFocused);
  }

  private clicked(at: Point, time: number, wasFocused: boolean): void {
    if (this.isSecond(at, time, DOUBLE_CLICK_MS, CLICK_PX)) this.target.maximise();
    else if (wasFocused) this.target.click(at);
  }

  /** The browser took the gesture (scrolling the page) or the window lost it. */
  cancel(id: number): void {
    this.pressed.delete(id);
    clearTimeout(this.longPress);
    if (this.pressed.size === 0) this.pinch = null;
    this.gesture = null;
  }

  leave(): void {
    this.release();
    if (!this.active) this.target.hover(null);
  }

  /** Shift was let go, or the pointer is elsewhere. */
  release(): void {
    this.followFrom = null;
    this.target.follow(null);
  }

  private tapped(at: Point, time: number, wasFocused: boolean): void {
    const isDouble = this.isSecond(at, time, DOUBLE_TAP_MS, DOUBLE_TAP_PX);
    this.target.focus();
    this.target.hover(at);
    if (this.target.tool === "crosshair") this.target.point(at);
    else if (wasFocused && !isDouble) this.target.click(at);
    if (isDouble && !this.isDrawing) this.target.fit();
  }

  /** A finger that draws neither fits nor opens the menu. */
  private get isDrawing(): boolean {
    return this.target.tool === "annotate" || this.target.tool === "labels";
  }

  /** Whether this is the second of two quick taps or clicks in one place. */
  private isSecond(at: Point, time: number, withinMs: number, withinPx: number): boolean {
    const last = this.lastTap;
    const isIt = last !== null && time - last.time < withinMs && distance(at, last.at) <= withinPx;
    this.lastTap = isIt ? null : { at, time };
    return isIt;
  }

  private pressedLong(at: Point): void {
    if (!this.gesture || this.gesture.moved || this.isDrawing) return;
    this.gesture = null;
    this.target.focus();
    this.target.menu(at);
  }

  private startPinch(): void {
    clearTimeout(this.longPress);
    this.gesture = null;
    const [first, second] = [...this.pressed.entries()];
    if (!first || !second) return;
    this.pinch = {
      a: first[0],
      b: second[0],
      centre: middle(first[1], second[1]),
      spread: Math.max(distance(first[1], second[1]), 1),
      state: this.target.state,
    };
  }

  private movePinch(pinch: Pinch): void {
    const a = this.pressed.get(pinch.a);
    const b = this.pressed.get(pinch.b);
    if (!a || !b) return;
    const factor = Math.max(distance(a, b), 1) / pinch.spread;
    this.target.pinch(pinch.state, factor, pinch.centre, middle(a, b));
  }
}

/** Is it about a button, or a message to read and copy, that lies over the picture? */
function isControl(event: Event): boolean {
  const [target] = event.composedPath();
  return target instanceof Element && target.closest("button, .message") !== null;
}

/** Feed a pane's pointer events to `gestures`, with pointer capture. */
export function trackPointers(pane: HTMLElement, gestures: Gestures, signal: AbortSignal): void {
  const at = (event: PointerEvent): Point => {
    const box = pane.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const on = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ): void => pane.addEventListener(type, listener as EventListener, { signal });
  on("pointerdown", (event) => {
    if (isControl(event)) return; // capture would take its click away
    const { pointerId: id, pointerType: type, button, shiftKey, timeStamp: time } = event;
    if (pane.isConnected) pane.setPointerCapture(id);
    gestures.down({ id, type, button, at: at(event), shiftKey, time });
  });
  on("pointermove", (event) => gestures.move(event.pointerId, at(event), event.shiftKey));
  // Browsers hold `pointermove` until the animation frame; where a drag is now comes half a refresh
  // earlier this way. Not on pages that are not https, and not in every browser: hence both.
  let rawMs = Number.NEGATIVE_INFINITY;
  on("pointerrawupdate" as "pointermove", (event) => {
    if (!gestures.active || event.timeStamp - rawMs < RAW_APART_MS) return;
    rawMs = event.timeStamp;
    gestures.move(event.pointerId, at(event), event.shiftKey);
  });
  on("pointerup", (event) =>
    gestures.up(event.pointerId, at(event), event.timeStamp, event.pointerType),
  );
  on("pointercancel", (event) => gestures.cancel(event.pointerId));
  // A finger that was lifted has pointed at something, and that is still meant.
  on("pointerleave", (event) => {
    if (event.pointerType !== "touch") gestures.leave();
  });
  const released = (event: KeyboardEvent): void => {
    if (event.key === "Shift") gestures.release();
  };
  window.addEventListener("keyup", released, { signal, capture: true });
  // The middle button would start the browser's own scrolling, a left drag the selection of text.
  on("mousedown", (event) => {
    if (!isControl(event)) event.preventDefault();
  });
  on("dragstart", (event) => event.preventDefault());
  on("contextmenu", (event) => {
    event.preventDefault();
    event.stopPropagation(); // JupyterLab would open the menu of the cell
  });
}
