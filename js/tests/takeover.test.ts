import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Ack,
  type FrameHeader,
  MessageType,
  type Stream,
  type ViewerMessage,
  type Welcome,
} from "../src/protocol";
import { RtpMatch } from "../src/rtp-match";
import type { Frame } from "../src/session";
import { Takeover } from "../src/takeover";
import type { Peer, PeerEvents } from "../src/webrtc";
import { FakeImage, frame, header, welcome } from "./fakes";

class FakePeer implements Peer {
  isLossy = false;
  readonly sent: string[] = [];
  readonly headers: FrameHeader[] = [];
  answered = "";
  isClosed = false;
  constructor(
    readonly events: PeerEvents,
    readonly isNear: boolean,
  ) {}
  get takesEncoded(): boolean {
    return !this.isNear;
  }
  answer(sdp: string): void {
    this.answered = sdp;
  }
  header(of: FrameHeader): void {
    this.headers.push(of);
  }
  send(text: string): boolean {
    this.sent.push(text);
    return true;
  }
  close(): void {
    this.isClosed = true;
  }
}

class Scene {
  readonly peers: FakePeer[] = [];
  readonly sent: ViewerMessage[] = [];
  readonly shown: Frame[] = [];
  renewals = 0;
  /** Of the link. */
  roundTripMs = 1;
  opens = (): void => {};
  readonly takeover = new Takeover(
    (_welcome, events, isNear) => {
      this.opens();
      const peer = new FakePeer(events, isNear);
      this.peers.push(peer);
      return peer;
    },
    {
      send: (message) => this.sent.push(message) > 0,
      frame: (shown) => this.shown.push(shown),
      text: () => {},
      changed: () => {},
      renew: () => {
        this.renewals += 1;
      },
      roundTripMs: () => Promise.resolve(this.roundTripMs),
    },
  );
  get peer(): FakePeer {
    const newest = this.peers.at(-1);
    if (!newest) throw new Error("no peer was opened");
    return newest;
  }
  get paths(): string[] {
    const streams = this.sent.filter((m): m is Stream => m.type === MessageType.STREAM);
    return streams.map((stream) => stream.path);
  }
  /** Started, connected, first picture shown. */
  live(via: Welcome["via"] = "proxy"): this {
    this.takeover.start(welcome({ via }));
    this.peer.events.connected();
    this.peer.events.frame(frame());
    return this;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("WebRTC", () => {
  it("acknowledges a single picture twice, and of pictures in a row only the last", () => {
    const { peer } = new Scene().live();
    const acknowledged = (): number[] => peer.sent.map((text) => JSON.parse(text).frame_no);
    vi.advanceTimersByTime(200);
    const first = acknowledged()[0];
    expect(acknowledged()).toEqual([first, first]);
    for (const frame_no of [7, 8, 9]) {
      peer.events.frame(frame({ frame_no }));
      vi.advanceTimersByTime(16);
    }
    vi.advanceTimersByTime(200);
    expect(acknowledged().slice(2)).toEqual([7, 8, 9, 9]);
  });

  it("acknowledges as often as the server wishes, and the newest picture in the end", () => {
    const scene = new Scene().live("direct");
    const acknowledged = () =>
      scene.sent.filter((m): m is Ack => m.type === MessageType.ACK).map((ack) => ack.frame_no);
    scene.takeover.acks.pace(90);
    for (const frame_no of [11, 12, 13, 14, 15]) {
      scene.peer.events.frame({ ...frame({ frame_no }), thereMs: performance.now() });
      vi.advanceTimersByTime(33);
    }
    expect(acknowledged().slice(-2)).toEqual([11, 14]);
    vi.advanceTimersByTime(90);
    expect(acknowledged().slice(-3)).toEqual([11, 14, 15]);
  });

  it("takes over with its first picture, not before", () => {
    const scene = new Scene();
    scene.takeover.start(welcome());
    scene.peer.events.connected();
    expect(scene.paths).toEqual([]);
    expect(scene.takeover.isActive).toBe(false);
    scene.peer.events.frame(frame());
    expect(scene.paths).toEqual(["webrtc"]);
    expect(scene.takeover.isActive).toBe(true);
    expect(scene.shown).toHaveLength(1);
  });

  it("carries input once it is active", () => {
    const scene = new Scene();
    scene.takeover.start(welcome());
    const ping = { type: MessageType.PING, n: 1 };
    expect(scene.takeover.send(ping)).toBe(false);
    scene.peer.events.connected();
    scene.peer.events.frame(frame());
    expect(scene.takeover.send(ping)).toBe(true);
    expect(scene.peer.sent).toContain(JSON.stringify(ping));
  });

  it("leaves small messages to a link that is as direct, and says whose acknowledgement it is", () => {
    const scene = new Scene().live("direct");
    expect(scene.takeover.send({ type: MessageType.PING, n: 1 })).toBe(false);
    expect(scene.peer.sent).toEqual([]);
    scene.peer.events.frame({ ...frame({ frame_no: 1 }), thereMs: 8.5 });
    const ack = { type: MessageType.ACK, frame_no: 1, of_rtc: true, there_ms: 8.5 };
    expect(scene.sent).toContainEqual(ack);
  });

  it("carries them itself where packets get lost, and while no picture answers", () => {
    const scene = new Scene().live("direct");
    const ping = { type: MessageType.PING, n: 1 };
    scene.peer.isLossy = true;
    expect(scene.takeover.send(ping)).toBe(true);
    scene.peer.isLossy = false;
    expect(scene.takeover.send(ping)).toBe(false);
    vi.advanceTimersByTime(250);
    expect(scene.takeover.send(ping)).toBe(true);
    scene.peer.events.frame(frame());
    expect(scene.takeover.send(ping)).toBe(false);
  });

  it("gives back at once when it breaks, and says why", () => {
    const scene = new Scene().live();
    scene.peer.events.failed("the network path broke");
    expect(scene.paths).toEqual(["webrtc", "socket"]);
    expect(scene.takeover.isActive).toBe(false);
    expect(scene.takeover.reason).toContain("the network path broke");
  });

  it("asks to be welcomed anew when its credentials have ended, and not with new ones", () => {
    const scene = new Scene();
    const give = (peer: number, lastsMs: number): void => {
      const username = `${Math.floor((Date.now() + lastsMs) / 1000)}:owner`;
      scene.takeover.start(welcome({ peer, ice_servers: [{ urls: "turn:t", username }] }));
    };
    const fail = (): void => {
      scene.peer.events.failed("the network path broke");
      vi.advanceTimersByTime(10_000);
    };
    give(1, 3_600_000);
    vi.advanceTimersByTime(3_601_000);
    fail();
    expect([scene.renewals, scene.peers.length]).toEqual([1, 1]);
    give(2, -5000); // by a clock that is wrong: they are tried, and others would be no better
    fail();
    vi.advanceTimersByTime(30_000);
    expect([scene.renewals, scene.peers.length]).toEqual([1, 3]);
  });

  it("gives back when states change and no picture comes", () => {
    const scene = new Scene().live();
    scene.takeover.expectPicture();
    vi.advanceTimersByTime(1999);
    expect(scene.takeover.isActive).toBe(true);
    vi.advanceTimersByTime(1);
    expect(scene.takeover.isActive).toBe(false);
    expect(scene.peer.isClosed).toBe(true);
  });

  it("asks the server for the keyframe that its decoder needs", () => {
    const scene = new Scene().live();
    scene.peer.events.wantKeyframe();
    expect(scene.sent).toContainEqual({ type: MessageType.KEYFRAME });
  });

  it("asks once for a picture that is late, before it gives up", () => {
    const scene = new Scene();
    scene.takeover.start(welcome());
    scene.peer.events.connected();
    vi.advanceTimersByTime(1999);
    expect(scene.sent).toEqual([{ type: MessageType.KEYFRAME }]);
    scene.peer.events.frame(frame());
    expect(scene.takeover.isActive).toBe(true);
    vi.advanceTimersByTime(50); // the acknowledgement goes once more
    expect(vi.getTimerCount()).toBe(0);
  });

  it("stays while pictures come, and at rest when none is due", () => {
    const scene = new Scene().live();
    scene.takeover.expectPicture();
    vi.advanceTimersByTime(1500);
    scene.peer.events.frame(frame());
    vi.advanceTimersByTime(60_000);
    expect(scene.takeover.isActive).toBe(true);
  });

  it("waits longer after each break before it tries again", () => {
    const scene = new Scene();
    scene.takeover.start(welcome());
    for (const [tries, pauseMs] of [
      [1, 10_000],
      [2, 30_000],
      [3, 90_000],
    ] as const) {
      scene.peer.events.failed("no network path");
      vi.advanceTimersByTime(pauseMs - 1);
      expect(scene.peers).toHaveLength(tries);
      vi.advanceTimersByTime(1);
      expect(scene.peers).toHaveLength(tries + 1);
    }
  });

  it("goes on over a second welcome of the same connection, and begins anew with another", () => {
    const scene = new Scene().live();
    scene.takeover.start(welcome());
    expect(scene.peers).toHaveLength(1);
    scene.takeover.start(welcome({ peer: 2 }));
    expect(scene.peers).toHaveLength(2);
    expect(scene.peers[0]?.isClosed).toBe(true);
  });

  it("is not tried where the server has it switched off", () => {
    const scene = new Scene();
    scene.takeover.start(welcome({ webrtc: false }));
    expect(scene.peers).toHaveLength(0);
    expect(scene.takeover.reason).not.toBe("");
  });

  it("is not tried before somebody looks", () => {
    const scene = new Scene();
    scene.takeover.setVisible(false);
    scene.takeover.start(welcome());
    expect(scene.peers).toHaveLength(0);
    scene.takeover.setVisible(true);
    expect(scene.peers).toHaveLength(1);
  });

  it("is not given up for want of pictures while nobody looks", () => {
    const scene = new Scene().live();
    scene.takeover.expectPicture();
    scene.takeover.setVisible(false);
    vi.advanceTimersByTime(5000);
    expect(scene.takeover.isActive).toBe(true);
  });

  it("ends with its link, without a timer left", () => {
    const scene = new Scene().live();
    scene.takeover.expectPicture();
    scene.takeover.stop();
    expect(scene.peer.isClosed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("WebRTC on a near link", () => {
  beforeEach(() => {
    vi.stubGlobal("MediaStreamTrackProcessor", class {});
    vi.stubGlobal(
      "VideoFrame",
      class {
        metadata(): object {
          return {};
        }
      },
    );
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });
  const soon = () => vi.advanceTimersByTimeAsync(0);

  async function nearScene(): Promise<Scene> {
    const scene = new Scene();
    scene.takeover.start(welcome({ via: "direct" }));
    await soon();
    scene.peer.events.connected();
    scene.peer.events.frame(frame());
    return scene;
  }

  it("is decoded by the browser, and elsewhere here", async () => {
    const scene = new Scene();
    scene.takeover.start(welcome({ via: "direct" }));
    expect(scene.peers).toHaveLength(0);
    await soon();
    expect(scene.peers.map(({ isNear }) => isNear)).toEqual([true]);
    expect(scene.takeover.takesEncoded).toBe(false);
    scene.roundTripMs = 8;
    scene.takeover.start(welcome({ via: "direct", peer: 2 }));
    await soon();
    expect(scene.peers.map(({ isNear }) => isNear)).toEqual([true, false]);
    scene.roundTripMs = 1;
    scene.takeover.start(welcome({ via: "kernel", peer: 3 }));
    expect(scene.peers.map(({ isNear }) => isNear)).toEqual([true, false, false]);
  });

  it("gets the headers that the link brings", async () => {
    const scene = await nearScene();
    const brought = header({ frame_no: 4 });
    scene.takeover.header(brought);
    expect(scene.peer.headers).toEqual([brought]);
  });

  it("begins anew at once when it is near no more, and stays with frames taken encoded", async () => {
    const scene = await nearScene();
    scene.peer.events.far("packets get lost");
    expect(scene.peers.map(({ isNear }) => isNear)).toEqual([true, false]);
    expect(scene.peers[0]?.isClosed).toBe(true);
    expect(scene.paths).toEqual(["webrtc", "socket"]);
    expect(scene.takeover.reason).toContain("packets get lost");
    scene.peer.events.connected();
    scene.peer.events.frame(frame());
    expect(scene.paths).toEqual(["webrtc", "socket", "webrtc"]);
    expect([scene.takeover.reason, scene.takeover.takesEncoded]).toEqual(["", true]);
    scene.takeover.start(welcome({ via: "direct", peer: 2 }));
    await soon();
    expect(scene.peers.map(({ isNear }) => isNear)).toEqual([true, false, false]);
  });

  it("is not tried a second time after it broke", async () => {
    const scene = await nearScene();
    scene.peer.events.failed("no network path");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(scene.peers.map(({ isNear }) => isNear)).toEqual([true, false]);
  });

  it("is tried again after the server had no time for it", async () => {
    const scene = await nearScene();
    scene.takeover.refused("Too many people join at once.");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(scene.peers.map(({ isNear }) => isNear)).toEqual([true, true]);
  });

  it("says why it cannot be opened, and tries again", async () => {
    const scene = new Scene();
    scene.opens = () => {
      throw new Error("no peers here");
    };
    scene.takeover.start(welcome({ via: "direct" }));
    await soon();
    expect(scene.takeover.reason).toContain("no peers here");
    scene.opens = () => {};
    await vi.advanceTimersByTimeAsync(10_000);
    expect(scene.peers).toHaveLength(1);
  });

  it("opens no peer for a link that was lost, or that nobody looks at, while it was measured", async () => {
    const scene = new Scene();
    scene.takeover.start(welcome({ via: "direct" }));
    scene.takeover.stop();
    await soon();
    expect(scene.peers).toHaveLength(0);
    scene.takeover.start(welcome({ via: "direct", peer: 2 }));
    scene.takeover.setVisible(false);
    await soon();
    expect(scene.peers).toHaveLength(0);
    scene.takeover.setVisible(true);
    scene.takeover.setVisible(true);
    await soon();
    expect(scene.peers.map(({ isNear }) => isNear)).toEqual([true]);
  });
});

describe("pictures and their headers", () => {
  function match() {
    const shown: [number, FakeImage][] = [];
    const pairs = new RtpMatch(({ header: { slice_idx }, image }) =>
      shown.push([slice_idx, image as unknown as FakeImage]),
    );
    const picture = (rtpTimestamp: number | undefined): FakeImage => {
      const image = new FakeImage();
      pairs.picture(image as unknown as VideoFrame, rtpTimestamp);
      return image;
    };
    return { pairs, shown, picture };
  }

  it("are brought together by the RTP timestamp, whichever comes first", () => {
    const { pairs, shown, picture } = match();
    pairs.header(header({ timestamp_90k: 100, slice_idx: 1 }));
    pairs.header(header({ timestamp_90k: 1600, slice_idx: 2 }));
    const first = picture(100);
    const third = picture(3100);
    expect(shown).toEqual([[1, first]]);
    pairs.header(header({ timestamp_90k: 3100, slice_idx: 3 }));
    expect(shown).toEqual([
      [1, first],
      [3, third],
    ]);
  });

  it("keep the time when the picture was there, however late its header is", () => {
    const there: (number | undefined)[] = [];
    const pairs = new RtpMatch(({ thereMs }) => there.push(thereMs));
    const give = (rtpTimestamp: number, thereMs: number): void =>
      pairs.picture(new FakeImage() as unknown as VideoFrame, rtpTimestamp, thereMs);
    pairs.header(header({ timestamp_90k: 100 }));
    give(100, 5);
    give(1600, 21);
    pairs.header(header({ timestamp_90k: 1600 }));
    expect(there).toEqual([5, 21]);
  });

  it("never give a picture the name of another: without its header it is replaced by the next", () => {
    const { pairs, shown, picture } = match();
    pairs.header(header({ timestamp_90k: 100, slice_idx: 1 }));
    const nameless = picture(1600);
    pairs.header(header({ timestamp_90k: 3100, slice_idx: 3 }));
    picture(3100);
    expect(shown.map(([slice]) => slice)).toEqual([3]);
    expect(nameless.isClosed).toBe(true);
  });

  it("go by order where the browser tells no timestamp", () => {
    const { pairs, shown, picture } = match();
    expect(picture(undefined).isClosed).toBe(true);
    pairs.header(header({ timestamp_90k: 100, slice_idx: 1 }));
    picture(undefined);
    expect(shown.map(([slice]) => slice)).toEqual([1]);
  });

  it("do not pile up when one of them never comes", () => {
    const { pairs, shown, picture } = match();
    for (let i = 0; i < 200; i++) pairs.header(header({ timestamp_90k: i, slice_idx: i }));
    const waiting = picture(0);
    picture(190);
    expect(waiting.isClosed).toBe(true);
    expect(shown.map(([slice]) => slice)).toEqual([190]);
  });
});
