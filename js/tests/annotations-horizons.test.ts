/** Horizons, fault sticks and boxes: what the hand makes, and how it lies on every section. */
import { beforeEach, describe, expect, it } from "vitest";
import { Grid, gridFor, gridOf, keepGrid } from "../src/annotations/grids";
import { jumpPatch } from "../src/annotations/jump";
import { quantitiesOf } from "../src/annotations/measure";
import { handlesOf, strokesOf } from "../src/annotations/shape";
import type { Annotation, Point3 } from "../src/annotations/types";
import { MessageType } from "../src/protocol";
import { Bench, item, sectionOf, volume } from "./annotations-kit";

let bench: Bench;

beforeEach(() => {
  bench = new Bench();
});

/** All answers of the server. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await bench.frame();
}

/** A pixel on a peak of the formula, and how far off it the hand clicks. */
function besidePeak(x: number, y: number): readonly [number, number] {
  const [, j, k] = bench.surface.section.toVoxel({ x, y });
  let best = k;
  for (let at = k - 40; at < k + 40; at += 0.05) {
    if (volume.value(100, Math.round(j), at) > volume.value(100, Math.round(j), best)) best = at;
  }
  return [x, bench.surface.section.toPixel([100, j, best + 1.6]).y];
}

describe("picks of a horizon", () => {
  it("move onto the peak nearby, in the draft already", async () => {
    bench.pick("horizon");
    bench.click(...besidePeak(300, 200));
    const before = bench.editor.draft?.points[0]?.[2] ?? 0;
    await settled();
    const after = bench.editor.draft?.points[0]?.[2] ?? 0;
    expect(before - after).toBeCloseTo(1.6, 0);
  });

  it("move also when the horizon is ended before the answer, and undo takes it back whole", async () => {
    bench.pick("horizon");
    const at = besidePeak(300, 200);
    bench.click(...at);
    const placed = bench.editor.draft?.points[0]?.[2] ?? 0;
    bench.editor.progress("done");
    await settled();
    expect(placed - (bench.only.points[0]?.[2] ?? 0)).toBeCloseTo(1.6, 0);
    bench.editor.store.undo();
    await settled();
    expect(bench.items).toEqual([]);
  });

  it("stay where they are with no event near, which is said, or without snapping", async () => {
    bench.pick("horizon");
    bench.picking.setReach(1);
    const [x, y] = besidePeak(300, 200);
    bench.click(x, y);
    const placed = bench.editor.draft?.points[0];
    await settled();
    expect(bench.editor.draft?.points[0]).toBe(placed);
    expect(bench.notes).toEqual([expect.stringMatching(/^There is no peak within ±4.ms of the/)]);
    bench.picking.setSnapping("off");
    bench.click(x + 50, y);
    await settled();
    expect(bench.server.horizonServer.questions).toHaveLength(1);
  });

  it("snap again when they are dragged", async () => {
    bench.pick("horizon");
    const [x, y] = besidePeak(300, 200);
    bench.click(x, y);
    await settled();
    bench.editor.progress("done");
    await settled();
    const before = bench.only.points[0] as Point3;
    const from = bench.surface.section.toPixel(before);
    bench.drag(from.x, from.y, x + 5, y);
    await settled();
    expect(bench.only.points[0]?.[1]).toBeGreaterThan(before[1]);
    expect(Math.abs((bench.only.points[0]?.[2] ?? 0) - before[2])).toBeLessThan(2);
  });

  it("lie on several sections in one horizon, and none on a time slice", async () => {
    bench.picking.setSnapping("off");
    bench.pick("horizon");
    bench.click(300, 200);
    bench.surface.section = sectionOf(140);
    bench.click(310, 205);
    bench.surface.section = sectionOf(60, 2);
    bench.click(300, 200);
    expect(bench.notes).toEqual(["Horizon: on inlines and crosslines."]);
    bench.editor.progress("done");
    expect(bench.only.points.map(([i]) => i)).toEqual([100, 140]);
    expect(bench.only.axis).toBeNull();
    const handles = handlesOf(bench.only, sectionOf(140)).map((place) => place !== null);
    expect(handles).toEqual([false, true]);
    expect(sectionOf(120).presence(bench.only)).toBe("off");
  });
});

describe("following a horizon", () => {
  async function picked(): Promise<Annotation> {
    bench.picking.setSnapping("off");
    bench.pick("horizon");
    bench.click(300, 200);
    bench.editor.progress("done");
    await settled();
    bench.picking.setSnapping("trough");
    return bench.only;
  }

  it("gives the annotation its grid, drawn on every section, and undo takes it away", async () => {
    bench.picking.follow(await picked(), "volume", bench.surface.section);
    while (bench.picking.job) await settled();
    bench.picking.want(bench.items);
    while (!gridFor(bench.only)) await settled();
    expect(bench.server.horizonServer.questions.at(-2)).toMatchObject({
      type: MessageType.TRACK,
      over: "volume",
      event: "trough",
    });
    for (const axis of [0, 1]) {
      expect(sectionOf(33, axis).presence(bench.only)).toBe("on");
      expect(strokesOf(bench.only, sectionOf(33, axis))[0]?.chain.length).toBeGreaterThan(100);
    }
    bench.editor.store.undo();
    await settled();
    expect(bench.only.grid).toBe("");
    expect(sectionOf(33).presence(bench.only)).toBe("off");
  });

  it("can be called off, by Escape too, and changes nothing then", async () => {
    bench.server.horizonServer.isHeld = true;
    bench.picking.follow(await picked(), "volume", null);
    await settled();
    expect(bench.picking.job?.progress).toBe(0.42);
    expect(bench.editor.escape()).toBe(true);
    await settled();
    expect(bench.picking.job).toBeNull();
    expect(bench.server.horizonServer.questions.at(-1)).toMatchObject({ cancel: true });
    expect(bench.only.grid).toBe("");
  });

  it.each([
    [sectionOf(60, 2), "inline or a crossline"],
    [sectionOf(160), "no pick in this section"],
  ])("in a section needs a pick there", async (section, words) => {
    bench.picking.follow(await picked(), "section", section);
    expect(bench.picking.job).toBeNull();
    expect(bench.notes.at(-1)).toContain(words);
  });
});

describe("a grid", () => {
  /** Made by `packed` in Python: 3 by 4 traces, 20 to 30 samples, one of them without. */
  const PACKED = "eF5jYLACQmsgFvsfxwhjWzEAACrOA4E=";
  const message = {
    type: MessageType.GRID,
    name: "g",
    shape: [3, 4],
    stride: 1,
    base: 20,
    step: 1 / 64,
    n_picked: 11,
    low: 20,
    high: 30,
    codes: PACKED,
  } as const;

  it("comes out as Python has packed it", async () => {
    const grid = await gridOf(message);
    const expected = Array.from({ length: 12 }, (_, n) =>
      n === 5 ? Number.NaN : 20 + (10 * n) / 11,
    );
    expect(
      [...grid.samples]
        .map((v) => Math.abs(v - (expected[grid.samples.indexOf(v)] ?? 0)))
        .filter((off) => off > 1 / 128),
    ).toEqual([]);
    expect(Number.isNaN(grid.at(1, 1))).toBe(true);
    expect(grid.at(2, 3)).toBeCloseTo(30, 2);
    expect(grid.share).toBeCloseTo(11 / 12);
  });

  it("is broken where it was not followed, and one trace alone is a dot", () => {
    const samples = new Float32Array([5, 5, 5, 5, 5, Number.NaN, 5, 5]);
    keepGrid("broken", new Grid(2, 4, 1, samples, 5, 5, 7, 7 / 8));
    const line = item("horizon", [[1, 0, 5]], { grid: "broken" });
    const chains = strokesOf(line, sectionOf(1)).map(({ chain }) => chain.length);
    expect(chains).toEqual([2, 2]); // a dot, and a line
    expect(strokesOf(line, sectionOf(1, 1))[0]?.chain).toHaveLength(2);
  });

  it("crosses a time slice along a contour of its depth", () => {
    // A plane that dips along the inlines: depth 10 lies on inline 4.
    const samples = Float32Array.from({ length: 8 * 6 }, (_, n) => 2 + 2 * Math.floor(n / 6));
    keepGrid("dip", new Grid(8, 6, 1, samples, 2, 16, 48, 1));
    const dip = item("horizon", [[4, 2, 10]], { grid: "dip" });
    const section = sectionOf(9, 2);
    const contour = strokesOf(dip, section);
    expect(contour).toHaveLength(5);
    for (const { chain } of contour)
      for (const at of chain) expect(section.toVoxel(at)[0]).toBeCloseTo(3.5);
    expect(sectionOf(40, 2).presence(dip)).toBe("off");
  });
});

describe("fault sticks", () => {
  const stick = (...places: [number, number][]): void => {
    for (const place of places) bench.click(...place);
  };

  it("of one fault share group and name; the tool stays, and Escape ends", () => {
    bench.pick("fault");
    stick([200, 100], [220, 200]);
    bench.editor.progress("done");
    stick([300, 100], [320, 200]);
    bench.editor.progress("done");
    expect(bench.isDrawing).toBe(true);
    const [a, b] = bench.items;
    expect(a?.group).not.toBe("");
    expect([b?.group, b?.label]).toEqual([a?.group, "Fault 1"]);
    bench.pick("fault");
    stick([400, 100], [420, 200]);
    bench.editor.progress("done");
    expect(bench.items[2]?.label).toBe("Fault 2");
    expect(bench.items[2]?.group).not.toBe(a?.group);
  });

  it("end where the hand goes on with on another slice", () => {
    bench.pick("fault");
    stick([200, 100], [220, 200]);
    bench.surface.section = sectionOf(110);
    stick([210, 100], [230, 200]);
    bench.editor.progress("done");
    expect(bench.items.map(({ points }) => points.map(([i]) => i))).toEqual([
      [100, 100],
      [110, 110],
    ]);
  });

  it("are seen as crosses where another plane cuts them", () => {
    const fault = item(
      "fault",
      [
        [100, 50, 20],
        [100, 60, 60],
      ],
      { axis: 0 },
    );
    const section = sectionOf(40, 2);
    expect(section.presence(fault)).toBe("on");
    const [first] = strokesOf(fault, section);
    const [a, b] = first?.chain ?? [];
    const middle = { x: ((a?.x ?? 0) + (b?.x ?? 0)) / 2, y: ((a?.y ?? 0) + (b?.y ?? 0)) / 2 };
    expect(section.toVoxel(middle)).toEqual([
      expect.closeTo(100),
      expect.closeTo(55),
      expect.closeTo(40),
    ]);
    expect(handlesOf(fault, section)).toEqual([null, null]);
    expect(sectionOf(80, 2).presence(fault)).toBe("off");
  });

  it("of one node are none", () => {
    bench.pick("fault");
    stick([200, 100]);
    bench.editor.progress(bench.editor.draft?.finish() ?? "empty");
    expect(bench.items).toEqual([]);
  });
});

describe("a box", () => {
  it("gets a depth around the slice, which handles on another plane change", async () => {
    bench.pick("box");
    bench.drag(200, 100, 300, 200);
    await settled();
    const depth = (): number[] => bench.only.points.map(([i]) => i);
    const n = volume.info.axes[0].n;
    expect(depth()).toEqual([100 - Math.round(0.05 * n), 100 + Math.round(0.05 * n)]);
    bench.surface.section = sectionOf(jumpPatch(bench.only, 1).slice, 1);
    const middle = bench.only.points[0]?.[1] ?? 0;
    bench.surface.section = sectionOf(Math.round(middle) + 2, 1);
    const corner = handlesOf(bench.only, bench.surface.section)[0] ?? { x: 0, y: 0 };
    const before = depth()[0] ?? 0;
    bench.drag(corner.x, corner.y, corner.x + 20, corner.y);
    await settled();
    expect(depth()[0]).toBeGreaterThan(before);
  });

  it("of no size is none, which is said", () => {
    bench.pick("box");
    bench.drag(200, 100, 300, 100);
    expect(bench.items).toEqual([]);
    expect(bench.notes).toEqual(["3-D box, statistics: nothing was drawn."]);
  });

  it("stays inside the volume at its edge", () => {
    bench.surface.section = sectionOf(0);
    bench.pick("box");
    bench.drag(200, 100, 300, 200);
    expect(bench.only.points[0]?.[0]).toBe(-0.5);
  });

  it("has sides and a volume, time apart from length", () => {
    const found = quantitiesOf(
      item("box", [
        [10, 20, 30],
        [14, 26, 40],
      ]),
      { ...volume.info, affine: null },
    );
    const [one, two, three] = volume.info.axes;
    expect(found.map(({ unit }) => unit)).toEqual(["m²·ms", "m", "m", "ms"]);
    expect(found[1]?.value).toBeCloseTo(4 * one.spacing);
    expect(found[0]?.value).toBeCloseTo(4 * one.spacing * 6 * two.spacing * 10 * three.step);
  });
});
