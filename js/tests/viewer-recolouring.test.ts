// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeVolume } from "../dev/volumes";
import { Palettes } from "../src/palettes";
import type { FrameHeader, ViewPatch, ViewState } from "../src/protocol";
import type { Frame, SessionStatus } from "../src/session";
import type { ViewContext } from "../src/viewer/context";
import type { Look } from "../src/viewer/recolour";
import { type Recolourer, Recolouring } from "../src/viewer/recolouring";
import { header, STATE } from "./fakes";

/** Keeps what it was asked for. */
class FakeRecolourer implements Recolourer {
  readonly canvas = document.createElement("canvas");
  readonly loads: string[] = [];
  draws = 0;
  works = true;
  constructor(readonly isQuick: boolean) {}
  load(_image: unknown, _width: number, _height: number, look: Look): void {
    this.loads.push(look.colormap);
  }
  draw(): boolean {
    this.draws++;
    return this.works;
  }
}

/** A picture drawn with window 4 about 0 in "seismic", and who looks at it. */
class Bench {
  readonly first: FakeRecolourer;
  readonly second = new FakeRecolourer(false);
  readonly life = new AbortController();
  readonly recolouring: Recolouring;
  state: ViewState = { ...STATE, window: 4, level: 0, colormap: "seismic" };
  ui = { shown: header(), recoloured: false };
  again = 0;
  private last: FrameHeader = this.ui.shown;
  private told = (_: SessionStatus): void => {};

  constructor(isQuick: boolean) {
    this.first = new FakeRecolourer(isQuick);
    const bench = this;
    const context = {
      session: {
        info: makeVolume("seismic").info,
        palettes: new Palettes(),
        get state() {
          return bench.state;
        },
        lastFrame: () => ({ header: bench.last, image: {} }) as unknown as Frame,
        onStatus: (told: (status: SessionStatus) => void) => {
          bench.told = told;
        },
      },
      signal: this.life.signal,
      get ui() {
        return bench.ui;
      },
      set: (change: object) => Object.assign(bench.ui, change),
    } as unknown as ViewContext;
    this.recolouring = new Recolouring(context, () => this.again++, [
      () => this.first,
      () => this.second,
    ]);
  }

  latency(latencyMs: number): void {
    this.told({ latencyMs } as SessionStatus);
  }

  want(patch: ViewPatch): boolean {
    this.state = { ...this.state, ...patch };
    return this.recolouring.update();
  }

  /** A frame arrives; it is on screen once it is painted. */
  arrives(change: Partial<FrameHeader>): FrameHeader {
    this.last = header(change);
    return this.last;
  }

  paint(shown: FrameHeader): boolean {
    this.ui.shown = shown;
    return this.recolouring.update();
  }
}

describe("while the true picture is on its way", () => {
  let bench: Bench;
  beforeEach(() => {
    vi.useFakeTimers();
    bench = new Bench(true);
  });
  afterEach(() => {
    bench.life.abort();
    vi.useRealTimers();
  });

  it("shows the one that is there in the wanted look, and nothing over the true one", () => {
    expect(bench.recolouring.update()).toBe(false);
    expect(bench.recolouring.element.hidden).toBe(true);
    expect(bench.want({ window: 5 })).toBe(true);
    expect(bench.recolouring.element.hidden).toBe(false);
    expect(bench.ui.recoloured).toBe(true);
    expect(bench.paint(bench.arrives({ frame_no: 1, window: 5 }))).toBe(false);
    expect(bench.recolouring.element.hidden).toBe(true);
    expect(bench.ui.recoloured).toBe(false);
  });

  it("leaves the page alone while pictures scroll: the same again makes it look for changes", () => {
    bench.recolouring.update();
    const written = vi.spyOn(bench.recolouring.element, "toggleAttribute");
    const set = vi.spyOn(bench.recolouring.element, "setAttribute");
    for (const frame_no of [1, 2, 3]) bench.paint(bench.arrives({ frame_no }));
    expect(written.mock.calls.length + set.mock.calls.length).toBe(0);
  });

  it("shows no wiggles in false colours, not even those that are on their way out", () => {
    expect(bench.want({ window: 5, display: "wiggle+density" })).toBe(false);
    bench.paint(bench.arrives({ frame_no: 1, window: 5, turn: 16 }));
    expect(bench.want({ window: 6, display: "density" })).toBe(false);
    expect(bench.paint(bench.arrives({ frame_no: 2, window: 5 }))).toBe(true);
  });

  it("reads each picture once, and draws only for another look", () => {
    for (const window of [5, 6, 6, 7]) bench.want({ window });
    expect([bench.first.loads.length, bench.first.draws]).toEqual([1, 3]);
    bench.paint(bench.arrives({ frame_no: 1, window: 5 }));
    expect([bench.first.loads.length, bench.first.draws]).toEqual([2, 4]);
  });

  it("keeps what it shows until a newer picture is painted", () => {
    bench.want({ window: 5 });
    const next = bench.arrives({ frame_no: 1, window: 4.5 });
    expect(bench.want({ window: 6 })).toBe(true); // not painted: nothing to read
    expect(bench.first.draws).toBe(2);
    bench.paint(next);
    expect(bench.first.loads.length).toBe(2);
  });

  it("follows the map and its direction, but never another channel or labels", () => {
    expect(bench.want({ colormap: "grey" })).toBe(true);
    expect(bench.first.loads).toEqual(["seismic"]);
    expect(bench.want({ colormap: "seismic", reverse: true })).toBe(true);
    expect(bench.want({ colormap: "labels" })).toBe(false);
    expect(bench.want({ colormap: "grey", channel: 1 })).toBe(false);
  });

  it("goes on with the next way when the graphics processor is taken away", () => {
    bench.first.works = false;
    expect(bench.want({ window: 5 })).toBe(false);
    expect(bench.want({ window: 6 })).toBe(true);
    expect(bench.second.draws).toBe(1);
  });

  it("does nothing on the processor where true pictures come soon, until none comes", () => {
    bench = new Bench(false);
    bench.latency(30);
    bench.latency(0); // nothing measured in the last seconds: the last figure counts
    expect(bench.want({ window: 5 })).toBe(false);
    vi.advanceTimersByTime(40);
    expect(bench.paint(bench.arrives({ frame_no: 1, window: 4.5 }))).toBe(false);
    vi.advanceTimersByTime(40);
    expect(bench.want({ window: 6 })).toBe(false);
    expect(bench.again).toBe(0);
    vi.advanceTimersByTime(10);
    expect(bench.again).toBe(1);
    expect(bench.recolouring.update()).toBe(true);
  });

  it("is at work at once where true pictures take long", () => {
    bench = new Bench(false);
    bench.latency(120);
    expect(bench.want({ window: 5 })).toBe(true);
  });
});
