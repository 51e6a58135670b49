/** A call that goes over to an SFU: nobody is lost on the way, and what breaks begins anew. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Relay } from "../src/call/relay";
import { Ways } from "../src/call/ways";
import {
  type Call,
  type CallMedia,
  type CallMediaTold,
  type CallMember,
  type CallSignal,
  type CallTrack,
  MessageType,
} from "../src/protocol";

const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

class FakeTrack extends EventTarget {
  static n = 0;
  readonly id = `track ${FakeTrack.n++}`;
  muted = true;
  constructor(readonly kind: "audio" | "video") {
    super();
  }
  begin(): void {
    this.muted = false;
    this.dispatchEvent(new Event("unmute"));
  }
}
const track = (kind: "audio" | "video") => new FakeTrack(kind) as unknown as MediaStreamTrack;

class FakeLine {
  readonly receiver: { track: FakeTrack; getStats(): Promise<Map<string, unknown>> };
  readonly sender = {
    track: null as MediaStreamTrack | null,
    replaceTrack: (wanted: MediaStreamTrack | null) => {
      this.sender.track = wanted;
      return Promise.resolve();
    },
    getParameters: () => ({ encodings: [{}] }),
    setParameters: () => Promise.resolve(),
  };
  constructor(
    kind: "audio" | "video",
    readonly mid: string,
    public direction: string,
  ) {
    const track = new FakeTrack(kind);
    this.receiver = { track, getStats: () => Promise.resolve(new Map()) };
  }
}

/** A line for each `m=` of an offer, which lives as long as the connection. */
class FakeConnection extends EventTarget {
  static made: FakeConnection[] = [];
  connectionState = "new";
  signalingState = "stable";
  currentRemoteDescription: unknown = null;
  localDescription: { type: string; sdp: string } | null = null;
  readonly lines: FakeLine[] = [];
  readonly remote: RTCSessionDescriptionInit[] = [];
  readonly candidates: unknown[] = [];
  stats = new Map<string, unknown>();
  isClosed = false;
  refuses = false;
  /** It is closed while it takes a description: that never ends. */
  hangs = false;

  constructor() {
    super();
    FakeConnection.made.push(this);
  }
  addTransceiver(kind: "audio" | "video", { direction }: { direction: string }): void {
    this.lines.push(new FakeLine(kind, `${this.lines.length}`, direction));
  }
  getTransceivers(): FakeLine[] {
    return this.lines;
  }
  getStats(): Promise<Map<string, unknown>> {
    return Promise.resolve(this.stats);
  }
  setLocalDescription(): Promise<void> {
    const type = this.remote.at(-1)?.type === "offer" ? "answer" : "offer";
    this.localDescription = { type, sdp: `v=0 ${type}` };
    return Promise.resolve();
  }
  setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    if (this.refuses) return Promise.reject(new Error("cannot be read"));
    this.remote.push(description);
    if (this.hangs) return new Promise(() => {});
    const kinds = (description.sdp ?? "").match(/m=(audio|video)/g) ?? [];
    for (const kind of kinds.slice(this.lines.length)) {
      this.addTransceiver(kind.slice(2) as "audio" | "video", { direction: "recvonly" });
    }
    return Promise.resolve();
  }
  addIceCandidate(candidate: unknown): Promise<void> {
    this.candidates.push(candidate);
    return Promise.resolve();
  }
  restartIce(): void {}
  path(state: string): void {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }
  close(): void {
    this.isClosed = true;
    this.connectionState = "closed";
  }
}
const made = () => FakeConnection.made;
const connect = () => new FakeConnection() as unknown as RTCPeerConnection;

beforeEach(() => {
  vi.useFakeTimers();
  FakeConnection.made = [];
  vi.stubGlobal(
    "MediaStream",
    class {
      constructor(readonly tracks: unknown[]) {}
    },
  );
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

// ------------------------------------------------------------------ the connections with the SFU

class AtSfu {
  readonly told: Omit<CallMedia, "type">[] = [];
  changes = 0;
  readonly relay: Relay;
  constructor(voice = track("audio")) {
    this.relay = new Relay(
      {
        connect,
        tell: (message) => void this.told.push(message),
        changed: () => {
          this.changes += 1;
        },
      },
      { audio: voice, video: null },
    );
  }
  get n(): number {
    return this.told.at(-1)?.n ?? 0;
  }
  say(way: "up" | "down", signal: CallMediaTold["signal"], tracks: CallTrack[] = []): void {
    this.relay.receive({ type: MessageType.CALL_MEDIA, n: this.n, way, signal, tracks });
  }
  /** The answer, and both connections come up with these voices and pictures. */
  async connected(...tracks: CallTrack[]): Promise<FakeConnection> {
    await pass();
    const up = made().at(-1);
    this.say("up", { type: "sdp", kind: "answer", sdp: "v=0" });
    await pass();
    up?.path("connected");
    const down = await this.offered(...tracks);
    down.path("connected");
    return down;
  }
  async offered(...tracks: CallTrack[]): Promise<FakeConnection> {
    const sdp = `v=0 ${tracks.map(({ kind }) => `m=${kind}`).join(" ")}`;
    this.say("down", { type: "sdp", kind: "offer", sdp }, tracks);
    await pass();
    return made().at(-1) as FakeConnection;
  }
}
const voiceOf = (seat: string, mid = "0"): CallTrack => ({ mid, kind: "audio", seat });
const pictureOf = (seat: string, mid: string): CallTrack => ({ mid, kind: "video", seat });

describe("the connections with the SFU", () => {
  it("offer a voice and a picture, and answer what is offered", async () => {
    const voice = track("audio");
    const at = new AtSfu(voice);
    const down = await at.connected(voiceOf("b"));
    const [up] = made();
    expect(up?.lines.map(({ direction }) => direction)).toEqual(["sendonly", "sendonly"]);
    expect(up?.lines[0]?.sender.track).toBe(voice);
    expect(at.told.map(({ way, signal }) => [way, signal.type === "sdp" && signal.kind])).toEqual([
      ["up", "offer"],
      ["down", "answer"],
    ]);
    expect(at.relay.state).toBe("connected");
    expect(at.relay.hears("b")).toBe(false);
    down.lines[0]?.receiver.track.begin();
    expect(at.relay.hears("b")).toBe(true);
    at.relay.close();
    expect(made().every(({ isClosed }) => isClosed)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("know whose voice a line carries, when that becomes another one's", async () => {
    const at = new AtSfu();
    await at.connected(voiceOf("b"), pictureOf("b", "1"));
    const voice = at.relay.streamOf("b", "audio");
    await at.offered(voiceOf("b"), pictureOf("c", "1"));
    expect(at.relay.streamOf("b", "audio")).toBe(voice);
    expect(at.relay.streamOf("b", "video")).toBeNull();
    expect(at.relay.streamOf("c", "video")).not.toBeNull();
    await at.offered(voiceOf("c"));
    expect(at.relay.streamOf("b", "audio")).toBeNull();
    at.relay.close();
  });

  it("hear somebody who only listens, after a while", async () => {
    const at = new AtSfu();
    await at.connected(voiceOf("b"));
    await pass(2900);
    expect(at.relay.hears("b")).toBe(false);
    await pass(200);
    expect(at.relay.hears("b")).toBe(true);
    at.relay.close();
  });

  it("say how loud each voice is", async () => {
    const at = new AtSfu();
    const down = await at.connected(voiceOf("b"), voiceOf("c", "1"));
    const [b, c] = down.lines.map(({ receiver }) => receiver.track.id);
    const voice = { type: "inbound-rtp", kind: "audio", totalSamplesDuration: 1 };
    down.stats.set("b", { ...voice, trackIdentifier: b, totalAudioEnergy: 0.25 });
    down.stats.set("c", { ...voice, trackIdentifier: c, totalAudioEnergy: 0 });
    expect([...(await at.relay.levels())]).toEqual([
      ["b", 0.5],
      ["c", 0],
    ]);
    at.relay.close();
  });

  it("change microphones and cameras without a word", async () => {
    const at = new AtSfu();
    await at.connected(voiceOf("b"));
    const n = at.told.length;
    const camera = track("video");
    at.relay.send("video", camera);
    expect(made()[0]?.lines[1]?.sender.track).toBe(camera);
    at.relay.send("audio", null);
    expect(made()[0]?.lines[0]?.sender.track).toBeNull();
    expect(at.told).toHaveLength(n);
    at.relay.close();
  });

  it("begin anew when the SFU lets go, with growing pauses, and hear nothing of before", async () => {
    const at = new AtSfu();
    await at.connected(voiceOf("b"));
    const { n } = at;
    at.say("up", { type: "end" });
    await pass(900);
    expect(at.n).toBe(n);
    await pass(200);
    expect(at.n).toBe(n + 1);
    expect(made().map(({ isClosed }) => isClosed)).toEqual([true, true, false]);
    at.relay.receive({
      type: MessageType.CALL_MEDIA,
      n,
      way: "down",
      signal: { type: "sdp", kind: "offer", sdp: "v=0 m=audio" },
      tracks: [voiceOf("b")],
    });
    await pass();
    expect(made()).toHaveLength(3);
    at.say("up", { type: "end" });
    await pass(1500);
    expect(at.n).toBe(n + 1);
    await pass(600);
    expect(at.n).toBe(n + 2);
    at.relay.close();
  });

  it("take what comes to the next attempt though the former one was closed in the middle", async () => {
    const at = new AtSfu();
    await pass();
    const [up] = made();
    if (up) up.hangs = true;
    const { n } = at;
    at.say("up", { type: "sdp", kind: "answer", sdp: "v=0" });
    await pass();
    at.relay.signalsAgain();
    await at.connected(voiceOf("b"));
    expect(at.n).toBe(n + 1);
    expect(at.relay.state).toBe("connected");
    expect(at.relay.streamOf("b", "audio")).not.toBeNull();
    at.relay.close();
  });

  it("begin anew when nothing is answered, a path fails, or an offer cannot be read", async () => {
    const at = new AtSfu();
    await pass();
    const first = at.n;
    await pass(15_100);
    expect(at.n).toBe(first + 1);
    const down = await at.connected(voiceOf("b"));
    down.path("disconnected");
    down.path("connected");
    await pass(10_000);
    expect(at.n).toBe(first + 1);
    down.path("failed");
    await pass(1100);
    expect(at.n).toBe(first + 2);
    const again = await at.connected(voiceOf("b"));
    vi.spyOn(console, "warn").mockImplementation(() => {});
    again.refuses = true;
    await at.offered(voiceOf("b"), voiceOf("c", "1"));
    await pass(1100);
    expect(at.n).toBe(first + 3);
    at.relay.close();
    await pass(60_000);
    expect(at.n).toBe(first + 3);
  });
});

// ------------------------------------------------------------------ going over

class Page {
  readonly sent: (CallSignal | CallMedia)[] = [];
  stuck = 0;
  readonly ways = new Ways({
    connect,
    send: (message) => void this.sent.push(message),
    changed: () => {},
    stuck: () => {
      this.stuck += 1;
    },
  });
  told(change: Partial<Call>, ...others: string[]): void {
    const members = ["b", ...others].map((seat) => member(seat));
    const call = { seat: "b", members, mesh: true, sfu: 0, trouble: "" };
    this.ways.told({ type: MessageType.CALL, ...call, ...change });
  }
  get moved(): string[] {
    const signals = this.sent.filter((m) => m.type === MessageType.CALL_SIGNAL) as CallSignal[];
    return signals.filter(({ signal }) => signal.type === "moved").map(({ seat }) => seat);
  }
  hearMoved(seat: string): void {
    this.ways.signalled({ type: MessageType.CALL_SIGNAL, seat, signal: { type: "moved" } });
  }
  /** Voices come by way of the SFU. */
  async heard(...seats: string[]): Promise<FakeConnection> {
    await pass();
    const n = this.sent.filter((m) => m.type === MessageType.CALL_MEDIA).at(-1)?.n ?? 0;
    const tracks = seats.map((seat, i) => voiceOf(seat, `${i}`));
    const sdp = `v=0 ${tracks.map(() => "m=audio").join(" ")}`;
    const offer = { type: "sdp" as const, kind: "offer" as const, sdp };
    this.ways.toldBySfu({ type: MessageType.CALL_MEDIA, n, way: "down", signal: offer, tracks });
    await pass();
    const down = made().at(-1) as FakeConnection;
    down.path("connected");
    for (const { receiver } of down.lines) receiver.track.begin();
    return down;
  }
}
const member = (seat: string): CallMember => ({
  seat,
  person: `person ${seat}`,
  muted: false,
  camera: false,
  recorded: false,
});

describe("going over to the SFU", () => {
  it("keeps a connection until each side hears the other the new way", async () => {
    const page = new Page();
    page.told({}, "a", "c");
    const [toA, toC] = made();
    page.told({ mesh: false, sfu: 1 }, "a", "c", "d");
    expect(made()).toHaveLength(3); // one with the SFU, none with who came
    expect(page.ways.isRelayed).toBe(true);
    await page.heard("a", "d");
    expect(page.moved).toEqual(["a"]);
    expect([toA?.isClosed, toC?.isClosed]).toEqual([false, false]);
    page.hearMoved("a");
    page.hearMoved("c"); // they hear this page, but it does not hear them yet
    expect([toA?.isClosed, toC?.isClosed]).toEqual([true, false]);
    expect(page.ways.stateOf("a")).toBe("connected");
    page.ways.close();
  });

  it("keeps no connection that the other one ended, though the word of it got lost", async () => {
    const page = new Page();
    page.told({}, "a");
    const [toA] = made();
    page.told({ mesh: false, sfu: 1 }, "a", "c");
    await page.heard("a");
    page.ways.signalsAgain();
    expect(page.moved).toEqual(["a", "a"]); // the first one may have got lost
    await page.ways.levels();
    expect([page.moved.length, toA?.isClosed]).toEqual([2, false]);
    toA?.path("failed");
    await page.ways.levels();
    expect(toA?.isClosed).toBe(true);
    page.ways.close();
  });

  it("plays who is heard by the SFU by it, and the others as before", async () => {
    const page = new Page();
    page.told({}, "a");
    const [toA] = made();
    const before = new FakeTrack("audio");
    toA?.dispatchEvent(Object.assign(new Event("track"), { track: before }));
    page.told({ mesh: false, sfu: 1 }, "a", "c");
    const voice = page.ways.voiceOf("a") as unknown as { tracks: unknown[] };
    expect(voice.tracks).toEqual([before]);
    const down = await page.heard("a", "c");
    const now = page.ways.voiceOf("a") as unknown as { tracks: unknown[] };
    expect(now.tracks).toEqual([down.lines[0]?.receiver.track]);
    page.ways.close();
  });

  it("begins all connections anew where the SFU is gone and they are few", async () => {
    const page = new Page();
    page.told({}, "a");
    page.told({ mesh: false, sfu: 1 }, "a", "c");
    await page.heard("a", "c");
    page.hearMoved("a");
    const before = made().length;
    page.told({ mesh: false, sfu: 0, trouble: "It is gone." }, "a", "c");
    expect(made().every(({ isClosed }) => isClosed)).toBe(true);
    expect(page.ways.stateOf("a")).toBe("connecting");
    page.told({ mesh: true, sfu: 0 }, "a");
    expect(made().length).toBe(before + 1);
    page.told({ mesh: false, sfu: 2 }, "a", "c");
    expect(page.ways.isRelayed).toBe(true);
    page.ways.close();
    expect(made().every(({ isClosed }) => isClosed)).toBe(true);
  });

  it("says who cannot be reached by it", async () => {
    const page = new Page();
    page.told({ mesh: false, sfu: 1 }, "a", "c");
    await page.heard("a");
    await pass(14_000);
    expect([page.ways.stateOf("a"), page.ways.stateOf("c")]).toEqual(["connected", "connecting"]);
    await pass(2000);
    expect(page.ways.stateOf("c")).toBe("failed");
    page.ways.close();
  });

  it("sends the microphone and the camera that there are both ways while it goes over", async () => {
    const page = new Page();
    const voice = track("audio");
    page.ways.send("audio", voice);
    page.told({}, "c"); // which this page offers to
    await pass();
    page.told({ mesh: false, sfu: 1 }, "c", "d");
    const [toC, up] = made();
    expect(up?.lines[0]?.sender.track).toBe(voice);
    const another = track("audio");
    page.ways.send("audio", another);
    expect([toC, up].map((each) => each?.lines[0]?.sender.track)).toEqual([another, another]);
    page.ways.close();
  });
});
