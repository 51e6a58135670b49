// @vitest-environment happy-dom

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveLabels } from "../src/labels/link";
import { LiveAnnotations } from "../src/live-annotations";
import { LiveRecording } from "../src/live-recording";
import { OwnView } from "../src/own-view";
import { Palettes } from "../src/palettes";
import { People } from "../src/people";
import { Pointing } from "../src/pointing";
import type { FrameHeader } from "../src/protocol";
import type { Frame, Session } from "../src/session";
import { FIRST_STATUS } from "../src/status";
import { Actions } from "../src/viewer/actions";
import { ViewContext } from "../src/viewer/context";
import { PaneSize, Picture } from "../src/viewer/picture";
import { Settings } from "../src/viewer/settings";
import { header, INFO, STATE } from "./fakes";

class FakeVideoFrame {
  static open = 0;
  readonly displayWidth = 960;
  isClosed = false;
  constructor(readonly name: string) {
    FakeVideoFrame.open += 1;
  }
  clone(): FakeVideoFrame {
    return new FakeVideoFrame(this.name);
  }
  close(): void {
    if (!this.isClosed) FakeVideoFrame.open -= 1;
    this.isClosed = true;
  }
}

/** A track that takes every frame, as Chromium's does, and closes it. */
class FakeGenerator {
  static written: string[] = [];
  readonly writable = {
    getWriter: () => ({
      desiredSize: 1,
      closed: new Promise<void>(() => {}),
      write: (frame: FakeVideoFrame) => {
        FakeGenerator.written.push(frame.name);
        frame.close();
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    }),
  };
  stop(): void {}
}

class Stage {
  readonly life = new AbortController();
  readonly drawn: string[] = [];
  readonly picture: Picture;
  readonly arrivals: (() => void)[] = [];
  look: Pick<FrameHeader, "window" | "level"> = STATE;
  #show: (frame: Frame) => void = () => {};

  constructor() {
    const listen = (): void => {};
    const state = () => ({ ...STATE, ...this.look });
    const session = {
      people: new People(() => false),
      call: { onChange() {} },
      ownView: new OwnView(() => false),
      get state() {
        return state(); // the server's: nothing is to be recoloured
      },
      info: INFO,
      palettes: new Palettes(),
      status: FIRST_STATUS,
      role: "owner",
      annotations: new LiveAnnotations(() => false),
      recording: new LiveRecording(() => false),
      labels: new LiveLabels(() => false),
      pointing: new Pointing(),
      onFrame: (listener: (frame: Frame) => void) => {
        this.#show = listener;
      },
      onState: listen,
      onStatus: listen,
      onInfo: listen,
      onValue: listen,
      onNotice: listen,
      lastFrame: () => null,
    } as unknown as Session;
    const brush = {
      canvas: { width: 960, height: 540 },
      drawImage: ({ name }: FakeVideoFrame) => this.drawn.push(name),
    };
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(brush as never);
    const video = HTMLVideoElement.prototype as unknown as Record<string, unknown>;
    video.play = () => Promise.resolve();
    video.requestVideoFrameCallback = (arrived: () => void) => this.arrivals.push(arrived);
    Object.defineProperty(video, "paused", { configurable: true, get: () => false });
    Object.defineProperty(video, "srcObject", { configurable: true, value: null, writable: true });
    this.picture = new Picture(
      new ViewContext(session, this.life.signal, new Settings(() => null)),
    );
  }

  /** A decoded frame comes; `name` is what it shows. */
  show(name: string, change: Partial<FrameHeader> = {}): void {
    const image = new FakeVideoFrame(name);
    const { window, level } = header(change);
    this.look = { window, level };
    this.#show({ header: header(change), image } as unknown as Frame);
    image.close();
  }

  /** An exact still or a JPEG comes. */
  showStill(name: string, change: Partial<FrameHeader> = {}): void {
    this.#show({ header: header(change), image: { name } } as unknown as Frame);
  }

  /** What the video was given until now is on screen. */
  arrive(): void {
    for (const arrived of this.arrivals.splice(0)) arrived();
  }

  get isVideo(): boolean {
    return this.picture.source.tagName === "VIDEO";
  }
}

beforeEach(() => {
  FakeGenerator.written = [];
  FakeVideoFrame.open = 0;
  vi.stubGlobal("VideoFrame", FakeVideoFrame);
  vi.stubGlobal("MediaStreamTrackGenerator", FakeGenerator);
  vi.stubGlobal("MediaStream", class {});
  vi.useFakeTimers(); // no two pictures are "in motion": all that is not for the video is drawn
});
afterEach(() => {
  vi.useRealTimers();
});

/** Slices 1 and 2 by the canvas, the second also by the video, where it has arrived. */
function scrolled(): Stage {
  const stage = new Stage();
  stage.show("1", { slice_idx: 1 });
  vi.advanceTimersByTime(1000);
  stage.show("2", { slice_idx: 2 });
  vi.advanceTimersByTime(1000);
  stage.arrive();
  return stage;
}

describe("the picture", () => {
  it("goes by the canvas first: the video has nothing to show yet", () => {
    const stage = new Stage();
    stage.show("1", { slice_idx: 1 });
    expect(stage.drawn).toEqual(["1"]);
    expect(stage.isVideo).toBe(false);
  });

  it("has no video that waits for a frame: it would hold up the page's load event", () => {
    const stage = new Stage();
    stage.show("1", { slice_idx: 1 });
    expect(stage.picture.element.querySelector("video")?.srcObject).toBeNull();
    vi.advanceTimersByTime(1000);
    stage.show("2", { slice_idx: 2 });
    expect(stage.picture.element.querySelector("video")?.srcObject).not.toBeNull();
  });

  it("goes by the video once that shows what the canvas shows", () => {
    const stage = scrolled();
    expect(stage.isVideo).toBe(false);
    stage.show("3", { slice_idx: 3 });
    expect(stage.drawn).toEqual(["1", "2"]);
    expect(FakeGenerator.written).toEqual(["2", "3"]);
    expect(stage.isVideo).toBe(true);
    expect(stage.picture.canvas.style.visibility).toBe("hidden");
  });

  it("stays with the canvas until the video's first picture has arrived", () => {
    const stage = new Stage();
    for (const slice_idx of [1, 2, 3]) {
      stage.show(String(slice_idx), { slice_idx });
      vi.advanceTimersByTime(1000);
    }
    expect(stage.drawn).toEqual(["1", "2", "3"]);
    stage.arrive();
    stage.show("4", { slice_idx: 4 });
    expect(stage.isVideo).toBe(true);
  });

  it("shows an exact still on the canvas, and the next slice by the video at once", () => {
    const stage = scrolled();
    stage.show("3", { slice_idx: 3 });
    stage.showStill("3 exactly", { slice_idx: 3 });
    expect(stage.isVideo).toBe(false);
    expect(stage.picture.canvas.style.visibility).toBe("");
    stage.show("4", { slice_idx: 4 });
    expect(stage.isVideo).toBe(true);
  });

  it.each([
    ["zoom", { zoom: 2 }],
    ["pan", { pan_x: 0.25 }],
    ["window", { window: 9 }],
    ["level", { level: 1 }],
    ["size", { width_px: 480 }],
    ["plane", { axis: 1 }],
    ["channel", { channel: 1 }],
  ])("draws a picture of another %s: it must come in one refresh with the page", (_, change) => {
    const stage = scrolled();
    stage.show("3", { slice_idx: 3 });
    vi.advanceTimersByTime(1000);
    stage.show("other", { slice_idx: 3, ...change });
    expect(stage.isVideo).toBe(false);
    expect(stage.drawn.at(-1)).toBe("other");
  });

  it("never uncovers a video that shows another view", () => {
    const stage = scrolled();
    stage.show("zoomed 2", { slice_idx: 2, zoom: 2 });
    vi.advanceTimersByTime(1000);
    stage.show("zoomed 3", { slice_idx: 3, zoom: 2 });
    vi.advanceTimersByTime(1000);
    expect(stage.isVideo).toBe(false);
    stage.arrive();
    stage.show("zoomed 4", { slice_idx: 4, zoom: 2 });
    expect(stage.isVideo).toBe(true);
  });

  it("keeps no frame open", () => {
    const stage = scrolled();
    stage.show("3", { slice_idx: 3 });
    stage.life.abort();
    expect(FakeVideoFrame.open).toBe(0);
  });

  it("goes by the canvas alone where the browser cannot feed a video", () => {
    vi.stubGlobal("MediaStreamTrackGenerator", undefined);
    const stage = scrolled();
    stage.show("3", { slice_idx: 3 });
    expect(stage.drawn).toEqual(["1", "2", "3"]);
    expect(stage.picture.element.querySelector("video")).toBeNull();
  });
});

it("of who follows has the shown view's size: none is asked for, which would be refused", () => {
  let measure = (): void => {};
  class FakeObserver {
    constructor(measured: (entries: readonly unknown[]) => void) {
      measure = () => measured([]);
    }
    observe(): void {}
    disconnect(): void {}
  }
  vi.stubGlobal("ResizeObserver", FakeObserver);
  const asked: unknown[] = [];
  const session = {
    role: "viewer",
    info: INFO,
    state: STATE,
    ownView: new OwnView(() => false),
    onInfo: () => {},
    patch: (size: unknown) => asked.push(size),
  };
  const actions = new Actions(session as unknown as Session, () => asked.push("refused"));
  const pane = { clientWidth: 300, clientHeight: 200 } as HTMLElement;
  const { signal } = new AbortController();
  const context = { session, actions, signal, set() {} } as unknown as ViewContext;
  new PaneSize(pane, context, () => {});
  measure();
  expect(asked).toEqual([]);
  session.role = "editor";
  measure();
  vi.advanceTimersByTime(1000);
  expect(asked).toEqual([{ width_px: 300, height_px: 200 }]);
});
