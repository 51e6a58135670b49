import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PaneSession } from "../src/pane-session";
import { activation, resizing, shownPanes, viewOfPane } from "../src/panes";
import { FrameFlags, type PaneHeader, type ViewPatch, type ViewState } from "../src/protocol";
import type { Frame, Session } from "../src/session";
import { samePicture, ViewStore } from "../src/store";
import { dragGutter, nextLayout, sharesOf, tracksOf } from "../src/viewer/layout";
import { FakeImage, header, STATE } from "./fakes";

const PANE = {
  axis: 0,
  slice_idx: STATE.slice_idx,
  time_idx: 0,
  channel: 0,
  window: 4,
  level: 0,
  colormap: "seismic",
  reverse: false,
  zoom: 1,
  pan: [0.5, 0.5],
  stretch: 1,
  interpolate: true,
  rotation: 0,
  flip_x: false,
  flip_y: false,
  slab: 1,
  slab_mode: "max",
  display: "density",
  wiggle_excursion: 1,
  wiggle_fill: true,
  wiggle_polarity: "normal",
  section: null,
} as const;

const THREE: ViewState = {
  ...STATE,
  layout: "orthogonal",
  panes: [PANE, { ...PANE, axis: 1, zoom: 3 }, { ...PANE, axis: 2 }],
  pane_sizes: [
    [960, 540],
    [400, 300],
    [0, 0],
  ],
};

describe("panes of a state", () => {
  it("are what the list says, the active one what the state itself says", () => {
    const state = { ...THREE, zoom: 2 };
    expect(viewOfPane(state, 0).zoom).toBe(2);
    expect(viewOfPane(state, 1)).toMatchObject({ axis: 1, zoom: 3, width_px: 400 });
    expect(shownPanes(state)).toEqual([0, 1]);
    expect(shownPanes({ ...state, maximised: true })).toEqual([0]);
  });

  it("share the place and the colours at once while they are linked", () => {
    const state: ViewState = { ...THREE, window: 9, slice_idx: [1, 2, 3] };
    expect(viewOfPane(state, 1)).toMatchObject({ window: 9, slice_idx: [1, 2, 3] });
    expect(viewOfPane({ ...state, linked: false }, 1)).toMatchObject({ window: 4 });
  });

  it("are activated with all that the last one was changed to", () => {
    const patch = activation({ ...THREE, zoom: 5 }, 1);
    expect(patch).toMatchObject({ active: 1, axis: 1, zoom: 3, width_px: 400 });
    expect(patch.panes?.[0]?.zoom).toBe(5);
    expect(activation(THREE, 0)).toEqual({});
  });

  it("are the same picture, whichever is in use", () => {
    const store = new ViewStore();
    store.restart(THREE);
    store.patch(activation(THREE, 1));
    expect(samePicture(store.state, THREE)).toBe(true);
    expect(store.awaitsPicture).toBe(false);
    store.patch({ zoom: 4 });
    expect(store.awaitsPicture).toBe(true);
  });

  it("keep the sizes of the others when one is resized", () => {
    expect(resizing(THREE, 1, [200, 100])).toEqual({
      pane_sizes: [
        [960, 540],
        [200, 100],
        [0, 0],
      ],
    });
    expect(resizing(STATE, 0, [200, 100])).toEqual({ width_px: 200, height_px: 100 });
  });

  it("come with the server's answer to another layout, not before", () => {
    const store = new ViewStore();
    store.restart(STATE);
    store.patch({ layout: "orthogonal" });
    expect(store.state.layout).toBe("single");
    expect(store.takeMessage()).toMatchObject({ layout: "orthogonal" });
  });
});

class FakeSession {
  state: ViewState = THREE;
  readonly patches: ViewPatch[] = [];
  readonly info = null;
  last: Frame | null = null;
  show: (frame: Frame) => void = () => {};
  onFrame(listener: (frame: Frame) => void): void {
    this.show = listener;
  }
  lastFrame(): Frame | null {
    return this.last;
  }
  patch(patch: ViewPatch): void {
    this.patches.push(patch);
  }
}

function pane(change: Partial<PaneHeader>): PaneHeader {
  const { flags, frame_no, revision, timestamp_90k, n_panes, panes, ...view } = header();
  return { ...view, pane: 0, is_exact: 0, content: 1, x_px: 0, y_px: 0, ...change };
}

const SIZE = { width_px: 400, height_px: 300 };

describe("the session of one pane", () => {
  let life: AbortController;
  let session: FakeSession;
  let cuts: number[][];
  let shown: Frame[];
  let own: PaneSession;
  const image = () => new FakeImage() as unknown as ImageBitmap;
  const frame = (flags: number, content: number): Frame => {
    const panes = [
      pane({ pane: 0 }),
      pane({ pane: 1, axis: 1, slice_idx: 7, content, x_px: 16, y_px: 32, ...SIZE }),
    ];
    return { header: header({ flags, n_panes: 2, panes }), image: image() };
  };
  beforeEach(() => {
    life = new AbortController();
    session = new FakeSession();
    cuts = [];
    shown = [];
    const cut = (_: Frame["image"], ...box: number[]): Frame["image"] => {
      cuts.push(box);
      return image();
    };
    own = new PaneSession(session as unknown as Session, 1, life.signal, cut);
    own.onFrame((each) => shown.push(each), life.signal);
  });
  afterEach(() => life.abort());

  it("gets its part of each picture, under its own name", () => {
    session.show(frame(0, 1));
    expect(cuts).toEqual([[16, 32, 400, 300]]);
    expect(shown[0]?.header).toMatchObject({ axis: 1, slice_idx: 7, width_px: 400, n_panes: 0 });
    expect(own.lastFrame()).toBe(shown[0]);
  });

  it("keeps exact pixels while the same comes less exactly, and lets go when it changes", () => {
    const still = FrameFlags.STILL | FrameFlags.KEY;
    session.show(frame(still, 4));
    session.show(frame(0, 4));
    expect(shown.length).toBe(1);
    session.show(frame(0, 5));
    expect(shown.length).toBe(2);
    const images = shown.map(({ image }) => image as unknown as FakeImage);
    expect(images.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  });

  it("shows the same anew in another size", () => {
    const still = FrameFlags.STILL | FrameFlags.KEY;
    session.show(frame(still, 4));
    session.show(frame(still, 4));
    expect(shown.length).toBe(2);
    session.state = {
      ...THREE,
      pane_sizes: [
        [960, 540],
        [402, 300],
        [0, 0],
      ],
    };
    session.show(frame(0, 4));
    expect(shown.length).toBe(3);
  });

  it("makes it the pane in use with what changes it, but not with its size", () => {
    own.patch({ width_px: 64, height_px: 32 });
    expect(session.patches[0]).not.toHaveProperty("active");
    own.patch({ zoom: 8 });
    expect(session.patches[1]).toMatchObject({ active: 1, axis: 1, zoom: 8 });
  });

  it("shows pictures of one pane alone in the first place only", () => {
    session.show({ header: header(), image: image() });
    expect(shown).toEqual([]);
    expect(own.lastFrame()).toBeNull();
  });
});

describe("layouts", () => {
  it("follow each other, grids come to the first", () => {
    expect(nextLayout("single")).toBe("orthogonal");
    expect(nextLayout("compare")).toBe("single");
    expect(nextLayout("2x3")).toBe("single");
  });

  it("have equal shares until a gutter is dragged, which only its neighbours feel", () => {
    expect(sharesOf([], 2)).toEqual([0.5, 0.5]);
    expect(sharesOf([2, 2, 4], 3)).toEqual([0.25, 0.25, 0.5]);
    expect(dragGutter([0.25, 0.25, 0.5], 0, 0.3)).toEqual([0.3, 0.2, 0.5]);
    expect(dragGutter([0.5, 0.5], 0, 0.99)).toEqual([0.88, 0.12]);
  });

  it("end at whole device pixels", () => {
    expect(tracksOf([0.5, 0.5], 455, 1)).toBe("228px minmax(0, 1fr)");
    expect(tracksOf([0.5, 0.5], 455, 2)).toBe("227.5px minmax(0, 1fr)");
    expect(tracksOf([1], 455, 1)).toBe("minmax(0, 1fr)");
  });
});
