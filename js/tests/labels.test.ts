import { describe, expect, it, vi } from "vitest";
import { Section } from "../src/annotations/section";
import type { LabelTool } from "../src/labels/catalogue";
import { LabelDesk } from "../src/labels/desk";
import { labelKey } from "../src/labels/keys";
import { LiveLabels } from "../src/labels/link";
import { type EditLabels, MessageType } from "../src/protocol";
import type { Frame, Session } from "../src/session";

const KEY = {
  code: "",
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  isComposing: false,
};
/** Ten pixels a voxel, axis 0, slice 4. */
const SECTION = Object.assign(Object.create(Section.prototype) as Section, {
  axis: 0,
  slice: 4,
  columnAxis: 1,
  rowAxis: 2,
  scaleX: 10,
  scaleY: 10,
  offsetX: 5,
  offsetY: 5,
});

function deskOf(role = "owner", segmentations: readonly string[] = ["mine"]) {
  const sent: EditLabels[] = [];
  const cancelled: number[] = [];
  const labels = new LiveLabels((message) => {
    if (message.type === MessageType.EDIT_LABELS) sent.push(message);
    else cancelled.push(message.seq);
    return true;
  });
  let show = (_: number): void => undefined;
  const axes = [1, 2, 0.5].map((spacing) => ({ n: 60, spacing }));
  const session = {
    role,
    labels,
    info: { axes },
    state: {
      axis: 0,
      window: 4,
      level: 1,
      channel: 2,
      segmentations: segmentations.map((name) => ({ name, label_style: "" })),
    },
    segmentations: segmentations.map((name) => ({ name, channel: { value_max: 2 } })),
    onFrame: (listener: (frame: Frame) => void) => {
      show = (frame_no) => listener({ header: { frame_no } } as Frame);
    },
  } as unknown as Session;
  const host = {
    session,
    signal: new AbortController().signal,
    isInHand: false,
    take(on: boolean) {
      host.isInHand = on;
    },
    say: vi.fn(),
    note: vi.fn(),
  };
  const desk = new LabelDesk(host);
  const drag = (shift: boolean, ...places: readonly [number, number][]): void => {
    const [first, ...rest] = places.map(([x, y]) => ({ x, y }));
    if (first) desk.press(SECTION, first);
    for (const at of rest) desk.move(SECTION, at);
    desk.release(shift);
  };
  return { desk, host, sent, cancelled, labels, drag, show: (n: number) => show(n) };
}

function news(seq: number, frame_no: number, n_voxels = 5) {
  return { name: "mine", seq, frame_no, n_voxels, can_undo: true, can_redo: false };
}

describe("tools that edit labels", () => {
  it("are taken in hand and put away by their keys, and Escape gets back", () => {
    const { desk, host } = deskOf();
    for (const key of ["d", "e", "y", "k", "j"]) {
      expect(labelKey({ ...KEY, key }, desk)).toBe(true);
      expect(host.isInHand).toBe(true);
    }
    expect(desk.tool).toBe("cut");
    desk.press(SECTION, { x: 5, y: 5 });
    expect(desk.escape()).toBe(true);
    expect(desk.draft).toBeNull();
    expect(host.isInHand).toBe(true);
    expect(desk.escape()).toBe(true);
    expect(host.isInHand).toBe(false);
    expect(desk.escape()).toBe(false);
    labelKey({ ...KEY, key: "d" }, desk);
    labelKey({ ...KEY, key: "d" }, desk);
    expect(host.isInHand).toBe(false);
  });

  it("change the brush by brackets, which are the panel's without them", () => {
    const { desk } = deskOf();
    expect(labelKey({ ...KEY, key: "]" }, desk)).toBe(false);
    labelKey({ ...KEY, key: "d" }, desk);
    expect(desk.radius).toBe(1); // a thirtieth of 60 by 0.5
    labelKey({ ...KEY, key: "]" }, desk);
    expect(desk.radius).toBe(1.25);
    labelKey({ ...KEY, key: "[" }, desk);
    expect(desk.radius).toBe(1);
  });

  it("undo labels only while one is in hand", () => {
    const { desk, sent } = deskOf();
    const undo = { ...KEY, key: "z", ctrlKey: true };
    expect(labelKey(undo, desk)).toBe(false);
    labelKey({ ...KEY, key: "e" }, desk);
    expect(labelKey(undo, desk)).toBe(true);
    labelKey({ ...undo, shiftKey: true }, desk);
    expect(sent.map(({ history }) => history)).toEqual(["undo", "redo"]);
  });

  it("are not for those who only look, and not without labels", () => {
    const guest = deskOf("viewer");
    labelKey({ ...KEY, key: "d" }, guest.desk);
    expect(guest.host.isInHand).toBe(false);
    expect(guest.host.note).toHaveBeenCalledOnce();
    const { desk } = deskOf("owner", []);
    expect(labelKey({ ...KEY, key: "d" }, desk)).toBe(false);
  });
});

describe("a stroke", () => {
  it("is sent as places of the slice, and shown until a picture has it", () => {
    const { desk, sent, drag, labels, show } = deskOf();
    desk.pick("paint");
    desk.label = 2;
    drag(false, [15, 25], [16, 25], [105, 25]);
    expect(sent[0]).toMatchObject({
      seq: 1,
      name: "mine",
      edit: { kind: "stroke", label: 2, radius: 1, axis: 0 },
    });
    expect(sent[0]?.edit).toMatchObject({
      points: [
        [4, 1, 2],
        [4, 10, 2],
      ],
    });
    show(8);
    expect(desk.previews).toHaveLength(1);
    labels.received(news(1, 9));
    show(9);
    expect(desk.previews).toHaveLength(1);
    show(10);
    expect(desk.previews).toHaveLength(0);
    expect(desk.canUndo).toBe(true);
  });

  it("goes with the word of it when the picture was quicker", () => {
    const { desk, drag, labels, show } = deskOf();
    desk.pick("paint");
    drag(false, [15, 25]);
    show(10);
    expect(desk.previews).toHaveLength(1);
    labels.received(news(1, 9));
    expect(desk.previews).toHaveLength(0);
  });

  it("is sent without the places that it does not need", () => {
    const { desk, sent, drag } = deskOf();
    desk.pick("paint");
    const turn = Array.from({ length: 100 }, (_, i) => i / 100);
    drag(false, ...turn.map((t): [number, number] => [300 + 250 * Math.cos(t), 250 * Math.sin(t)]));
    const [edit] = sent.map((message) => message.edit);
    const count = edit?.kind === "stroke" ? edit.points.length : 0;
    expect(count).toBeGreaterThan(5);
    expect(count).toBeLessThan(30);
  });

  it("that was refused goes at once", () => {
    const { desk, drag, labels } = deskOf();
    desk.pick("paint");
    drag(false, [15, 25]);
    labels.received(news(1, 9, 0));
    expect(desk.previews).toHaveLength(0);
  });

  it("erases, keeps to the window, fills, or cuts, by the tool", () => {
    const { desk, sent, drag } = deskOf();
    desk.pick("erase");
    drag(false, [15, 25]);
    desk.pick("threshold");
    drag(false, [15, 25]);
    desk.pick("fill");
    drag(false, [15, 25], [95, 95]);
    desk.pick("cut");
    drag(false, [5, 5], [95, 5]);
    drag(false, [5, 5], [95, 5], [95, 95]);
    drag(true, [5, 5], [95, 5], [95, 95]);
    const [erased, within, filled, cut, through] = sent.map(({ edit }) => edit);
    expect(erased).toMatchObject({ kind: "stroke", label: 0 });
    expect(within).toMatchObject({ within: { low: -1, high: 3, channel: 2 } });
    expect(filled).toEqual({ kind: "fill", seed: [4, 1, 2], label: 1, axis: 0 });
    expect(cut).toMatchObject({ kind: "cut", label: 0, axis: 0, slices: [4, 4] });
    expect(through).not.toHaveProperty("slices");
    expect(sent).toHaveLength(5); // two places are no outline
  });

  it("that is very long is sent in parts that join", () => {
    const { desk, sent } = deskOf();
    desk.pick("paint");
    desk.press(SECTION, { x: 0, y: 0 });
    for (let i = 1; i < 1500; i++) desk.move(SECTION, { x: i * 3, y: 6 * (i % 2) });
    desk.release(false);
    const parts = sent.map(({ edit }) => (edit?.kind === "stroke" ? edit.points : []));
    expect(parts.map(({ length }) => length)).toEqual([1000, 501]);
    expect(parts[0]?.at(-1)).toEqual(parts[1]?.[0]);
  });

  it("give the edit that each stands for, with what it was told", () => {
    const { desk, sent, drag, labels } = deskOf();
    const edits = () => sent.splice(0).map(({ edit }) => edit);
    const hold = (key: string) => {
      if (!desk.isInHand || desk.tool !== key) desk.pick(key as LabelTool);
    };
    hold("grow");
    drag(false, [5, 5]);
    expect(edits()).toEqual([
      { kind: "grow", seed: [4, 0, 0], label: 1, tolerance: 0.4, channel: 2, axis: 0 },
    ]);
    labelKey({ ...KEY, key: "(", code: "Digit5" }, desk);
    desk.set({ tolerance: 0.25 });
    drag(false, [5, 5]);
    hold("fill");
    drag(false, [5, 5]);
    hold("paint");
    drag(false, [5, 5]);
    expect(edits()).toEqual([
      { kind: "grow", seed: [4, 0, 0], label: 1, tolerance: 1, channel: 2 },
      { kind: "fill", seed: [4, 0, 0], label: 1 },
      { kind: "stroke", points: [[4, 0, 0]], radius: 1, label: 1 },
    ]);
    desk.press(SECTION, { x: 5, y: 5 }, true); // the other end of a pen
    desk.release(false);
    expect(edits()).toMatchObject([{ kind: "stroke", label: 0 }]);

    desk.choose("mine", 2);
    const enter = { ...KEY, key: "Enter" };
    expect(labelKey(enter, desk)).toBe(false); // a brush has nothing to do at once
    hold("smooth");
    labelKey(enter, desk);
    expect(labelKey(enter, desk)).toBe(false); // one at a time
    labels.received(news(6, 1));
    hold("islands");
    labelKey(enter, desk);
    labels.received(news(7, 1));
    desk.keepLargest(false);
    labelKey(enter, desk);
    labels.received(news(8, 1));
    hold("interpolate");
    desk.set({ axis: 2 });
    labelKey(enter, desk);
    expect(edits()).toEqual([
      { kind: "smooth", label: 2, radius: 1 },
      { kind: "islands", label: 2, min_voxels: 0 },
      { kind: "islands", label: 2, min_voxels: 50 },
      { kind: "interpolate", label: 2, axis: 2 },
    ]);
  });

  it("tell how far a long edit is, and Escape gives that up before the tool", () => {
    const { desk, host, cancelled, drag, labels } = deskOf();
    desk.pick("fill");
    drag(false, [5, 5]);
    expect(desk.job).toBeNull(); // what is quick is not worth a word
    labels.progressed({ name: "mine", seq: 1, share: null });
    expect(desk.job).toEqual({ seq: 1, title: "Fill", share: null });
    expect(desk.escape()).toBe(true);
    expect(cancelled).toEqual([1]);
    expect(host.isInHand).toBe(true);
    labels.received(news(1, 7, 0));
    expect(desk.job).toBeNull();
    expect(desk.previews).toEqual([]);
    expect(desk.escape()).toBe(true);
    expect(host.isInHand).toBe(false);
  });
});
