import { describe, expect, it } from "vitest";
import { MessageType } from "../src/protocol";
import { ViewStore } from "../src/store";
import { type Glimpse, onlyScrolled } from "../src/viewer/scrolling";
import { STATE } from "./fakes";

function store(): ViewStore {
  const made = new ViewStore();
  made.restart(STATE);
  return made;
}

describe("the view's state", () => {
  it("shows a change at once, before the server has it", () => {
    const view = store();
    expect(view.patch({ zoom: 2 })).toBe(true);
    expect(view.state.zoom).toBe(2);
    expect(view.server.zoom).toBe(1);
  });

  it("takes no notice of a change to the same value", () => {
    const view = store();
    expect(view.patch({ pan: [0.5, 0.5] })).toBe(false);
    expect(view.takeMessage()).toBeNull();
  });

  it("keeps what is not acknowledged over an older state of the server", () => {
    const view = store();
    view.patch({ window: 5 });
    const first = view.takeMessage();
    view.patch({ window: 6 });
    view.takeMessage();
    view.confirm(first?.seq ?? -1, { ...STATE, revision: 2, window: 5 });
    expect(view.state.window).toBe(6);
    expect(view.hasPending).toBe(true);
  });

  it("is the server's once that has everything", () => {
    const view = store();
    view.patch({ window: 5 });
    const sent = view.takeMessage();
    view.confirm(sent?.seq ?? -1, { ...STATE, revision: 3, window: 5.5 });
    expect(view.state.window).toBe(5.5);
    expect(view.hasPending).toBe(false);
  });

  it("tells nobody of a revision that changes nothing, but has it", () => {
    const view = store();
    view.patch({ slice_idx: [46, 54, 32] });
    const sent = view.takeMessage();
    const confirmed = { ...STATE, revision: 2, slice_idx: [46, 54, 32] as const };
    expect(view.confirm(sent?.seq ?? -1, confirmed)).toBe(false);
    expect(view.state.revision).toBe(2);
  });

  it("keeps the lists that a message repeats, so that who draws them sees nothing new", () => {
    const view = store();
    const overlays = [{ name: "velocity", opacity: 0.5 }] as unknown as typeof STATE.overlays;
    view.confirm(-1, { ...STATE, revision: 2, overlays });
    const before = view.state;
    view.confirm(-1, structuredClone({ ...STATE, revision: 3, slice_idx: [46, 54, 32], overlays }));
    expect(view.state.slice_idx).toEqual([46, 54, 32]);
    expect(view.state.overlays).toBe(overlays);
    const seen = { ui: {}, status: {}, info: null } as unknown as Glimpse;
    const after = { ...seen, state: view.state };
    expect(onlyScrolled({ ...seen, state: before }, after)).toBe(true);
  });

  it("takes others' changes of other fields meanwhile", () => {
    const view = store();
    view.patch({ window: 5 });
    view.confirm(0, { ...STATE, revision: 2, colormap: "grey" });
    expect(view.state.window).toBe(5);
    expect(view.state.colormap).toBe("grey");
  });

  it("carries every unacknowledged change in each message, so that a lost one costs nothing", () => {
    const view = store();
    view.patch({ zoom: 2, pan: [0.1, 0.2] });
    view.takeMessage();
    view.patch({ window: 9 });
    expect(view.takeMessage()).toEqual({
      type: MessageType.VIEW_SYNC,
      seq: 2,
      zoom: 2,
      pan: [0.1, 0.2],
      window: 9,
    });
  });

  it("sends everything again over a new connection", () => {
    const view = store();
    view.patch({ zoom: 2 });
    view.takeMessage();
    view.restart(STATE);
    expect(view.hasUnsent).toBe(true);
    expect(view.state.zoom).toBe(2);
  });

  it("shows the server's state again after a refusal", () => {
    const view = store();
    view.patch({ zoom: 2 });
    expect(view.discard()).toBe(true);
    expect(view.state).toEqual(STATE);
  });
});

describe("a crosshair", () => {
  it("brings no picture, nor do slices that are not shown", () => {
    const view = store();
    view.patch({ crosshair: true, slice_idx: [45, 1, 2] });
    expect(view.awaitsPicture).toBe(false);
    const sent = view.takeMessage();
    view.confirm(sent?.seq ?? -1, {
      ...STATE,
      revision: 9,
      crosshair: true,
      slice_idx: [45, 1, 2],
    });
    expect(view.pictureRevision).toBe(STATE.revision);
    view.patch({ axis: 1 });
    expect(view.awaitsPicture).toBe(true);
    view.confirm(2, { ...view.state, revision: 10 });
    expect(view.pictureRevision).toBe(10);
  });
});

describe("the message for a change", () => {
  it("is the short one for a slice of one axis", () => {
    const view = store();
    view.patch({ axis: 1, slice_idx: [45, 7, 32] });
    expect(view.takeMessage()).toEqual({
      type: MessageType.CHANGE_SLICE,
      seq: 1,
      axis: 1,
      slice_idx: 7,
    });
  });

  it("names all three positions where more than the shown one changes", () => {
    const view = store();
    view.patch({ slice_idx: [1, 2, 3] });
    expect(view.takeMessage()).toEqual({
      type: MessageType.VIEW_SYNC,
      seq: 1,
      slice_idx: [1, 2, 3],
    });
  });

  it("is whole for zoom and pan, and for window and level", () => {
    const view = store();
    view.patch({ zoom: 2 });
    expect(view.takeMessage()).toMatchObject({ type: MessageType.ZOOM_PAN, pan: [0.5, 0.5] });
    view.confirm(1, { ...STATE, zoom: 2 });
    view.patch({ level: 3 });
    expect(view.takeMessage()).toMatchObject({ type: MessageType.WINDOW_LEVEL, window: 4 });
  });
});

describe("what the server is about to say", () => {
  it("is shown at once, never sent, and gone when the server has said it", () => {
    const view = store();
    expect(view.foresee({ zoom: 2 })).toBe(true);
    expect(view.state.zoom).toBe(2);
    expect(view.takeMessage()).toBeNull();
    expect(view.confirm(-1, { ...STATE, revision: 2, zoom: 2.0000001 })).toBe(true);
    expect(view.state.zoom).toBe(2.0000001);
    expect(view.forgetForeseen()).toBe(false);
  });

  it("stays over an older state of the server, until it is forgotten", () => {
    const view = store();
    view.foresee({ zoom: 3 });
    view.confirm(-1, { ...STATE, revision: 2, zoom: 2 });
    expect(view.state.zoom).toBe(3);
    expect(view.forgetForeseen()).toBe(true);
    expect(view.state.zoom).toBe(2);
  });

  it("gives way to the hand", () => {
    const view = store();
    view.foresee({ zoom: 3 });
    view.patch({ zoom: 5 });
    const sent = view.takeMessage();
    view.confirm(sent?.seq ?? -1, { ...STATE, revision: 2, zoom: 5 });
    expect(view.state.zoom).toBe(5);
    expect(view.forgetForeseen()).toBe(false);
  });
});

describe("what the server says of labels", () => {
  it("is news where something of theirs is as usual again", () => {
    const view = store();
    const look = { name: "a", visible: true, opacity: 0.5, label_style: "", hidden: [] };
    const faint = { ...look, style: "fill", opacities: { "2": 0.25 }, first_color: 0 } as const;
    view.confirm(-1, { ...STATE, revision: 2, segmentations: [faint] });
    const usual = [{ ...faint, opacities: {} }];
    expect(view.confirm(-1, { ...STATE, revision: 3, segmentations: usual })).toBe(true);
    expect(view.state.segmentations).toEqual(usual);
  });
});
