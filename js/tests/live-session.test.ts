import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LatencyMeter } from "../src/latency";
import { LiveSession } from "../src/live-session";
import {
  type Ack,
  FrameFlags,
  HEADER_BYTES,
  type Hello,
  MessageType,
  type Status,
} from "../src/protocol";
import { Screen } from "../src/screen";
import type { SessionError } from "../src/session";
import type { OpenPeer, PeerEvents } from "../src/webrtc";
import { type FakeLink, FakeServer, frame, header, STATE } from "./fakes";

class Scene {
  constructor(private readonly openPeer: OpenPeer | null = null) {}

  readonly server = new FakeServer();
  readonly life = new AbortController();
  readonly slices: number[] = [];
  readonly notices: SessionError[] = [];
  readonly #flushes: (() => void)[] = [];
  readonly session = new LiveSession({
    openers: { websocket: this.server.opener("websocket") },
    openPeer: this.openPeer,
    peerObstacle: "This browser has WebRTC without H.264.",
    token: () => Promise.resolve("t"),
    pictures: () => Promise.resolve({ pictures: ["jpeg"], reason: "" }),
    later: (flush) => this.#flushes.push(flush),
    afterPaint: (run) => queueMicrotask(run),
  });

  async connect(): Promise<this> {
    this.session.onFrame(
      ({ header: { slice_idx } }) => this.slices.push(slice_idx),
      this.life.signal,
    );
    this.session.onNotice((error) => this.notices.push(error), this.life.signal);
    this.session.start();
    await pass(0);
    this.link.welcome();
    return this;
  }

  get link(): FakeLink {
    return this.server.link("websocket");
  }

  nextFrame(): void {
    for (const flush of this.#flushes.splice(0)) flush();
  }

  status(change: Partial<Status> = {}): void {
    this.link.say({
      type: MessageType.STATUS,
      worker: "ready",
      lod: 0,
      progress: 1,
      trouble: "",
      exact: false,
      encoder: "libx264",
      codec: "h264",
      viewers: 1,
      held_back: "",
      loaded: { axis: 0, channel: 0, runs: [] },
      ...change,
    });
  }

  async picture(frame_no: number, slice_idx = 45): Promise<void> {
    const { buffer } = pack(frame_no, slice_idx);
    this.link.frame(new DataView(buffer));
    await pass(0);
  }
}

/** A JPEG frame of the binary protocol; the picture itself is not looked at. */
function pack(frame_no: number, slice_idx: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(60);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 3);
  view.setUint32(8, frame_no, true);
  view.setInt32(20, slice_idx, true);
  return bytes;
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("createImageBitmap", () => Promise.resolve({ close() {} }));
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a volume that nobody waits for any longer", () => {
  it("is let go until it is asked for again", async () => {
    const scene = await new Scene().connect();
    expect(scene.session.status.phase).toBe("opening");
    scene.session.cancel();
    expect(scene.session.status.phase).toBe("stopped");
    expect(scene.link.isClosed).toBe(true);
    await pass(60_000);
    expect(scene.session.status.phase).toBe("stopped");
    scene.session.retry();
    await pass(0);
    scene.link.welcome();
    expect(scene.session.status.phase).toBe("opening");
  });
});

it("is the same page by each of its connections, and no other's", async () => {
  const pages: unknown[] = [];
  for (const scene of [new Scene(), new Scene()]) {
    await scene.connect();
    const first = scene.link;
    first.break();
    await pass(1000);
    scene.link.open();
    expect(scene.link).not.toBe(first);
    for (const link of [first, scene.link]) {
      const hello = link.of(MessageType.HELLO)[0] as Hello;
      pages.push(hello.page);
    }
  }
  expect(pages[0]).toBeTruthy();
  expect(pages[1]).toBe(pages[0]);
  expect(pages[3]).toBe(pages[2]);
  expect(pages[2]).not.toBe(pages[0]);
});

it("hears that the volume's values are other ones, and shows on", async () => {
  const scene = await new Scene().connect();
  await scene.picture(1);
  const before = scene.session.info;
  if (!before) throw new Error("no volume");
  const heard: number[] = [];
  scene.session.onInfo((info) => heard.push(info.channels[0]?.value_max ?? 0), scene.life.signal);
  const channels = before.channels.map((channel) => ({ ...channel, value_max: 4711 }));
  const info = { ...before, channels };
  scene.link.say({ type: MessageType.INFO, info });
  scene.link.say({ type: MessageType.INFO, info });
  expect(heard).toEqual([4711]);
  expect(scene.session.status.phase).toBe("live");
  expect(scene.session.lastFrame()?.header.frame_no).toBe(1);
  scene.session.stop();
});

it("gives the header of a picture that comes by WebRTC to who has the picture", async () => {
  const headers: number[] = [];
  let peer: PeerEvents | undefined;
  const openPeer: OpenPeer = (_welcome, events) => {
    peer = events;
    return {
      takesEncoded: false,
      isLossy: false,
      answer: () => {},
      header: ({ frame_no }) => headers.push(frame_no),
      send: () => true,
      close: () => {},
    };
  };
  const scene = await new Scene(openPeer).connect();
  await scene.picture(1);
  peer?.connected();
  peer?.frame(frame({ frame_no: 2, slice_idx: 46 }));
  await pass(0);
  const bytes = pack(3, 47).slice(0, HEADER_BYTES);
  bytes[0] = 1 | FrameFlags.HEADER_ONLY;
  const nAcks = scene.link.of(MessageType.ACK).length;
  scene.link.frame(new DataView(bytes.buffer));
  await pass(0);
  expect(headers).toEqual([3]);
  expect(scene.link.of(MessageType.ACK)).toHaveLength(nAcks);
  expect(scene.slices).toEqual([45, 46]);
  scene.session.stop();
});

describe("the phases of a session", () => {
  it("go from connecting over opening to live", async () => {
    const scene = new Scene();
    expect(scene.session.status.phase).toBe("connecting");
    await scene.connect();
    expect(scene.session.status).toMatchObject({ phase: "opening", transport: "websocket" });
    scene.status();
    await scene.picture(1);
    const said = { phase: "live", encoder: "libx264", codec: "jpeg" };
    expect(scene.session.status).toMatchObject(said);
    scene.life.abort();
    scene.session.stop();
  });

  it("keep the picture and count down while the connection is lost", async () => {
    const scene = await new Scene().connect();
    await scene.picture(1);
    scene.link.break();
    expect(scene.session.status).toMatchObject({ phase: "reconnecting", retryInMs: 200 });
    expect(scene.session.lastFrame()?.header.frame_no).toBe(1);
    await pass(200);
    scene.link.welcome();
    expect(scene.session.status.phase).toBe("live");
    scene.session.stop();
  });

  it("wait for a busy notebook however long, and say so", async () => {
    const scene = await new Scene().connect();
    await scene.picture(1);
    scene.link.break();
    const error = { code: "session-awaited", message: "It is busy.", hint: "" };
    for (let i = 0; i < 20; i++) {
      await pass(5000);
      scene.link.open();
      scene.link.say({ type: MessageType.ERROR, ...error, fatal: true });
    }
    const waits = { phase: "reconnecting", isNotebookBusy: true, error: null };
    expect(scene.session.status).toMatchObject(waits);
    await pass(5000);
    scene.link.welcome();
    expect(scene.session.status).toMatchObject({ phase: "live", isNotebookBusy: false });
    scene.session.stop();
  });

  it("say what to do when no way to the server is found, and go on trying", async () => {
    const scene = new Scene();
    scene.session.start();
    for (let i = 0; i < 4; i++) {
      await pass(5000);
      scene.link.break("refused");
    }
    expect(scene.session.status.phase).toBe("failed");
    expect(scene.session.status.error?.hint).not.toBe("");
    await pass(5000);
    scene.link.welcome();
    expect(scene.session.status).toMatchObject({ phase: "opening", error: null });
    scene.session.stop();
  });

  it("show a fatal error until a picture proves it mended", async () => {
    const scene = await new Scene().connect();
    const error = { code: "volume-format", message: "Cut off.", hint: "Copy it again." };
    scene.link.say({ type: MessageType.ERROR, ...error, fatal: true });
    expect(scene.session.status).toMatchObject({ phase: "failed", error });
    await scene.picture(1);
    expect(scene.session.status).toMatchObject({ phase: "live", error: null });
    scene.session.stop();
  });

  it("say why the browser's WebRTC is not used", async () => {
    const scene = await new Scene().connect();
    expect(scene.session.status.reason).toContain("WebRTC without H.264");
    scene.session.stop();
  });

  it("end when the server says so, for good", async () => {
    const scene = await new Scene().connect();
    scene.link.say({ type: MessageType.ENDED, reason: "closed" });
    scene.session.start();
    await pass(60_000);
    expect(scene.session.status.phase).toBe("ended");
    expect(scene.server.count("websocket")).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("input", () => {
  it("is joined into one message per animation frame, with the newest values", async () => {
    const scene = await new Scene().connect();
    for (const idx of [46, 47, 48]) scene.session.patch({ slice_idx: [idx, 54, 32] });
    expect(scene.session.state.slice_idx[0]).toBe(48);
    expect(scene.link.of(MessageType.CHANGE_SLICE)).toHaveLength(0);
    scene.nextFrame();
    expect(scene.link.of(MessageType.CHANGE_SLICE)).toMatchObject([{ slice_idx: 48 }]);
    scene.session.stop();
  });

  it("is sent again until it is acknowledged, less and less often", async () => {
    const scene = await new Scene().connect();
    scene.session.patch({ zoom: 2 });
    scene.nextFrame();
    await pass(150 + 300);
    const sent = scene.link.of(MessageType.ZOOM_PAN);
    expect(sent).toHaveLength(3);
    const { seq } = sent[2] as { seq: number };
    scene.link.say({ type: MessageType.STATE, seq, state: { ...STATE, revision: 2, zoom: 2 } });
    await pass(5000);
    expect(scene.link.of(MessageType.ZOOM_PAN)).toHaveLength(3);
    scene.session.stop();
  });

  it("made while disconnected is sent after the welcome", async () => {
    const scene = await new Scene().connect();
    scene.link.break();
    scene.session.patch({ window: 7 });
    scene.nextFrame();
    await pass(200);
    scene.link.welcome();
    expect(scene.link.of(MessageType.WINDOW_LEVEL)).toMatchObject([{ window: 7 }]);
    scene.session.stop();
  });

  it("that is refused is taken back, with a notice", async () => {
    const scene = await new Scene().connect();
    scene.session.patch({ zoom: 1000 });
    scene.nextFrame();
    const refusal = { code: "state", message: "zoom = 1000 is out of range.", hint: "" };
    scene.link.say({ type: MessageType.ERROR, ...refusal, fatal: false });
    expect(scene.session.state.zoom).toBe(1);
    expect(scene.notices).toEqual([refusal]);
    scene.session.stop();
  });
});

it("hands on that the own voice was refused, with a notice", async () => {
  const scene = await new Scene().connect();
  const refused = vi.spyOn(scene.session.call.voice, "refused");
  const refusal = { code: "voice", message: "Only voices of the call are recorded.", hint: "" };
  scene.link.say({ type: MessageType.ERROR, ...refusal, fatal: false });
  expect([refused.mock.calls.length, scene.notices]).toEqual([1, [refusal]]);
  scene.session.stop();
});

describe("pictures", () => {
  it("are acknowledged after they were shown, with the time when they came", async () => {
    const scene = await new Scene().connect();
    await pass(30);
    let decoded = (_image: object): void => {};
    const bitmap = new Promise<object>((resolve) => {
      decoded = resolve;
    });
    vi.stubGlobal("createImageBitmap", () => bitmap);
    const there_ms = performance.now();
    await scene.picture(7, 3);
    await pass(80);
    expect(scene.link.of(MessageType.ACK)).toEqual([]);
    decoded({ close() {} });
    await pass(0);
    expect(scene.slices).toEqual([3]);
    expect(there_ms).toBeGreaterThan(0);
    const ack = { type: MessageType.ACK, frame_no: 7, there_ms };
    expect(scene.link.of(MessageType.ACK)).toEqual([ack]);
    scene.session.stop();
  });

  it("are acknowledged as often as the server wishes, until the link is lost", async () => {
    const scene = await new Scene().connect();
    const acknowledged = () => scene.link.of(MessageType.ACK).map((ack) => (ack as Ack).frame_no);
    scene.link.say({ type: MessageType.ACK_PACE, every_ms: 90 });
    for (let n = 1; n <= 4; n += 1) {
      await scene.picture(n);
      scene.nextFrame();
      await pass(33);
    }
    expect(acknowledged()).toEqual([1, 4]);
    scene.link.say({ type: MessageType.ACK_PACE, every_ms: 0 });
    await scene.picture(5);
    scene.nextFrame();
    await pass(0);
    expect(acknowledged()).toEqual([1, 4, 5]);
    scene.session.stop();
  });

  it("are reported once a second while there is something new to report", async () => {
    const scene = await new Scene().connect();
    await scene.picture(1);
    await pass(1000);
    const reports = () => scene.link.of(MessageType.REPORT).length;
    expect(scene.link.of(MessageType.REPORT)).toMatchObject([{ displayed_fps: 1 }]);
    await pass(1000);
    const atRest = reports();
    await pass(3000);
    expect(reports()).toBe(atRest);
    scene.session.stop();
  });

  it("are not wanted while nobody looks", async () => {
    const scene = await new Scene().connect();
    scene.session.setVisible(false);
    scene.session.setVisible(true);
    const streams = scene.link.of(MessageType.STREAM);
    expect(streams).toMatchObject([{ visible: false }, { visible: true }]);
    scene.session.stop();
  });
});

describe("the screen", () => {
  it("shows no picture that is older than the one shown", () => {
    const screen = new Screen(new LatencyMeter());
    const late = frame({ frame_no: 4 });
    expect(screen.show(frame({ frame_no: 5 }))).toBe(true);
    expect(screen.show(late)).toBe(false);
    expect(late.image.isClosed).toBe(true);
    expect(screen.frame?.header.frame_no).toBe(5);
  });

  it("goes on where the numbers begin again", () => {
    const screen = new Screen(new LatencyMeter());
    screen.show(frame({ frame_no: 0x7fffffff }));
    expect(screen.show(frame({ frame_no: 0 }))).toBe(true);
    screen.restart();
    screen.show(frame({ frame_no: 900 }));
    screen.restart();
    expect(screen.show(frame({ frame_no: 1 }))).toBe(true);
  });

  it("keeps the shown picture open, and closes it after the next was drawn", () => {
    const screen = new Screen(new LatencyMeter());
    const [first, second] = [frame({ frame_no: 1 }), frame({ frame_no: 2 })];
    const openWhenDrawn: boolean[] = [];
    screen.listeners.add(
      () => openWhenDrawn.push(!first.image.isClosed),
      new AbortController().signal,
    );
    screen.show(first);
    screen.show(second);
    expect(openWhenDrawn).toEqual([true, true]);
    expect(first.image.isClosed).toBe(true);
    expect(second.image.isClosed).toBe(false);
  });

  it("keeps the exact still when a keyframe shows the same again, and no longer", () => {
    const screen = new Screen(new LatencyMeter());
    const still = header({ flags: 13, frame_no: 1, revision: 7 });
    screen.show({ ...frame(), header: still });
    const again = frame({ flags: 1, frame_no: 2, revision: 7 });
    expect(screen.show(again)).toBe(false);
    expect(again.image.isClosed).toBe(true);
    expect(screen.show(frame({ flags: 0, frame_no: 3, revision: 7 }))).toBe(true); // new data
    expect(screen.show(frame({ flags: 1, frame_no: 4, revision: 7 }))).toBe(true);
    screen.show({ ...frame(), header: header({ flags: 13, frame_no: 5, revision: 7 }) });
    expect(screen.show(frame({ flags: 1, frame_no: 6, revision: 8 }))).toBe(true);
  });

  it("calls only an exact still exact", () => {
    const screen = new Screen(new LatencyMeter());
    screen.show({ ...frame(), header: header({ flags: 9, frame_no: 1 }) });
    expect(screen.isExact).toBe(false);
    screen.show({ ...frame(), header: header({ flags: 13, frame_no: 2 }) });
    expect(screen.isExact).toBe(true);
  });
});
