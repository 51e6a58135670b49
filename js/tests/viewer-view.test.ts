import { describe, expect, it } from "vitest";
import { makeVolume } from "../dev/volumes";
import { placeSlice } from "../src/geometry";
import { OwnView } from "../src/own-view";
import type { ViewPatch, ViewState } from "../src/protocol";
import type { Session, SessionStatus } from "../src/session";
import { FIRST_STATUS } from "../src/status";
import { Actions } from "../src/viewer/actions";
import type { Voxel } from "../src/viewer/axes";
import {
  fitPicture,
  panBy,
  pictureSize,
  shiftBetween,
  viewOf,
  zoomAt,
  zoomLimit,
} from "../src/viewer/camera";
import { Cine, playedSlice } from "../src/viewer/cine";
import type { Scene } from "../src/viewer/context";
import { type Crosshair, crosshairOf } from "../src/viewer/crosshair";
import { volumeFacts } from "../src/viewer/facts";
import { ViewHistory } from "../src/viewer/history";
import { trackOf } from "../src/viewer/loadedtrack";
import { northOf, rulersOf } from "../src/viewer/rulers";
import { paneStateOf } from "../src/viewer/states";
import { pathText } from "../src/viewer/statustext";
import { header, STATE } from "./fakes";

const kinds = ["seismic", "medical", "generic"] as const;
const base: ViewState = {
  ...STATE,
  axis: 0,
  zoom: 1,
  pan: [0.5, 0.5],
  stretch: 1,
  width_px: 900,
  height_px: 500,
};

describe("zoom and pan", () => {
  it.each(kinds)("keep the voxel under the pointer where it is (%s)", (kind) => {
    const { info } = makeVolume(kind);
    const at = { x: 510, y: 260 };
    const before = placeSlice(info, 0, base).toVoxel(at.x, at.y);
    const zoomed = { ...base, ...zoomAt(info, base, 3.7, at) };
    const after = placeSlice(info, 0, zoomed).toVoxel(at.x, at.y);
    expect(after.column).toBeCloseTo(before.column, 6);
    expect(after.row).toBeCloseTo(before.row, 6);
  });

  it.each(kinds)("move the slice by as many pixels as the hand (%s)", (kind) => {
    const { info } = makeVolume(kind);
    const zoomed = { ...base, zoom: 2 };
    const panned = { ...zoomed, ...panBy(info, zoomed, 30, -20) };
    const before = placeSlice(info, 0, zoomed);
    const after = placeSlice(info, 0, panned);
    expect(after.x0 - before.x0).toBeCloseTo(30);
    expect(after.y0 - before.y0).toBeCloseTo(-20);
  });

  it("never lose the slice out of sight", () => {
    const { info } = makeVolume("seismic");
    expect(panBy(info, base, 1e5, -1e5).pan).toEqual([0, 1]);
  });

  it("stop where a few voxels fill the pane", () => {
    const { info } = makeVolume("seismic");
    const limit = zoomLimit(info, 0, base);
    expect(zoomAt(info, base, 1e9, { x: 0, y: 0 }).zoom).toBe(limit);
    const placed = placeSlice(info, 0, { ...base, zoom: limit });
    expect(
      Math.max((placed.nColumns * 900) / placed.width, (placed.nRows * 500) / placed.height),
    ).toBeCloseTo(4);
  });
});

describe("pictures in the pane", () => {
  it("have even sizes of device pixels that cover the pane", () => {
    expect(pictureSize({ width: 951, height: 511, pixelRatio: 1 })).toEqual({
      width_px: 952,
      height_px: 512,
    });
    expect(pictureSize({ width: 500, height: 300, pixelRatio: 1.5 })).toEqual({
      width_px: 750,
      height_px: 450,
    });
    // 1201 device pixels are no whole number of CSS pixels, and not more than 1201 of them.
    const fine = { width: 1201 / 3, height: 1000 / 3, pixelRatio: 3 };
    expect(pictureSize(fine)).toEqual({ width_px: 1202, height_px: 1000 });
    expect(fitPicture({ ...base, ...pictureSize(fine) }, fine)).toMatchObject({ x: 0, y: 0 });
  });

  it("are never larger than the server draws", () => {
    const { width_px, height_px } = pictureSize({ width: 5000, height: 3000, pixelRatio: 2 });
    expect(width_px * height_px).toBeLessThanOrEqual(3840 * 2160);
    expect(width_px).toBeLessThanOrEqual(4096);
    expect(width_px / height_px).toBeCloseTo(5 / 3, 2);
  });

  it("lie pixel on pixel where they were made for the pane, and whole with borders where not", () => {
    const pane = { width: 951, height: 511, pixelRatio: 1 };
    expect(fitPicture({ ...base, ...pictureSize(pane) }, pane)).toEqual({ scale: 1, x: 0, y: 0 });
    const other = fitPicture(
      { ...base, width_px: 400, height_px: 400 },
      { width: 300, height: 200, pixelRatio: 1 },
    );
    expect(other).toEqual({ scale: 0.5, x: 50, y: 0 });
  });

  it("are moved under a newer view, and not at all for the rounding of their header", () => {
    const { info } = makeVolume("seismic");
    const shown = header({
      axis: 0,
      width_px: 900,
      height_px: 500,
      zoom: 4.1,
      pan_x: 0.3,
      pan_y: 0.7,
      stretch: 1,
    });
    const rounded = {
      ...shown,
      zoom: Math.fround(4.1),
      pan_x: Math.fround(0.3),
      pan_y: Math.fround(0.7),
    };
    const wanted = placeSlice(info, 0, viewOf(shown));
    expect(shiftBetween(placeSlice(info, 0, viewOf(rounded)), wanted)).toBeNull();
    const further = placeSlice(info, 0, { ...viewOf(shown), zoom: 8.2 });
    expect(shiftBetween(wanted, further)).toMatchObject({
      scaleX: expect.closeTo(2),
      scaleY: expect.closeTo(2),
    });
  });
});

describe("rulers", () => {
  it("number nothing beyond the first and the last line", () => {
    const { info } = makeVolume("seismic");
    for (const pan of [
      [0.5, 0.5],
      [0.1, 0.9],
    ] as const) {
      const view = { ...base, zoom: 0.3, pan: [...pan] as [number, number] };
      const fit = { scale: 1, x: 0, y: 0 };
      const of = { info, axis: 0, volume: info, base: 0, grid: null };
      const scene = { ...of, view, placement: placeSlice(info, 0, view), fit };
      const { top, left } = rulersOf(scene, 900, 500);
      const { x0, y0, width, height } = scene.placement;
      expect(top.ticks.length).toBeGreaterThan(0);
      expect(left.ticks.length).toBeGreaterThan(0);
      for (const { at, number } of top.ticks) {
        expect(at).toBeGreaterThanOrEqual(x0);
        expect(at).toBeLessThanOrEqual(x0 + width);
        expect(number).toBeGreaterThanOrEqual(1800);
        expect(number).toBeLessThanOrEqual(2760);
      }
      for (const { at, number } of left.ticks) {
        expect(at).toBeGreaterThanOrEqual(y0);
        expect(at).toBeLessThanOrEqual(y0 + height);
        expect(number).toBeLessThanOrEqual(3000);
      }
    }
  });
});

class StateOnly {
  state: ViewState = { ...base, slice_idx: [100, 100, 100], window: 200, level: 0 };
  readonly patches: ViewPatch[] = [];
  readonly ownView = new OwnView(() => false);
  constructor(
    readonly info = makeVolume("seismic").info,
    readonly role = "owner",
  ) {}
  patch(patch: ViewPatch): void {
    this.patches.push(patch);
    this.state = { ...this.state, ...patch };
  }
  get actions(): Actions {
    return new Actions(this as unknown as Session);
  }
}

describe("actions", () => {
  it("send absolute positions within the volume", () => {
    const session = new StateOnly();
    session.actions.step(10);
    session.actions.goTo(1e6);
    expect(session.patches).toEqual([
      { slice_idx: [110, 100, 100] },
      { slice_idx: [475, 100, 100] },
    ]);
  });

  it("send nothing when nothing changes, or when the viewer may only watch", () => {
    const session = new StateOnly();
    session.actions.goTo(100);
    const watcher = new StateOnly(undefined, "viewer");
    watcher.actions.step(1);
    expect([...session.patches, ...watcher.patches]).toEqual([]);
  });

  it("remember zoom and pan of each plane", () => {
    const session = new StateOnly();
    const actions = session.actions;
    session.patch({ zoom: 3, pan: [0.2, 0.8] });
    actions.setAxis(1);
    expect(session.state).toMatchObject({ axis: 1, zoom: 1, pan: [0.5, 0.5] });
    actions.setAxis(0);
    expect(session.state).toMatchObject({ axis: 0, zoom: 3, pan: [0.2, 0.8] });
  });

  it("keep amplitudes symmetric about zero, unless their level was set on purpose", () => {
    const session = new StateOnly();
    session.actions.dragRangeFrom({ window: 200, level: 0 }, 0.1, 0.5, false);
    expect(session.state.level).toBe(0);
    expect(session.state.window).toBeGreaterThan(200);
    session.patch({ window: 200, level: 77 });
    session.actions.nudgeRange(2, 0);
    expect(session.state).toMatchObject({ window: 400, level: 77 });
  });

  it("never send a window that is not positive", () => {
    const session = new StateOnly();
    session.actions.dragRangeFrom({ window: 200, level: 0 }, -100, 0, false);
    session.actions.setEnds(5, 5);
    expect(session.patches.every((p) => p.window === undefined || p.window > 0)).toBe(true);
  });

  it("undo the stretch when the slice is whole already", () => {
    const session = new StateOnly();
    session.patch({ zoom: 2, stretch: 3 });
    session.actions.fit();
    expect(session.state).toMatchObject({ zoom: 1, stretch: 3 });
    session.actions.fit();
    expect(session.state.stretch).toBe(1);
  });

  it("bring range, map and blocks of a label channel, and back", () => {
    const session = new StateOnly();
    session.actions.setChannel(1);
    expect(session.state).toMatchObject({ channel: 1, colormap: "labels", interpolate: false });
    session.actions.setChannel(0);
    expect(session.state).toMatchObject({ colormap: "seismic", interpolate: true, level: 0 });
  });

  it("bring a channel back as it was left", () => {
    const session = new StateOnly();
    session.patch({ window: 77, level: 5, colormap: "vik", reverse: true });
    const { actions } = session;
    actions.setChannel(1);
    actions.setChannel(0);
    expect(session.state).toMatchObject({ window: 77, level: 5, colormap: "vik", reverse: true });
  });
});

describe("a time slice", () => {
  it("says where north is, and turns about the middle of the pane", () => {
    const session = new StateOnly();
    session.patch({ axis: 2, zoom: 2, pan: [0.3, 0.6] });
    const scene = (): Scene => ({
      info: session.info,
      axis: 2,
      volume: session.info,
      base: 2,
      grid: null,
      view: session.state,
      placement: placeSlice(session.info, 2, session.state),
      fit: { scale: 1, x: 0, y: 0 },
    });
    const middle = (): number[] => {
      const { placement } = scene();
      const { column, row } = placement.toVoxel(450, 250);
      const at = [0, 0];
      at[placement.plane.columnAxis] = column;
      at[placement.plane.rowAxis] = row;
      return at;
    };
    const before = middle();
    session.actions.setNorthUp(true);
    expect(Math.abs(northOf(scene()) ?? 180)).toBeLessThanOrEqual(45);
    middle().forEach((v, i) => {
      expect(v).toBeCloseTo(before[i] ?? Number.NaN, 6);
    });
    session.actions.setNorthUp(false);
    expect(session.state.pan[0]).toBeCloseTo(0.3, 6);
    expect(session.state.pan[1]).toBeCloseTo(0.6, 6);
    session.patch({ axis: 0 });
    expect(northOf({ ...scene(), axis: 0 })).toBeNull();
  });
});

describe("crosshair", () => {
  const sceneOf = (session: StateOnly): Scene => {
    const { info, state } = session;
    const { axis } = state;
    return {
      info,
      axis,
      volume: info,
      base: axis,
      grid: null,
      view: state,
      placement: placeSlice(info, axis, state),
      fit: { scale: 0.5, x: 10, y: 20 },
    };
  };

  const marked = (scene: Scene, voxel: Voxel): Crosshair => {
    const crosshair = crosshairOf(scene, voxel);
    if (!crosshair) throw new Error("no crosshair");
    return crosshair;
  };
  const coloursOf = (lines: Crosshair["lines"]): Record<number, string> =>
    Object.fromEntries(lines.map(({ angle, colour }) => [angle, colour]));

  it("has lines in the colours of the planes that they stand for", () => {
    const seismic = new StateOnly();
    const { lines, words } = marked(sceneOf(seismic), [100, 200, 300]);
    expect(coloursOf(lines)).toEqual({ 90: "#4ade80", 0: "#ff5d5d" }); // crossline, time
    expect(words).toBe("Crosshair at IL\u00a01\u202f200 · XL\u00a02\u202f200 · 1\u202f200\u00a0ms");
    const head = new StateOnly(makeVolume("medical").info);
    head.patch({ axis: 2 });
    const axial = marked(sceneOf(head), [100, 100, 100]);
    expect(coloursOf(axial.lines)).toEqual({ 90: "#ffd23f", 0: "#4ade80" }); // sagittal, coronal
  });

  it.each(kinds)(
    "is placed without leaving the shown slice, and planes go through it (%s)",
    (kind) => {
      const session = new StateOnly(makeVolume(kind).info);
      session.actions.placeCrosshair([7, 50, 60]);
      expect(session.state.slice_idx).toEqual([100, 50, 60]);
      session.actions.setAxis(1);
      expect(session.actions.sliceIdx).toBe(50);
    },
  );

  it.each(kinds)("goes by voxels where the arrow points, also on flipped axes (%s)", (kind) => {
    for (const axis of [0, 1, 2]) {
      const session = new StateOnly(makeVolume(kind).info);
      session.patch({ axis, slice_idx: [20, 20, 20] });
      const before = marked(sceneOf(session), session.state.slice_idx).at;
      session.actions.moveCrosshair(1, 0);
      session.actions.moveCrosshair(0, 1);
      const after = marked(sceneOf(session), session.state.slice_idx).at;
      expect(after.x).toBeGreaterThan(before.x);
      expect(after.y).toBeGreaterThan(before.y);
      expect(session.actions.sliceIdx).toBe(20);
      session.actions.moveCrosshair(-1e6, -1e6);
      expect(
        session.state.slice_idx.every((v, i) => v >= 0 && v < (session.info.axes[i]?.n ?? 0)),
      ).toBe(true);
    }
  });

  it.each(kinds)("comes into the middle of the pane (%s)", (kind) => {
    const session = new StateOnly(makeVolume(kind).info);
    session.patch({ zoom: 3, slice_idx: [100, 30, 90] });
    session.actions.centreOnCrosshair();
    const scene = { ...sceneOf(session), fit: { scale: 1, x: 0, y: 0 } };
    const { at } = marked(scene, session.state.slice_idx);
    expect(at.x).toBeCloseTo(session.state.width_px / 2, 6);
    expect(at.y).toBeCloseTo(session.state.height_px / 2, 6);
  });
});

describe("facts", () => {
  it("say what the volume is, without what is not known", () => {
    const { info } = makeVolume("seismic");
    const facts = new Map(volumeFacts(info));
    expect(facts.get("Voxels")).toBe("476\u202f×\u202f481\u202f×\u202f751");
    expect(facts.get("Time")).toBe("0 – 3\u202f000\u00a0ms");
    expect(facts.get("Decoded")).toBe("860\u00a0MB");
    expect(
      volumeFacts({ ...info, world_unit: "", source: "", n_lods: 1 }).map(([label]) => label),
    ).not.toEqual(expect.arrayContaining(["Spacing"]));
  });
});

describe("the slice bar", () => {
  const loaded = {
    axis: 1,
    channel: 0,
    runs: [
      [0, 9],
      [50, 100],
    ],
  } as const;

  it("is dark where slices are in memory, half a slice to both sides", () => {
    const track = trackOf(loaded, 1, 0, 100);
    const shares = [...track.matchAll(/([\d.]+) \* \(/g)].map(([, share]) => Number(share));
    expect(shares).toEqual([0, 0, 0.095, 0.095, 0.495, 0.495, 1, 1]);
  });

  it("says nothing of another axis or channel than the one that was told", () => {
    expect(trackOf(loaded, 0, 0, 100)).toBe("none");
    expect(trackOf(loaded, 1, 1, 100)).toBe("none");
    expect(trackOf({ ...loaded, runs: [] }, 1, 0, 100)).toBe("none");
  });
});

describe("earlier views", () => {
  it("are those that were looked at, not those passed through", () => {
    const history = new ViewHistory();
    const at = (slice: number): ViewState => ({ ...base, slice_idx: [slice, 0, 0] });
    history.visit(at(1), 0);
    for (let i = 2; i < 60; i++) history.visit(at(i), 5000 + i * 16);
    history.visit(at(60), 6000);
    expect(history.back()?.slice_idx).toEqual([1, 0, 0]);
    expect(history.canGoBack).toBe(false);
    expect(history.forward()?.slice_idx).toEqual([60, 0, 0]);
  });

  it("are not made by a crosshair that moves", () => {
    const history = new ViewHistory();
    history.visit({ ...base, slice_idx: [1, 0, 0] }, 0);
    history.visit({ ...base, slice_idx: [1, 5, 6] }, 3000);
    expect(history.canGoBack).toBe(false);
    history.visit({ ...base, slice_idx: [2, 5, 6] }, 6000);
    expect(history.back()?.slice_idx[0]).toBe(1);
  });

  it("go on from the view that was gone back to", () => {
    const history = new ViewHistory();
    const at = (slice: number): ViewState => ({ ...base, slice_idx: [slice, 0, 0] });
    history.visit(at(1), 0);
    history.visit(at(2), 2000);
    const back = history.back();
    expect(back?.slice_idx).toEqual([1, 0, 0]);
    history.visit(at(1), 2100);
    history.visit(at(3), 4000);
    expect(history.back()?.slice_idx).toEqual([1, 0, 0]);
  });
});

describe("film", () => {
  it("loops or turns round at the ends", () => {
    expect([0, 1, 2, 3, 4].map((s) => playedSlice(3, s, 5, "loop"))).toEqual([3, 4, 0, 1, 2]);
    expect([0, 1, 2, 3, 4].map((s) => playedSlice(3, s, 5, "bounce"))).toEqual([3, 4, 3, 2, 1]);
  });

  it("shows where it should be by now, however late the browser repaints", () => {
    let now = 0;
    let next: (() => void) | null = null;
    let slice = 10;
    const shown: number[] = [];
    const cine = new Cine(
      {
        now: () => now,
        nextFrame: (callback) => {
          next = callback;
          return () => {
            next = null;
          };
        },
      },
      { current: () => slice, count: () => 100 },
      (to) => {
        slice = to;
        shown.push(to);
      },
      () => {},
    );
    const repaintAt = (ms: number): void => {
      now = ms;
      next?.();
    };
    cine.start();
    for (const ms of [50, 100, 160, 700]) repaintAt(ms);
    expect(shown).toEqual([11, 17]);
    cine.stop();
    expect(next).toBeNull();
  });
});

describe("states", () => {
  const status = (change: Partial<SessionStatus>): SessionStatus => ({
    ...FIRST_STATUS,
    phase: "live",
    progress: 1,
    ...change,
  });
  it.each([
    [{ phase: "failed" }, true, true, "failed"],
    [{ phase: "ended" }, true, true, "ended"],
    [{ phase: "reconnecting" }, true, true, "lost"],
    [{ phase: "opening" }, false, false, "opening"],
    [{}, true, false, "opening"],
    [{}, false, false, "empty"],
    [{ progress: 0.6 }, true, true, "sharpening"],
    [{}, true, true, "live"],
  ] as const)("%o is %s", (change, hasInfo, hasPicture, state) => {
    expect(paneStateOf(status(change), hasInfo, hasPicture)).toBe(state);
  });

  it("say how pictures come, as far as it is known", () => {
    const full = {
      transport: "webrtc",
      codec: "h264",
      displayedFps: 59.6,
      latencyMs: 31.2,
    } as const;
    expect(pathText(status(full))).toBe("WebRTC · H.264 · 60 fps · 31 ms");
    expect(pathText(status({ transport: "comm" }))).toBe("Notebook relay");
  });
});
