// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Section } from "../src/annotations/section";
import { StillCanvas } from "../src/annotations/still";
import type { Annotation } from "../src/annotations/types";

let refreshes: FrameRequestCallback[] = [];
const end = new AbortController();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  refreshes = [];
  vi.stubGlobal("requestAnimationFrame", (next: FrameRequestCallback) => refreshes.push(next));
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(function (
    this: HTMLCanvasElement,
  ) {
    return { canvas: this, setTransform: () => {}, clearRect: () => {} } as never;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function refresh(): void {
  for (const next of refreshes.splice(0)) next(performance.now());
}

/** A slice whose place in the pane is `x`. */
function sectionAt(x: number, slice = 5): Section {
  const plane = { normal: 0, columnAxis: 1, rowAxis: 2 };
  const toPixel = (column: number, row: number) => ({ x: x + column, y: row });
  const placement = { plane, toPixel } as never;
  return Section.of(placement, { x: 0, y: 0, scale: 1 } as never, slice);
}

/** A pane with `count` lines in sight. */
function paneWith(count: number) {
  const items = Array.from({ length: count }, (_, i) => {
    return {
      id: `${i}`,
      points: [
        [0, 0, 0],
        [0, 1, 1],
      ],
    } as unknown as Annotation;
  });
  const seen = { painted: 0, finished: 0, canvas: null as HTMLCanvasElement | null };
  const host = {
    size: { width: 100, height: 80, pixelRatio: 1 },
    itemsOn: () => items,
    begin: () => {},
    paint: () => void seen.painted++,
    finish: () => void seen.finished++,
    put: (canvas: HTMLCanvasElement | null) => {
      seen.canvas = canvas;
    },
  };
  return { seen, still: new StillCanvas(host, end.signal) };
}

function finishPainting(): void {
  vi.advanceTimersByTime(100);
  for (let i = 0; i < 500 && refreshes.length > 0; i++) refresh();
}

test("a few are painted with every movement", () => {
  const { seen, still } = paneWith(10);
  for (let x = 0; x < 5; x++) still.show({ section: sectionAt(x), key: "a", later: 0 });
  expect(seen.painted).toBe(50);
});

test("many are moved with the slice, and painted anew in parts when it rests", () => {
  const { seen, still } = paneWith(1000);
  still.show({ section: sectionAt(0), key: "a", later: 0 });
  const first = seen.canvas;
  expect(seen.painted).toBe(1000);
  for (let x = 1; x < 40; x++) {
    still.show({ section: sectionAt(x), key: "a", later: 0 });
    vi.advanceTimersByTime(16);
    refresh();
  }
  expect(seen.painted).toBe(1000);
  expect(first?.style.transform).toContain("translate(39px");
  vi.advanceTimersByTime(100);
  refresh();
  expect(seen.painted).toBeGreaterThan(1000);
  expect(seen.painted).toBeLessThan(1500);
  expect(seen.canvas).toBe(first); // what is half painted is not seen
  finishPainting();
  expect(seen.painted).toBe(2000);
  expect(seen.canvas).not.toBe(first);
  expect(seen.canvas?.style.transform).toBe("none");
});

test("what is half painted is given up when the slice goes on", () => {
  const { seen, still } = paneWith(1000);
  still.show({ section: sectionAt(0), key: "a", later: 0 });
  still.show({ section: sectionAt(1), key: "a", later: 0 });
  vi.advanceTimersByTime(100);
  refresh();
  still.show({ section: sectionAt(2), key: "a", later: 0 });
  const painted = seen.painted;
  refresh();
  refresh();
  expect(seen.painted).toBe(painted);
  finishPainting();
  expect(seen.painted).toBe(painted + 1000);
});

test("two panes are painted one after the other", () => {
  const panes = [paneWith(1000), paneWith(1000)];
  for (const { still } of panes) {
    still.show({ section: sectionAt(0), key: "a", later: 0 });
    still.show({ section: sectionAt(1), key: "a", later: 0 });
  }
  vi.advanceTimersByTime(100);
  refresh();
  expect(panes.map(({ seen }) => seen.painted > 1000)).toEqual([true, false]);
  finishPainting();
  expect(panes.map(({ seen }) => seen.painted)).toEqual([2000, 2000]);
});

test("measurements that come while much is painted are seen in the end", () => {
  const { seen, still } = paneWith(1000);
  still.show({ section: sectionAt(0), key: "a", later: 0 });
  still.show({ section: sectionAt(0), key: "a", later: 1 });
  vi.advanceTimersByTime(100);
  refresh();
  still.show({ section: sectionAt(0), key: "a", later: 2 });
  finishPainting();
  finishPainting();
  expect(seen.finished).toBe(3);
  finishPainting();
  expect(seen.finished).toBe(3);
});

test("a change of what is in hand is seen at once, however much is in sight", () => {
  const { seen, still } = paneWith(1000);
  still.show({ section: sectionAt(0), key: "a", later: 0 });
  still.show({ section: sectionAt(3), key: "b", later: 0 });
  expect(seen.painted).toBe(2000);
  expect(seen.canvas?.style.transform).toBe("none");
});

test("what lies on another slice is not seen for a moment", () => {
  const { seen, still } = paneWith(1000);
  still.show({ section: sectionAt(0), key: "a", later: 0 });
  still.show({ section: sectionAt(0, 6), key: "a", later: 0 });
  expect(seen.canvas?.style.visibility).toBe("hidden");
  finishPainting();
  expect(seen.canvas?.style.visibility).toBe("");
});
