import { describe, expect, it } from "vitest";
import { hitTest, SliceIndex } from "../src/annotations/hit";
import { AnnotationStore } from "../src/annotations/store";
import type { AnnotationLink, Edits, EditsMade } from "../src/annotations/types";
import { item, sectionOf } from "./annotations-kit";

/** A link by hand: what was sent lies in `sent`, `tell` is the server. */
class HandLink implements AnnotationLink {
  readonly sent: Edits[] = [];
  isUp = true;
  private listener: (made: EditsMade) => void = () => {};

  edit(edits: Edits): number | null {
    if (!this.isUp) return null;
    return this.sent.push(edits);
  }

  measure(): number {
    return 0;
  }

  onEdits(listener: (made: EditsMade) => void): void {
    this.listener = listener;
  }

  onMeasured(): void {}

  tell(seq: number, edits: EditsMade["edits"], reset = false): void {
    this.listener({ seq, edits, reset, can_undo: false, can_redo: false });
  }
}

function setUp(): { link: HandLink; store: AnnotationStore; frame: () => void } {
  const link = new HandLink();
  const frames: (() => void)[] = [];
  const store = new AnnotationStore(link, new AbortController().signal, (run) => {
    frames.push(run);
  });
  const frame = (): void => {
    for (const run of frames.splice(0)) run();
  };
  return { link, store, frame };
}

const line = item("line", [
  [100, 10, 10],
  [100, 50, 10],
]);

describe("the store", () => {
  it("shows a change before any answer, and sends a drag once a frame", () => {
    const { link, store, frame } = setUp();
    link.tell(0, [{ op: "put", item: line }], true);
    for (let step = 1; step <= 20; step++) {
      store.apply([{ op: "drag", id: line.id, at: 1, point: [100, 50 + step, 10] }], 7);
      expect(store.get(line.id)?.points[1]?.[1]).toBe(50 + step);
    }
    expect(link.sent).toEqual([]);
    frame();
    expect(link.sent).toEqual([
      { edits: [{ op: "drag", id: line.id, at: 1, point: [100, 70, 10] }], gesture: 7 },
    ]);
  });

  it("keeps what the hand holds until the server has it; then the server is right", () => {
    const { link, store, frame } = setUp();
    link.tell(0, [{ op: "put", item: line }], true);
    store.apply([{ op: "drag", id: line.id, at: 1, point: [100, 60, 10] }], 1);
    frame();
    store.apply([{ op: "drag", id: line.id, at: 1, point: [100, 70, 10] }], 1);
    frame();
    link.tell(1, [{ op: "drag", id: line.id, at: 1, point: [100, 60, 10] }]);
    expect(store.get(line.id)?.points[1]?.[1]).toBe(70);
    // Somebody else moved it after us: the server's order is the truth.
    link.tell(2, [{ op: "drag", id: line.id, at: 1, point: [100, 33, 10] }]);
    expect(store.get(line.id)?.points[1]?.[1]).toBe(33);
  });

  it("gives back what the server refused", () => {
    const { link, store, frame } = setUp();
    link.tell(0, [{ op: "put", item: line }], true);
    store.apply([{ op: "remove", id: line.id }], 1);
    frame();
    expect(store.items).toEqual([]);
    link.tell(1, [{ op: "put", item: line }]);
    expect(store.items).toEqual([line]);
  });

  it("sends again what a lost connection may have swallowed", () => {
    const { link, store, frame } = setUp();
    link.tell(0, [], true);
    store.apply([{ op: "put", item: line }], 1);
    frame();
    link.isUp = false;
    store.apply([{ op: "set", id: line.id, label: "Top" }], 2);
    frame();
    expect(link.sent).toHaveLength(1);
    link.isUp = true;
    link.tell(0, [], true);
    expect(store.get(line.id)?.label).toBe("Top");
    frame();
    expect(link.sent[1]?.edits).toEqual([{ op: "put", item: { ...line, label: "Top" } }]);
  });

  it("cuts what is too large for one message", () => {
    const { link, store, frame } = setUp();
    const many = Array.from({ length: 600 }, () => item("point", [[100, 10, 10]]));
    store.apply(
      many.map((each) => ({ op: "put", item: each })),
      3,
    );
    frame();
    expect(link.sent.length).toBeGreaterThan(2);
    expect(link.sent.every(({ edits = [] }) => edits.length <= 256)).toBe(true);
    expect(link.sent.every((each) => JSON.stringify(each).length < 65_536)).toBe(true);
    expect(link.sent.flatMap(({ edits = [] }) => edits)).toHaveLength(600);
  });

  it("counts bytes, not letters, and leaves out what no message carries", () => {
    const { link, store, frame } = setUp();
    const text = "断層".repeat(200);
    const many = Array.from({ length: 200 }, () => item("text", [[100, 10, 10]], { text }));
    store.apply(
      many.map((each) => ({ op: "put", item: each })),
      3,
    );
    const points = Array.from({ length: 2000 }, (_, i) => [100, i + Math.PI, i + Math.E] as const);
    const long = item("path", points);
    store.apply([{ op: "put", item: long }], 3);
    store.apply([{ op: "put", item: line }], 3);
    frame();
    const bytes = link.sent.map((each) => new TextEncoder().encode(JSON.stringify(each)).length);
    expect(Math.max(...bytes)).toBeLessThan(65_000);
    expect(link.sent.flatMap(({ edits = [] }) => edits)).toHaveLength(201);
    expect(store.get(long.id)).toBeNull();
  });

  it("keeps the order of the server, new ones before others too", () => {
    const { link, store } = setUp();
    const [a, b, c] = [1, 2, 3].map(() => item("point", [[100, 10, 10]]));
    if (!a || !b || !c) return;
    link.tell(
      0,
      [
        { op: "put", item: a },
        { op: "put", item: b },
      ],
      true,
    );
    link.tell(0, [{ op: "put", item: c, before: b.id }]);
    expect(store.items.map(({ id }) => id)).toEqual([a.id, c.id, b.id]);
  });

  it("brings thousands back to their places at once", () => {
    const { link, store } = setUp();
    const all = Array.from({ length: 5000 }, () => item("point", [[100, 10, 10]]));
    // As undo tells it: the last comes first, each other one in front of the one behind it.
    const back = all.map((each, i) => ({ op: "put" as const, item: each, before: all[i + 1]?.id }));
    const told = back.map(({ before, ...put }) => (before ? { ...put, before } : put));
    link.tell(0, told.reverse(), true);
    expect(store.items).toEqual(all);
    const [first, second] = all;
    if (!first || !second) return;
    const newest = item("point", [[100, 10, 10]]);
    link.tell(0, [
      { op: "put", item: newest, before: second.id },
      { op: "remove", id: second.id },
    ]);
    expect(store.items.slice(0, 2)).toEqual([first, newest]);
  });
});

describe("what lies under the pointer", () => {
  const section = sectionOf();
  const at = (column: number, row: number): { x: number; y: number } =>
    section.toPixel([100, column, row]);

  it("is found although it reaches far out of the volume", () => {
    // Drawn before the volume was there again, in a larger one.
    const far = item("line", [
      [100, -1, 10],
      [100, 2e9, 2e9],
    ]);
    const index = new SliceIndex([far], section, 500);
    expect(index.near(section, at(100, 20), 5)).toEqual([far]);
  });

  it("is found among thousands by its place, its slice and its order", () => {
    const crowd = Array.from({ length: 3000 }, (_, i) => {
      const [column, row] = [(i % 60) * 5, Math.floor(i / 60) * 8];
      return item(
        "line",
        [
          [100, column, row],
          [100, column + 3, row + 3],
        ],
        { axis: 0 },
      );
    });
    const below = item(
      "line",
      [
        [100, 100, 100],
        [100, 200, 100],
      ],
      { axis: 0 },
    );
    const above = item(
      "line",
      [
        [100, 150, 50],
        [100, 150, 150],
      ],
      { axis: 0 },
    );
    const elsewhere = item(
      "line",
      [
        [140, 150, 50],
        [140, 150, 150],
      ],
      { axis: 0 },
    );
    const index = new SliceIndex([below, above, elsewhere], section, 600);
    expect(hitTest(index, section, at(150, 100), 12, [])?.id).toBe(above.id);
    expect(hitTest(index, section, at(180, 101), 12, [])?.id).toBe(below.id);
    expect(hitTest(index, section, at(180, 130), 12, [])).toBeNull();
    const near = sectionOf(100, 0, 8);
    const full = new SliceIndex(crowd, near, 600);
    const there = near.toPixel([100, 151, 81]);
    const few = full.near(near, there, 12);
    expect(few.length).toBeLessThan(60);
    expect(hitTest(full, near, there, 6, [])?.id).toBe(crowd[30 + 10 * 60]?.id);
  });

  it("is a handle first where something is chosen, and nothing where it is hidden", () => {
    const one = item(
      "line",
      [
        [100, 100, 100],
        [100, 200, 100],
      ],
      { axis: 0 },
    );
    const over = item(
      "line",
      [
        [100, 200, 60],
        [100, 200, 140],
      ],
      { axis: 0 },
    );
    const index = new SliceIndex([one, over], section, 600);
    expect(hitTest(index, section, at(200, 100), 12, [])?.id).toBe(over.id);
    expect(hitTest(index, section, at(200, 100), 12, [one])).toEqual({
      id: one.id,
      part: "handle",
      at: 1,
    });
    const hidden = new SliceIndex([{ ...one, visible: false }], section, 600);
    expect(hitTest(hidden, section, at(150, 100), 12, [])).toBeNull();
  });

  it("is seen faintly on the slices beside, and not at all further off", () => {
    const one = item(
      "line",
      [
        [100, 10, 10],
        [100, 20, 10],
      ],
      { axis: 0 },
    );
    expect(sectionOf(100).presence(one)).toBe("on");
    expect(sectionOf(102).presence(one)).toBe("near");
    expect(sectionOf(103).presence(one)).toBe("off");
    const flat = item(
      "ellipse",
      [
        [100, 10, 10],
        [100, 20, 20],
      ],
      { axis: 0 },
    );
    expect(sectionOf(15, 1).presence(flat)).toBe("off");
    expect(sectionOf(15, 1).presence(item("point", [[100, 15, 10]]))).toBe("on");
  });

  it("lies at the same place of the volume at every zoom", () => {
    const point = [100, 123.4, 56.7] as const;
    for (const zoom of [1, 3.7, 40]) {
      const near = sectionOf(100, 0, zoom);
      near.toVoxel(near.toPixel(point)).forEach((v, i) => {
        expect(v).toBeCloseTo(point[i] ?? 0, 9);
      });
    }
  });
});
