import { beforeEach, describe, expect, it } from "vitest";
import { keyOf, TOOLS } from "../src/annotations/catalogue";
import * as commands from "../src/annotations/commands";
import { editorKey } from "../src/annotations/keys";
import { commandOf } from "../src/viewer/bindings";
import { Bench, item, sectionOf } from "./annotations-kit";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

function key(name: string, more: Partial<KeyboardEvent> = {}): boolean {
  const event = {
    key: name,
    code: "",
    shiftKey: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    isComposing: false,
    ...more,
  };
  const host = {
    surface: bench.surface,
    step: 0,
    isAnnotating: bench.isDrawing,
    now: 0,
    follow: () => false,
  };
  return editorKey(event, bench.editor, host);
}

describe("tools of two ends", () => {
  it.each(["line", "arrow", "distance", "rectangle", "ellipse", "profile"] as const)(
    "%s by a drag",
    (tool) => {
      bench.pick(tool);
      bench.drag(100, 100, 300, 200);
      expect(bench.only.kind).toBe(tool);
      expect(bench.only.axis).toBe(0);
      expect(bench.only.points.map((p) => p[0])).toEqual([100, 100]);
      expect(bench.pixels()).toEqual([
        [100, 100],
        [300, 200],
      ]);
      expect(bench.isDrawing).toBe(false);
      expect(bench.editor.selection.single?.id).toBe(bench.only.id);
    },
  );

  it("by two clicks as well", () => {
    bench.pick("distance");
    bench.click(100, 100);
    bench.move(250, 150);
    expect(bench.editor.drawn?.points.length).toBe(2);
    bench.click(300, 200);
    expect(bench.pixels()).toEqual([
      [100, 100],
      [300, 200],
    ]);
  });

  it("Shift turns a line to 45 degrees and makes a rectangle a square", () => {
    bench.pick("line");
    bench.drag(100, 100, 300, 110, { shift: true });
    expect(bench.pixels()[1]?.[1]).toBe(100);
    bench.pick("rectangle");
    bench.drag(400, 100, 500, 160, { shift: true });
    expect(bench.pixels(bench.items[1])).toEqual([
      [400, 100],
      [500, 200],
    ]);
  });

  it("nothing is made of nothing", () => {
    bench.pick("rectangle");
    bench.drag(100, 100, 200, 100);
    expect(bench.items).toEqual([]);
    expect(bench.notes[0]).toContain("nothing was drawn");
  });
});

describe("tools of many vertices", () => {
  it("a second click in one place ends, without a vertex twice", () => {
    bench.pick("polyline");
    bench.click(100, 100);
    bench.click(200, 100);
    bench.press(300, 200, { time: 10_000 });
    bench.release(300, 200, { time: 10_000 });
    bench.press(300, 200, { time: 10_150 });
    bench.release(300, 200, { time: 10_150 });
    expect(bench.pixels()).toEqual([
      [100, 100],
      [200, 100],
      [300, 200],
    ]);
  });

  it("Enter ends, Backspace takes the last vertex back, Escape all", () => {
    bench.pick("polygon");
    for (const [x, y] of [
      [100, 100],
      [200, 100],
      [250, 300],
      [200, 200],
    ] as const)
      bench.click(x, y);
    expect(key("Backspace")).toBe(true);
    expect(key("Enter")).toBe(true);
    expect(bench.pixels()).toHaveLength(3);
    bench.pick("polyline");
    bench.click(10, 10);
    bench.click(50, 50);
    expect(bench.editor.escape()).toBe(true);
    expect(bench.editor.draft).toBeNull();
    expect(bench.isDrawing).toBe(true); // the tool is put away by the next one
    expect(bench.items).toHaveLength(1);
  });

  it("a click on the first vertex closes a polygon", () => {
    bench.pick("polygon");
    for (const [x, y] of [
      [100, 100],
      [200, 100],
      [150, 200],
      [103, 102],
    ] as const)
      bench.click(x, y);
    expect(bench.pixels()).toHaveLength(3);
  });

  it("a stroke keeps its corners, not its points", () => {
    bench.pick("region");
    bench.press(100, 100);
    for (let x = 105; x <= 300; x += 5) bench.move(x, 100);
    for (let y = 105; y <= 300; y += 5) bench.move(300, y);
    bench.release(300, 300);
    expect(bench.only.closed).toBe(true);
    expect(bench.pixels()).toEqual([
      [100, 100],
      [300, 100],
      [300, 300],
    ]);
  });

  it("an angle takes three clicks, a Cobb angle two drags", () => {
    bench.pick("angle");
    for (const [x, y] of [
      [100, 100],
      [50, 150],
      [120, 160],
    ] as const)
      bench.click(x, y);
    expect(bench.only.points).toHaveLength(3);
    bench.pick("cobb");
    bench.drag(300, 100, 400, 110);
    expect(bench.items).toHaveLength(1);
    bench.drag(300, 200, 400, 260);
    expect(bench.pixels(bench.items[1])).toEqual([
      [300, 100],
      [400, 110],
      [300, 200],
      [400, 260],
    ]);
  });

  it("a shape stays on the slice that it was begun on", () => {
    bench.pick("polygon");
    bench.click(100, 100);
    bench.click(200, 100);
    bench.surface.section = sectionOf(101);
    bench.click(150, 200);
    key("Enter");
    expect(bench.only.points.map((p) => p[0])).toEqual([100, 100, 100]);
  });
});

describe("choosing and changing", () => {
  function draw(): void {
    bench.pick("line");
    bench.drag(100, 100, 300, 200);
  }

  it("a drag of a handle moves that vertex, of the line all of them", async () => {
    draw();
    await bench.frame();
    bench.drag(300, 200, 320, 240);
    expect(bench.pixels()).toEqual([
      [100, 100],
      [320, 240],
    ]);
    bench.drag(210, 170, 220, 190);
    expect(bench.pixels()).toEqual([
      [110, 120],
      [330, 260],
    ]);
  });

  it("Shift on the corner of a rectangle keeps it square; corners between follow", () => {
    bench.pick("rectangle");
    bench.drag(100, 100, 200, 200);
    bench.drag(200, 100, 260, 80);
    expect(bench.pixels()).toEqual([
      [100, 80],
      [260, 200],
    ]);
  });

  it("never leaves the volume", () => {
    draw();
    bench.drag(200, 150, -4000, 150);
    const low = Math.min(...bench.only.points.map((p) => p[1]));
    expect(low).toBeCloseTo(-0.5, 3);
    const pixels = bench.pixels();
    expect((pixels[1]?.[0] ?? 0) - (pixels[0]?.[0] ?? 0)).toBe(200); // its shape is kept
  });

  it("a vertex is put in by the plus in the middle, taken out with Alt", () => {
    bench.pick("polyline");
    bench.click(100, 100);
    bench.click(300, 100);
    key("Enter");
    bench.drag(200, 100, 200, 160);
    expect(bench.pixels()).toEqual([
      [100, 100],
      [200, 160],
      [300, 100],
    ]);
    bench.click(200, 160, { alt: true });
    expect(bench.pixels()).toHaveLength(2);
    bench.click(300, 100, { alt: true }); // a polyline has two at least
    expect(bench.pixels()).toHaveLength(2);
  });

  it("arrows nudge by a pixel, with Shift by ten, as one step of undo", async () => {
    draw();
    await bench.frame();
    key("ArrowRight");
    key("ArrowRight");
    key("ArrowDown", { shiftKey: true });
    expect(bench.pixels()[0]).toEqual([102, 110]);
    await bench.frame();
    expect(key("z", { ctrlKey: true })).toBe(true);
    await bench.frame();
    expect(bench.pixels()[0]).toEqual([100, 100]);
  });

  it("a locked annotation can be chosen, not changed", async () => {
    draw();
    await bench.frame();
    key("l");
    expect(bench.only.locked).toBe(true);
    bench.drag(300, 200, 320, 240);
    key("Delete");
    expect(bench.pixels()[1]).toEqual([300, 200]);
    expect(bench.notes.at(-1)).toContain("locked");
    key("l");
    key("Delete");
    expect(bench.items).toEqual([]);
  });

  it("copies on the shown slice, set off from what it was copied from", async () => {
    draw();
    await bench.frame();
    key("c", { ctrlKey: true });
    key("v", { ctrlKey: true });
    expect(bench.pixels(bench.items[1])).toEqual([
      [114, 114],
      [314, 214],
    ]);
    expect(bench.items[1]?.id).not.toBe(bench.items[0]?.id);
  });

  it("a group is chosen and moved as one", async () => {
    draw();
    bench.pick("line");
    bench.drag(100, 300, 300, 300);
    bench.press(200, 150, { shift: true });
    bench.release(200, 150, { shift: true });
    expect(bench.editor.selection.size).toBe(2);
    key("g", { ctrlKey: true });
    bench.editor.selection.clear();
    bench.click(200, 300);
    expect(bench.editor.selection.size).toBe(2);
    bench.drag(250, 300, 250, 310);
    expect(bench.items.map((one) => bench.pixels(one)[0])).toEqual([
      [100, 110],
      [100, 310],
    ]);
  });

  it("a viewer may choose, not draw", () => {
    draw();
    bench.canEdit = false;
    bench.pick("line");
    expect(bench.isDrawing).toBe(false);
    expect(bench.notes[0]).toContain("not draw");
    bench.drag(200, 150, 300, 150);
    expect(bench.pixels()[0]).toEqual([100, 100]);
    expect(key("Delete")).toBe(false);
  });
});

describe("by keyboard alone", () => {
  it("draws a line: arrows move, Enter places", () => {
    bench.pick("distance");
    key("Enter");
    for (let i = 0; i < 10; i++) key("ArrowRight", { shiftKey: true });
    key("Enter");
    expect(bench.pixels()).toEqual([
      [500, 250],
      [600, 250],
    ]);
    expect(bench.said).toContain("Distance added");
  });

  it("ends a polygon by Enter in the same place", () => {
    bench.pick("polygon");
    key("Enter");
    key("ArrowRight", { shiftKey: true });
    key("Enter");
    key("ArrowDown", { shiftKey: true });
    key("Enter");
    key("Enter");
    expect(bench.pixels()).toEqual([
      [500, 250],
      [510, 250],
      [510, 260],
    ]);
  });

  it("goes from one annotation of the slice to the next", () => {
    bench.server.store.apply(
      [1, 2].map((n) => ({
        op: "put",
        item: item("point", [[100, n * 10, 10]], { label: `P${n}` }),
      })),
      0,
    );
    expect(key("b")).toBe(true);
    expect(bench.editor.selection.single?.label).toBe("P1");
    commands.step(bench.editor, bench.surface, 1);
    expect(bench.editor.selection.single?.label).toBe("P2");
  });

  it("every tool has a key of its own, which the viewer does not use", () => {
    const keys = TOOLS.map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { letter, kind } of TOOLS) {
      const press = { key: letter, code: `Key${letter}`, shiftKey: kind !== null, ctrlKey: false };
      const event = { ...press, metaKey: false, altKey: false, isComposing: false };
      expect(
        commandOf({ ...event, key: kind ? letter : letter.toLowerCase() }, "navigate"),
      ).toBeNull();
    }
  });
});
