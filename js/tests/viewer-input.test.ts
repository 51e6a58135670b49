import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { commandOf, isOurs, type Key } from "../src/viewer/bindings";
import { Gestures, type GestureTarget, type Press } from "../src/viewer/pointer";
import { GestureLock, SliceWheel, zoomFactorOf } from "../src/viewer/wheel";
import { STATE } from "./fakes";

function key(name: string, change: Partial<Key> = {}): Key {
  const plain = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };
  return { key: name, code: "", isComposing: false, ...plain, ...change };
}

const wheelOf = (deltaY: number, change = {}) => ({
  deltaX: 0,
  deltaY,
  deltaMode: 0,
  shiftKey: false,
  ...change,
});

describe("keys", () => {
  it.each([
    ["ArrowDown", { do: "step", slices: 1 }],
    ["ArrowLeft", { do: "step", slices: -1 }],
    ["PageDown", { do: "step", slices: 10 }],
    ["Home", { do: "first" }],
    ["+", { do: "zoom", factor: 1.25 }],
    ["N", { do: "auto" }],
    ["n", { do: "auto" }],
    ["?", { do: "help" }],
  ])("%s", (name, command) => {
    expect(commandOf(key(name), "navigate")).toEqual(command);
  });

  it("reads digits by their place, so that Shift+1 is a preset on every keyboard", () => {
    expect(commandOf(key("2", { code: "Digit2" }), "navigate")).toEqual({ do: "axis", axis: 1 });
    const shifted = key("!", { code: "Digit1", shiftKey: true });
    expect(commandOf(shifted, "navigate")).toEqual({ do: "preset", index: 0 });
    const azerty = key("é", { code: "Digit2" });
    expect(commandOf(azerty, "navigate")).toEqual({ do: "axis", axis: 1 });
  });

  it("moves the window with the arrows while the window tool is in hand", () => {
    expect(commandOf(key("ArrowRight"), "window")).toMatchObject({ do: "window", shift: 0 });
    expect(commandOf(key("ArrowUp"), "window")).toMatchObject({ do: "window", factor: 1 });
    expect(commandOf(key("PageDown"), "window")).toMatchObject({ do: "step" });
  });

  it("moves the crosshair with the arrows while its tool is in hand", () => {
    expect(commandOf(key("ArrowLeft"), "crosshair")).toEqual({ do: "point", x: -1, y: 0 });
    expect(commandOf(key("ArrowDown"), "crosshair")).toEqual({ do: "point", x: 0, y: 1 });
    expect(commandOf(key("PageDown"), "crosshair")).toMatchObject({ do: "step" });
  });

  it("finds the side panel's key by its place where brackets need AltGr", () => {
    expect(commandOf(key("]"), "navigate")).toEqual({ do: "panel" });
    expect(commandOf(key("+", { code: "BracketRight" }), "navigate")).toMatchObject({ do: "zoom" });
    expect(commandOf(key("¨", { code: "BracketRight" }), "navigate")).toEqual({ do: "panel" });
    const byAltGr = key("]", { code: "Digit9", ctrlKey: true, altKey: true });
    expect(commandOf(byAltGr, "navigate")).toEqual({ do: "panel" });
    expect(isOurs(byAltGr)).toBe(true);
    expect(isOurs(key("]", { ctrlKey: true }))).toBe(false);
  });

  it("pans with Shift and arrows", () => {
    const left = key("ArrowLeft", { shiftKey: true });
    expect(commandOf(left, "window")).toEqual({ do: "pan", x: 1, y: 0 });
  });

  it.each(["s", "c", "Backspace", "+", "0", "ArrowDown"])(
    "leaves Ctrl, Cmd and Alt with %s to the page and the browser",
    (name) => {
      for (const held of ["ctrlKey", "metaKey", "altKey"] as const) {
        expect(commandOf(key(name, { [held]: true }), "navigate")).toBeNull();
        expect(isOurs(key(name, { [held]: true }))).toBe(false);
      }
    },
  );

  it.each(["x", "d", "a", "b", "m", "z", "y", "Enter", "ArrowDown", "Backspace"])(
    "keeps the plain key %s from the notebook",
    (name) => {
      expect(isOurs(key(name))).toBe(true);
    },
  );

  it("leaves Tab, Shift+Enter and the function keys alone", () => {
    expect(isOurs(key("Tab"))).toBe(false);
    expect(isOurs(key("Tab", { shiftKey: true }))).toBe(false);
    expect(isOurs(key("Enter", { shiftKey: true }))).toBe(false);
    expect(isOurs(key("F5"))).toBe(false);
  });

  it("means nothing while an input method composes", () => {
    expect(commandOf(key("n", { isComposing: true }), "navigate")).toBeNull();
  });
});

describe("wheel", () => {
  it("goes one slice a notch, whatever the browser calls a notch", () => {
    const wheel = new SliceWheel();
    const notches = [wheelOf(100), wheelOf(120), wheelOf(-120), wheelOf(3, { deltaMode: 1 })];
    expect(notches.map((event) => wheel.slices(event))).toEqual([1, 1, -1, 1]);
  });

  it("adds up several notches that came in one event", () => {
    expect(new SliceWheel().slices(wheelOf(360))).toBe(3);
  });

  it("collects trackpad travel and loses none of it", () => {
    const wheel = new SliceWheel();
    const slices = Array.from({ length: 25 }, () => wheel.slices(wheelOf(4)));
    expect(slices.reduce((sum, n) => sum + n, 0)).toBe(5);
    expect(Math.max(...slices)).toBe(1);
  });

  it("answers at once when the fingers turn round", () => {
    const wheel = new SliceWheel();
    wheel.slices(wheelOf(19));
    expect(wheel.slices(wheelOf(-20))).toBe(-1);
  });

  it("goes ten slices with Shift, also where Shift makes it horizontal", () => {
    const sideways = { deltaX: 100, deltaY: 0, deltaMode: 0, shiftKey: true };
    expect(new SliceWheel().slices(sideways)).toBe(10);
  });

  it("zooms in upwards, by as much as it zooms out downwards", () => {
    expect(zoomFactorOf(wheelOf(-120))).toBeGreaterThan(1);
    expect(zoomFactorOf(wheelOf(-120)) * zoomFactorOf(wheelOf(120))).toBeCloseTo(1);
    expect(zoomFactorOf(wheelOf(-3)) * zoomFactorOf(wheelOf(3))).toBeCloseTo(1);
  });

  it("keeps a gesture with who had it when it began", () => {
    const lock = new GestureLock();
    lock.elsewhere(0);
    expect(lock.over(100, true)).toBe(false); // the page still scrolls
    expect(lock.over(240, true)).toBe(false);
    expect(lock.over(400, true)).toBe(true); // after a pause it is a new gesture
    expect(lock.over(500, false)).toBe(true);
  });

  it("starts anew after a click", () => {
    const lock = new GestureLock();
    lock.over(0, false);
    lock.release();
    expect(lock.over(50, true)).toBe(true);
  });
});

type Done = [string, ...unknown[]];

class Hand implements GestureTarget {
  readonly done: Done[] = [];
  state = STATE;
  tool: GestureTarget["tool"] = "navigate";
  mouse: GestureTarget["mouse"] = "standard";
  pane = { width: 400, height: 300 };
  sliceIdx = 50;
  sliceCount = 100;
  focused = true;
  private note(...what: Done): void {
    this.done.push(what);
  }
  focus = () => this.note("focus");
  goTo = (slice: number) => this.note("goTo", slice);
  pan = (_: unknown, dx: number, dy: number) => this.note("pan", dx, dy);
  pinch = (_: unknown, factor: number) => this.note("pinch", factor);
  dragRange = (_: unknown, x: number, y: number, fine: boolean) => this.note("range", x, y, fine);
  fit = () => this.note("fit");
  maximise = () => this.note("maximise");
  point = ({ x, y }: { x: number; y: number }) => this.note("point", x, y);
  clicks: number[] = [];
  click = ({ x }: { x: number; y: number }) => {
    this.clicks.push(x);
  };
  follow = (at: { x: number; y: number } | null) => at && this.note("follow", at.x, at.y);
  menu = () => this.note("menu");
  hover = () => {};
  names = () => this.done.map(([name]) => name);
}

function press(change: Partial<Press> = {}): Press {
  return {
    id: 1,
    type: "mouse",
    button: 0,
    at: { x: 100, y: 100 },
    shiftKey: false,
    time: 0,
    ...change,
  };
}

describe("pointer", () => {
  let hand: Hand;
  let gestures: Gestures;
  beforeEach(() => {
    vi.useFakeTimers();
    hand = new Hand();
    gestures = new Gestures(hand);
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const drag = (start: Partial<Press>, x: number, y: number): void => {
    gestures.down(press(start));
    gestures.move(start.id ?? 1, { x: 100 + x, y: 100 + y }, false);
    gestures.up(start.id ?? 1, { x: 100 + x, y: 100 + y }, 100, start.type ?? "mouse");
  };

  it("tells a click on a viewer in use from a drag, and from the click that brings the focus", () => {
    const click = () => drag({}, 0, 0);
    hand.focused = false;
    click();
    expect(hand.clicks).toEqual([]);
    hand.focused = true;
    vi.advanceTimersByTime(1000);
    gestures = new Gestures(hand);
    click();
    drag({}, 30, 10);
    expect(hand.clicks).toEqual([100]);
  });

  it("pans with the left button and, in every tool, with the middle one", () => {
    drag({}, 30, 10);
    hand.tool = "window";
    drag({ button: 1 }, -30, 0);
    expect(hand.done.filter(([name]) => name === "pan")).toEqual([
      ["pan", 30, 10],
      ["pan", -30, 0],
    ]);
  });

  it("moves window and level with the right button, by shares of the pane's width", () => {
    drag({ button: 2 }, 40, -20);
    expect(hand.done).toContainEqual(["range", 0.1, -0.05, false]);
    expect(hand.names()).not.toContain("menu");
  });

  it("opens the menu on a right click that did not move", () => {
    drag({ button: 2 }, 2, 2);
    expect(hand.names()).toEqual(["focus", "menu"]);
  });

  it("moves window and level with the left button in the window tool, and pans with Shift", () => {
    hand.tool = "window";
    drag({}, 40, 0);
    drag({ shiftKey: true }, 40, 0);
    expect(hand.names()).toEqual(["focus", "range", "focus", "pan"]);
  });

  it("has OHIF's buttons where the user wants them: left window, middle pan, right zoom", () => {
    hand.mouse = "radiology";
    drag({}, 40, 0);
    drag({ button: 1 }, 40, 0);
    drag({ button: 2 }, 0, 120);
    drag({ button: 2 }, 0, 0);
    drag({ shiftKey: true }, 40, 0);
    expect(hand.done.filter(([name]) => name !== "focus")).toEqual([
      ["range", 0.1, 0, false],
      ["pan", 40, 0],
      ["pinch", 2],
      ["menu"],
      ["pan", 40, 0],
    ]);
  });

  it("puts the crosshair where it presses, and takes it along from the first pixel", () => {
    hand.tool = "crosshair";
    gestures.down(press());
    gestures.move(1, { x: 101, y: 100 }, false);
    gestures.move(1, { x: 140, y: 100 }, false);
    gestures.up(1, { x: 140, y: 100 }, 100, "mouse");
    drag({ button: 1 }, 30, 0);
    expect(hand.done.filter(([name]) => name !== "focus")).toEqual([
      ["point", 100, 100],
      ["point", 101, 100],
      ["point", 140, 100],
      ["pan", 30, 0],
    ]);
  });

  it("lets the crosshair follow while Shift is held, once the hand really moves", () => {
    gestures.move(1, { x: 100, y: 100 }, true);
    gestures.move(1, { x: 102, y: 100 }, true); // as a hand does that turns the wheel
    expect(hand.done).toEqual([]);
    gestures.move(1, { x: 110, y: 100 }, true);
    gestures.move(1, { x: 111, y: 100 }, true);
    gestures.release();
    gestures.move(1, { x: 150, y: 100 }, false);
    expect(hand.done).toEqual([
      ["follow", 110, 100],
      ["follow", 111, 100],
    ]);
    hand.focused = false;
    gestures.move(1, { x: 160, y: 100 }, true);
    gestures.move(1, { x: 190, y: 100 }, true);
    expect(hand.done.length).toBe(2);
  });

  it("fills the window on a double click in one place, not on two clicks", () => {
    const click = (x: number, time: number): void => {
      gestures.down(press({ at: { x, y: 100 }, time }));
      gestures.up(1, { x, y: 100 }, time + 20, "mouse");
    };
    click(100, 0);
    click(140, 200);
    click(140, 1000);
    expect(hand.names()).not.toContain("maximise");
    click(140, 1200);
    expect(hand.names().filter((name) => name === "maximise")).toEqual(["maximise"]);
    click(140, 1300);
    expect(hand.names().filter((name) => name === "maximise").length).toBe(1);
  });

  it("moves the crosshair with one finger, or to a tap", () => {
    hand.tool = "crosshair";
    drag({ type: "touch" }, 20, 0);
    gestures.down(press({ type: "touch", time: 2000 }));
    gestures.up(1, { x: 100, y: 100 }, 2050, "touch");
    expect(hand.done.filter(([name]) => name === "point")).toEqual([
      ["point", 120, 100],
      ["point", 100, 100],
    ]);
  });

  it("scrolls slices with one finger only once the viewer has the focus", () => {
    hand.focused = false;
    drag({ type: "touch" }, 0, 60);
    expect(hand.done).toEqual([]);
    hand.focused = true;
    drag({ type: "touch" }, 0, 60);
    expect(hand.done).toEqual([["goTo", 70]]); // 300 px for 100 slices: 3 px each
  });

  it("pinches with two fingers about their spread, and waits for both to leave", () => {
    const finger = (id: number, x: number) => press({ id, type: "touch", at: { x, y: 100 } });
    gestures.down(finger(1, 100));
    gestures.down(finger(2, 200));
    gestures.move(2, { x: 300, y: 100 }, false);
    gestures.up(2, { x: 300, y: 100 }, 50, "touch");
    gestures.move(1, { x: 100, y: 250 }, false);
    expect(hand.done).toEqual([["pinch", 2]]);
  });

  it("focuses on a tap, fits on a double tap", () => {
    const tap = (time: number): void => {
      gestures.down(press({ type: "touch", time }));
      gestures.up(1, { x: 101, y: 101 }, time + 20, "touch");
    };
    tap(0);
    tap(200);
    expect(hand.names()).toEqual(["focus", "focus", "fit"]);
  });

  it("opens the menu on a long press, and not when the finger has moved", () => {
    gestures.down(press({ type: "touch" }));
    vi.advanceTimersByTime(600);
    expect(hand.names()).toContain("menu");
    gestures.up(1, { x: 100, y: 100 }, 700, "touch");
    hand.done.length = 0;
    gestures.down(press({ type: "touch" }));
    gestures.move(1, { x: 100, y: 130 }, false);
    vi.advanceTimersByTime(600);
    expect(hand.names()).not.toContain("menu");
  });

  it("forgets a gesture that the browser took away", () => {
    gestures.down(press());
    gestures.cancel(1);
    gestures.move(1, { x: 200, y: 200 }, false);
    expect(hand.names()).toEqual(["focus"]);
    expect(gestures.active).toBe(false);
  });
});
