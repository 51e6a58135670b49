/** Calls: two browsers agree whatever comes first, nothing is captured unasked, all ends with the call. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveCall } from "../src/call/call";
import { talkKey } from "../src/call/keys";
import { type Device, type Media, type Trouble, troubleOf } from "../src/call/media";
import { Pair, type Signal } from "../src/call/pair";
import { type CallMember, MessageType, type ViewerMessage } from "../src/protocol";

const ANY = { ice_servers: [], ice_relay_only: false };
const MESH = { mesh: true, sfu: 0, trouble: "" };
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

class FakeTrack extends EventTarget {
  enabled = true;
  isStopped = false;
  constructor(readonly kind: "audio" | "video") {
    super();
  }
  stop(): void {
    this.isStopped = true;
  }
}
const track = (kind: "audio" | "video") => new FakeTrack(kind) as unknown as MediaStreamTrack;

class FakeTransceiver {
  direction = "recvonly";
  readonly sender = {
    track: null as MediaStreamTrack | null,
    replaceTrack: (wanted: MediaStreamTrack | null) => {
      this.sender.track = wanted;
      return Promise.resolve();
    },
    getParameters: () => ({ encodings: [{}] }),
    setParameters: () => Promise.resolve(),
  };
  readonly receiver: { track: MediaStreamTrack; getStats(): Promise<Map<string, unknown>> };
  sound = { totalAudioEnergy: 0, totalSamplesDuration: 0 };
  constructor(kind: "audio" | "video") {
    const stats = () => new Map([["in", { type: "inbound-rtp", ...this.sound }]]);
    this.receiver = { track: track(kind), getStats: () => Promise.resolve(stats()) };
  }
}

/** What of JSEP decides who may offer: states, lines, rollback, and that operations take a while. */
class FakeConnection extends EventTarget {
  static made: FakeConnection[] = [];
  signalingState = "stable";
  connectionState = "new";
  localDescription: RTCSessionDescription | null = null;
  currentRemoteDescription: RTCSessionDescriptionInit | null = null;
  readonly transceivers: FakeTransceiver[] = [];
  readonly candidates: unknown[] = [];
  restarts = 0;
  rollbacks = 0;
  isClosed = false;

  constructor() {
    super();
    FakeConnection.made.push(this);
  }

  addTransceiver(kind: "audio" | "video"): void {
    this.transceivers.push(new FakeTransceiver(kind));
    if (this.transceivers.length === 1) this.need();
  }
  getTransceivers(): FakeTransceiver[] {
    return this.transceivers;
  }
  need(): void {
    queueMicrotask(() => this.dispatchEvent(new Event("negotiationneeded")));
  }
  restartIce(): void {
    this.restarts += 1;
    this.need();
  }
  async setLocalDescription(): Promise<void> {
    await Promise.resolve();
    const type = this.signalingState === "have-remote-offer" ? "answer" : "offer";
    this.localDescription = { type, sdp: "v=0" } as RTCSessionDescription;
    this.become(type === "answer" ? "stable" : "have-local-offer");
  }
  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    await Promise.resolve();
    if (description.type === "offer") {
      if (this.signalingState === "have-local-offer") this.rollbacks += 1;
      if (this.transceivers.length === 0) {
        this.transceivers.push(new FakeTransceiver("audio"), new FakeTransceiver("video"));
      }
    } else if (this.signalingState !== "have-local-offer") {
      throw new Error(`an answer in ${this.signalingState}`);
    }
    this.currentRemoteDescription = description;
    this.become(description.type === "offer" ? "have-remote-offer" : "stable");
  }
  addIceCandidate(candidate: unknown): Promise<void> {
    if (!this.currentRemoteDescription) return Promise.reject(new Error("no description"));
    this.candidates.push(candidate);
    return Promise.resolve();
  }
  become(state: string): void {
    this.signalingState = state;
    this.dispatchEvent(new Event("signalingstatechange"));
  }
  path(state: string): void {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }
  close(): void {
    this.isClosed = true;
    this.signalingState = "closed";
  }
}

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

// ------------------------------------------------------------------ one pair

class Side {
  readonly connection = new FakeConnection();
  readonly inbox: Signal[] = [];
  readonly told: Signal[] = [];
  stuck = 0;
  readonly pair: Pair;
  constructor(isPolite: boolean, tell: (signal: Signal) => void) {
    this.pair = new Pair(this.connection as unknown as RTCPeerConnection, isPolite, {
      signal: (signal) => {
        this.told.push(signal);
        tell(signal);
      },
      changed: () => {},
      stuck: () => {
        this.stuck += 1;
      },
    });
  }
  get agrees(): boolean {
    return (
      this.connection.signalingState === "stable" && !!this.connection.currentRemoteDescription
    );
  }
}

/** Two browsers and a way between them that takes a moment, or loses what it carries. */
class Two {
  isLossy = false;
  readonly polite: Side;
  readonly other: Side;
  constructor() {
    this.polite = new Side(true, (signal) => this.carry(() => this.other, signal));
    this.other = new Side(false, (signal) => this.carry(() => this.polite, signal));
  }
  private carry(to: () => Side, signal: Signal): void {
    if (!this.isLossy) setTimeout(() => void to().pair.receive(signal), 10);
  }
}

describe("two browsers", () => {
  it("agree: one offers, the other sends on the lines of the offer", async () => {
    const { polite, other } = new Two();
    const voice = track("audio");
    polite.pair.send("audio", voice);
    await pass(100);
    expect([polite.agrees, other.agrees]).toEqual([true, true]);
    expect(polite.told.map((s) => s.type === "sdp" && s.kind)).toEqual(["answer"]);
    const [audio] = polite.connection.transceivers;
    expect(audio?.direction).toBe("sendrecv");
    expect(audio?.sender.track).toBe(voice);
  });

  it("agree when both offer at once: the polite one gives way", async () => {
    const { polite, other } = new Two();
    await pass(100);
    polite.connection.restartIce();
    other.connection.restartIce();
    await pass(100);
    expect(polite.connection.rollbacks).toBe(1);
    expect(other.connection.rollbacks).toBe(0);
    expect([polite.agrees, other.agrees]).toEqual([true, true]);
  });

  it("let candidates of an offer go that was ignored, and take those of others", async () => {
    const { polite, other } = new Two();
    await pass(100);
    other.connection.become("have-local-offer");
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    vi.spyOn(other.connection, "addIceCandidate").mockRejectedValueOnce(new Error("fits nothing"));
    await other.pair.receive({ type: "sdp", kind: "offer", sdp: "v=0" });
    await other.pair.receive({ type: "ice", candidate: "candidate:1" });
    expect(warn).not.toHaveBeenCalled();
    await polite.pair.receive({ type: "ice", candidate: "candidate:2" });
    expect(polite.connection.candidates).toHaveLength(1);
    other.pair.close();
  });

  it("change microphones and cameras without a word", async () => {
    const { polite, other } = new Two();
    await pass(100);
    const n = polite.told.length + other.told.length;
    const camera = track("video");
    other.pair.send("video", camera);
    expect(other.connection.transceivers[1]?.sender.track).toBe(camera);
    other.pair.send("video", null);
    expect(other.connection.transceivers[1]?.sender.track).toBeNull();
    await pass(100);
    expect(polite.told.length + other.told.length).toBe(n);
  });

  it("mend a path that broke, with growing pauses while it stays so", async () => {
    const { other } = new Two();
    await pass(100);
    other.connection.path("disconnected");
    other.connection.path("connected");
    await pass(10_000);
    expect(other.connection.restarts).toBe(0);
    other.connection.path("failed");
    await pass(1000);
    other.connection.path("failed");
    await pass(1000);
    expect(other.connection.restarts).toBe(1);
    await pass(1000);
    expect(other.connection.restarts).toBe(2);
    other.pair.close();
  });

  it("notice that a description got lost", async () => {
    const two = new Two();
    await pass(100);
    two.isLossy = true;
    two.other.connection.restartIce();
    await pass(7000);
    expect(two.other.stuck).toBe(0);
    await pass(2000);
    expect([two.other.stuck, two.polite.stuck]).toEqual([1, 0]);
  });
});

// ------------------------------------------------------------------ the call

class FakeMedia implements Media {
  readonly opened: FakeTrack[] = [];
  refusal: Trouble | null = null;
  answers: (() => void)[] = [];
  /** Which devices were asked for. */
  readonly ids: string[] = [];
  isSlow = false;
  level = 0;
  async open(source: "microphone" | "camera", id = ""): Promise<MediaStreamTrack> {
    this.ids.push(id);
    if (this.isSlow) await new Promise<void>((resolve) => this.answers.push(resolve));
    if (this.refusal) throw this.refusal;
    const made = new FakeTrack(source === "microphone" ? "audio" : "video");
    this.opened.push(made);
    return made as unknown as MediaStreamTrack;
  }
  /** As browsers tell it: what nobody has allowed yet has neither id nor name. */
  devices(): Promise<readonly Device[]> {
    const isAllowed = (kind: string) => this.opened.some((track) => track.kind === kind);
    const found = (["audioinput", "videoinput"] as const).map((kind) => {
      const name = isAllowed(kind.slice(0, 5)) ? `a ${kind}` : "";
      return { kind, id: name, label: name };
    });
    return Promise.resolve(found);
  }
  onDevices(): void {}
  meter() {
    const media = this;
    return {
      get level() {
        return media.level;
      },
      close() {},
    };
  }
}

const member = (seat: string, change: Partial<CallMember> = {}): CallMember => ({
  seat,
  person: `person ${seat}`,
  muted: false,
  camera: false,
  recorded: false,
  ...change,
});

class Scene {
  readonly sent: ViewerMessage[] = [];
  readonly media = new FakeMedia();
  readonly played = new Map<string, unknown>();
  hasLink = true;
  readonly call = new LiveCall({
    send: (message) => {
      if (this.hasLink) this.sent.push(message);
      return this.hasLink;
    },
    media: this.media,
    speaker: {
      play: (name, voice) => void this.played.set(name, voice),
      choose: () => {},
      close: () => this.played.clear(),
    },
    connect: () => new FakeConnection() as unknown as RTCPeerConnection,
  });

  of(type: number): ViewerMessage[] {
    return this.sent.filter((message) => message.type === type);
  }
  async enter(seat = "b", ...others: string[]): Promise<this> {
    await this.call.join();
    this.tell(seat, ...others);
    return this;
  }
  tell(seat: string, ...others: string[]): void {
    const members = [seat, ...others].map((each) => member(each));
    this.call.received({ type: MessageType.CALL, seat, members, ...MESH });
  }
}

describe("a call", () => {
  it("says so where the browser has no WebRTC, and asks for nothing", async () => {
    const media = new FakeMedia();
    const sent: ViewerMessage[] = [];
    const call = new LiveCall({ send: (message) => sent.push(message) > 0, media });
    for (const listens of [false, true]) await call.join(listens);
    expect([call.phase, call.trouble?.message]).toEqual(["out", expect.stringMatching("WebRTC")]);
    expect([media.opened, sent]).toEqual([[], []]);
  });

  it("lets a camera be chosen as soon as one was allowed", async () => {
    const { call } = await new Scene().enter();
    await pass();
    expect(call.devices.map(({ id }) => id)).toEqual(["a audioinput", ""]);
    await call.setCamera(true);
    await pass();
    expect(call.devices.map(({ id }) => id)).toEqual(["a audioinput", "a videoinput"]);
  });

  it("captures nothing before somebody joins, and nothing once they left", async () => {
    const { call, media } = new Scene();
    call.welcomed(ANY);
    const members = [member("a"), member("b")];
    call.received({ type: MessageType.CALL, seat: "a", members, ...MESH });
    expect([media.opened.length, FakeConnection.made.length]).toEqual([0, 0]);
    const scene = await new Scene().enter("b", "a", "c");
    await scene.call.setCamera(true);
    expect(scene.media.opened.map(({ kind }) => kind)).toEqual(["audio", "video"]);
    scene.call.leave();
    expect(scene.media.opened.every(({ isStopped }) => isStopped)).toBe(true);
    expect(FakeConnection.made.map(({ isClosed }) => isClosed)).toEqual([true, true]);
    expect(scene.of(MessageType.LEAVE_CALL)).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives the microphone back that was allowed after one had thought better of it", async () => {
    const scene = new Scene();
    scene.media.isSlow = true;
    const joining = scene.call.join();
    scene.call.leave();
    for (const answer of scene.media.answers) answer();
    await joining;
    expect(scene.media.opened.map(({ isStopped }) => isStopped)).toEqual([true]);
    expect([scene.call.phase, scene.of(MessageType.JOIN_CALL).length]).toEqual(["out", 0]);
  });

  it("says why there is no microphone, and lets one listen without", async () => {
    const scene = new Scene();
    scene.media.refusal = { message: "There is no microphone.", hint: "Connect one." };
    await scene.call.join();
    expect([scene.call.phase, scene.call.trouble]).toEqual(["out", scene.media.refusal]);
    await scene.call.join(true);
    expect(scene.of(MessageType.JOIN_CALL)).toMatchObject([{ seat: "", muted: true }]);
    scene.tell("b", "a");
    expect(scene.call.isMuted).toBe(true);
    scene.call.leave();
  });

  it("sends nothing of the microphone of before to whom it only listens", async () => {
    const scene = await new Scene().enter("b");
    scene.call.leave();
    await scene.call.join(true);
    scene.tell("b", "c");
    await pass();
    const [toC] = FakeConnection.made;
    expect(toC?.transceivers.map(({ sender }) => sender.track)).toEqual([null, null]);
    scene.call.leave();
  });

  it("says what the server says, and stops the microphone for it", async () => {
    const scene = new Scene();
    await scene.call.join();
    const full = { code: "call", message: "A call takes 6 people.", hint: "Wait." };
    expect(scene.call.refused(full)).toBe(true);
    expect(scene.call.trouble?.message).toBe(full.message);
    expect(scene.media.opened[0]?.isStopped).toBe(true);
    const out = await new Scene().enter("b", "a");
    expect(out.call.refused(full)).toBe(false);
    out.call.welcomed(ANY);
    expect(out.call.refused(full)).toBe(true);
    expect([out.call.phase, out.media.opened[0]?.isStopped]).toEqual(["out", true]);
    await out.enter("b", "a");
    out.call.received({ type: MessageType.LEAVE_CALL, message: "Your visit has ended.", hint: "" });
    expect([out.call.phase, out.media.opened[1]?.isStopped]).toEqual(["out", true]);
  });

  it("connects to each of the others, and lets go of who left", async () => {
    const scene = await new Scene().enter("b", "a", "c");
    expect(FakeConnection.made).toHaveLength(2);
    // Who has the smaller name begins.
    await pass();
    expect(scene.of(MessageType.CALL_SIGNAL)).toMatchObject([{ seat: "c" }]);
    scene.tell("b", "c");
    expect(FakeConnection.made.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    scene.tell("b", "c", "a");
    expect(FakeConnection.made).toHaveLength(3);
    scene.call.leave();
  });

  it("is silent while muted, but for as long as a key is held", async () => {
    const scene = await new Scene().enter("b", "a");
    const [voice] = scene.media.opened;
    scene.call.setMuted(true);
    expect(voice?.enabled).toBe(false);
    await pass(300);
    scene.call.hold(true);
    expect([voice?.enabled, scene.call.isMuted]).toEqual([true, false]);
    await pass(300);
    scene.call.hold(false);
    scene.call.hold(true);
    scene.call.hold(false);
    expect(voice?.enabled).toBe(false);
    await pass(300);
    const told = scene.of(MessageType.CALL_SOUND).map((m) => (m as { muted: boolean }).muted);
    expect(told).toEqual([true, false, true]);
    scene.call.leave();
  });

  it("goes on in the same seat when the link is back, and anew in another", async () => {
    const scene = await new Scene().enter("b", "a");
    scene.call.welcomed(ANY);
    expect(scene.of(MessageType.JOIN_CALL).at(-1)).toMatchObject({ seat: "b" });
    scene.tell("b", "a");
    expect(FakeConnection.made).toHaveLength(1);
    scene.tell("e", "a");
    expect(FakeConnection.made.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    scene.call.leave();
  });

  it("shows who speaks, and for a moment after", async () => {
    const scene = await new Scene().enter("b", "a");
    scene.media.level = 0.4;
    await pass(200);
    expect([...scene.call.speaking]).toEqual(["person b"]);
    scene.media.level = 0;
    await pass(300);
    expect(scene.call.speaking.size).toBe(1);
    await pass(400);
    expect(scene.call.speaking.size).toBe(0);
    scene.media.level = 0.4;
    scene.call.setMuted(true);
    await pass(300);
    expect(scene.call.speaking.size).toBe(0);
    scene.call.leave();
  });

  it("shows that others speak, by all of their sound and not by a moment of it", async () => {
    const scene = await new Scene().enter("b", "c");
    const voice = FakeConnection.made[0]?.transceivers[0];
    if (!voice) throw new Error("nothing is heard");
    voice.sound = { totalAudioEnergy: 0.04, totalSamplesDuration: 1 };
    await pass(200);
    expect([...scene.call.speaking]).toEqual(["person c"]);
    voice.sound = { totalAudioEnergy: 0.04, totalSamplesDuration: 9 };
    await pass(1000);
    expect(scene.call.speaking.size).toBe(0);
    scene.call.leave();
  });

  it("goes over to another microphone, and stops the one before", async () => {
    const scene = await new Scene().enter("b", "c");
    const [other] = FakeConnection.made;
    scene.call.setMuted(true);
    await scene.call.choose("audioinput", "headset");
    const [first, second] = scene.media.opened;
    expect(scene.media.ids).toEqual(["", "headset"]);
    expect([first?.isStopped, second?.isStopped, second?.enabled]).toEqual([true, false, false]);
    expect(other?.transceivers[0]?.sender.track).toBe(second);
    scene.call.leave();
    await scene.call.join();
    expect(scene.media.ids.at(-1)).toBe("headset");
    scene.call.leave();
  });

  it("stays with the microphone that it has where another one does not start", async () => {
    const scene = await new Scene().enter("b", "a");
    scene.media.refusal = { message: "The microphone does not start.", hint: "Close it." };
    await scene.call.choose("audioinput", "taken");
    expect([scene.call.chosen.audioinput, scene.media.opened[0]?.isStopped]).toEqual(["", false]);
    expect(scene.call.trouble?.message).toBe("The microphone does not start.");
    scene.call.leave();
  });

  it("uses the device that was chosen last, whichever starts first", async () => {
    const scene = await new Scene().enter("b", "a");
    scene.media.isSlow = true;
    const choosing = ["slow", "quick"].map((id) => scene.call.choose("audioinput", id));
    for (const answer of scene.media.answers.reverse()) answer();
    await Promise.all(choosing);
    const [first, quick, slow] = scene.media.opened;
    expect([first, quick, slow].map((each) => each?.isStopped)).toEqual([true, false, true]);
    expect(scene.call.chosen.audioinput).toBe("quick");
    scene.call.leave();
  });

  it("leaves the camera off that was switched off while another one started", async () => {
    const scene = await new Scene().enter("b", "a");
    await scene.call.choose("videoinput", "first");
    expect(scene.media.opened).toHaveLength(1);
    await scene.call.setCamera(true);
    expect(scene.media.ids).toEqual(["", "first"]);
    scene.media.isSlow = true;
    const choosing = scene.call.choose("videoinput", "second");
    await scene.call.setCamera(false);
    for (const answer of scene.media.answers) answer();
    await choosing;
    expect([scene.call.hasCamera, scene.media.opened.at(-1)?.isStopped]).toEqual([false, true]);
    scene.call.leave();
  });

  it("says that a device is gone", async () => {
    const scene = await new Scene().enter("b", "a");
    scene.media.opened[0]?.dispatchEvent(new Event("ended"));
    expect([scene.call.hasMicrophone, scene.call.trouble?.message]).toEqual([
      false,
      "The microphone is gone.",
    ]);
    scene.call.leave();
  });

  it("does not take its key from who is in no call", async () => {
    vi.stubGlobal("window", new EventTarget());
    const key = { key: "Dead", code: "Backquote", shiftKey: false, ctrlKey: false, metaKey: false };
    const event = { ...key, altKey: false, isComposing: false, repeat: false };
    expect(talkKey(event, new Scene().call)).toBe(false);
    const scene = await new Scene().enter("b", "a");
    scene.call.setMuted(true);
    expect(talkKey({ ...event, key: "<" }, scene.call)).toBe(false);
    expect(talkKey(event, scene.call)).toBe(true);
    expect(scene.call.isMuted).toBe(false);
    window.dispatchEvent(new Event("blur"));
    expect(scene.call.isMuted).toBe(true);
    scene.call.leave();
  });
});

it.each([
  ["NotAllowedError", "Permission denied", /does not give this page the microphone/, /symbol/],
  ["NotAllowedError", "Permission dismissed", /does not give/, /choose Allow/],
  ["NotAllowedError", "Permission denied by system", /does not give/, /system's privacy/],
  ["NotFoundError", "", /There is no microphone/, /Connect one/],
  ["NotReadableError", "", /does not start/, /Another program/],
])("says of %s (%s) what to do", (name, message, says, hints) => {
  const trouble = troubleOf(new DOMException(message, name), "microphone");
  expect(trouble.message).toMatch(says);
  expect(trouble.hint).toMatch(hints);
});
