/** The own voice in a recording: asked for once, sent only as long as somebody agrees, never unasked. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Coder, Packet } from "../src/call/coder";
import { RecordedVoice, type Talking } from "../src/call/voice";
import type { RecordingLink } from "../src/live-recording";
import { MessageType, type RecordingState, type RecordVoice, type Voice } from "../src/protocol";

const track = (name: string) => ({ name }) as unknown as MediaStreamTrack;
const DATA = Uint8Array.of(120, 1, 2);

class FakeCoder implements Coder {
  static made: FakeCoder[] = [];
  muted = false;
  tracks: MediaStreamTrack[] = [];
  isClosed = false;
  constructor(
    readonly packet: (packet: Packet) => void,
    readonly fail: (why: string) => void,
  ) {
    FakeCoder.made.push(this);
  }
  use(used: MediaStreamTrack): void {
    this.tracks.push(used);
  }
  close(): void {
    this.isClosed = true;
  }
  speak(atMs: number, n = 10, clock = 1): void {
    for (let i = 0; i < n; i++) this.packet({ atMs: atMs + i * 20, clock, data: DATA });
  }
}

class Scene {
  readonly sent: (RecordVoice | Voice)[] = [];
  hasLink = true;
  talking: Talking = {
    ...{ isIn: true, seat: "a", members: [], isMuted: false },
    microphone: track("first"),
  };
  #told: (() => void) | null = null;
  #state: RecordingState | null = null;
  readonly voice: RecordedVoice;

  constructor(canCode = true) {
    const scene = this;
    const recording: RecordingLink = {
      get state() {
        return scene.#state;
      },
      published: null,
      toggle: () => {},
      onChange: (listener) => {
        scene.#told = listener as () => void;
      },
    };
    this.voice = new RecordedVoice({
      send: (message) => {
        if (this.hasLink) this.sent.push(message);
        return this.hasLink;
      },
      recording,
      make: canCode ? (packet, fail) => new FakeCoder(packet, fail) : undefined,
      changed: () => this.voice.review(this.talking),
    });
    this.be({});
  }

  be(change: Partial<Talking>): void {
    this.talking = { ...this.talking, ...change };
    this.voice.review(this.talking);
  }
  /** The server tells everybody whether this voice is recorded. */
  hear(recorded: boolean): void {
    const { seat } = this.talking;
    this.be({ members: [{ seat, person: "p", muted: false, camera: false, recorded }] });
  }
  record(phase: RecordingState["phase"], number = 1, name = "talk.mp4"): void {
    this.#state = {
      ...{ type: MessageType.RECORDING, phase, number, name, by: "owner", duration_s: 0 },
      ...{ n_bytes: 0, may: false, code: "", message: "", hint: "" },
    };
    this.#told?.();
  }
  get coder(): FakeCoder | undefined {
    return FakeCoder.made.at(-1);
  }
  get consents(): (readonly [number, boolean])[] {
    const found = this.sent.filter((m) => m.type === MessageType.RECORD_VOICE) as RecordVoice[];
    return found.map(({ recording, on }) => [recording, on]);
  }
  get voices(): Voice[] {
    return this.sent.filter((m) => m.type === MessageType.VOICE) as Voice[];
  }
}

beforeEach(() => {
  FakeCoder.made = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the own voice", () => {
  it("is asked for while a recording runs and somebody may be heard, and not sent unasked", () => {
    const scene = new Scene();
    expect(scene.voice.isAsked).toBe(false);
    scene.record("starting");
    expect(scene.voice.isAsked).toBe(false);
    scene.record("on");
    expect([scene.voice.isAsked, scene.voice.answer]).toEqual([true, "open"]);
    scene.be({ microphone: null });
    expect(scene.voice.isAsked).toBe(false);
    scene.be({ isIn: false, microphone: track("first") });
    expect(scene.voice.isAsked).toBe(false);
    expect([scene.sent, FakeCoder.made]).toEqual([[], []]);
  });

  it("is sent in parts of a fifth of a second once somebody agrees", () => {
    const scene = new Scene();
    scene.record("on", 4);
    scene.voice.agree(true);
    expect(scene.consents).toEqual([[4, true]]);
    scene.coder?.speak(1000, 9);
    expect(scene.voices).toEqual([]);
    scene.coder?.speak(1180, 11);
    const head = { type: MessageType.VOICE, recording: 4, clock: 1 };
    const packets = Array(10).fill("eAEC");
    expect(scene.voices).toEqual([
      { ...head, at_ms: 1000, packets },
      { ...head, at_ms: 1200, packets },
    ]);
  });

  it("is not sent after a no, which can be changed, as a yes can", () => {
    const scene = new Scene();
    scene.record("on");
    scene.voice.agree(false);
    expect([scene.voice.answer, FakeCoder.made.length]).toEqual(["no", 0]);
    scene.record("on");
    expect(scene.voice.answer).toBe("no");
    scene.voice.agree(true);
    scene.coder?.speak(0, 5);
    scene.voice.agree(false);
    expect([scene.coder?.isClosed, scene.voices]).toEqual([true, []]);
    expect(scene.consents.map(([, on]) => on)).toEqual([false, true, false]);
  });

  it("is asked for anew by another recording, and by another call", () => {
    const scene = new Scene();
    scene.record("on", 1);
    scene.voice.agree(true);
    scene.record("stopping", 1);
    expect([scene.voice.isAsked, scene.coder?.isClosed]).toEqual([false, true]);
    scene.record("on", 2);
    expect(scene.voice.answer).toBe("open");
    scene.voice.agree(true);
    // A server that begins anew counts from one again.
    scene.record("on", 2, "other.mp4");
    expect(scene.voice.answer).toBe("open");
    scene.voice.agree(true);
    scene.be({ isIn: false });
    expect(scene.coder?.isClosed).toBe(true);
    scene.be({ isIn: true, seat: "b" });
    expect(scene.voice.answer).toBe("open");
  });

  it("is agreed to again where the call goes on in another seat, and once the link is back", () => {
    const scene = new Scene();
    scene.record("on");
    scene.voice.agree(true);
    scene.be({});
    scene.be({ seat: "b" });
    expect(scene.consents).toEqual([
      [1, true],
      [1, true],
    ]);
    scene.hasLink = false;
    scene.be({ seat: "c" });
    scene.hasLink = true;
    scene.be({});
    expect(scene.consents.length).toBe(3);
    expect(FakeCoder.made.length).toBe(1);
  });

  it("is taken back, or agreed to, again where the server seems not to know, every two seconds", () => {
    const scene = new Scene();
    scene.record("on");
    scene.voice.agree(true);
    scene.hear(true);
    vi.advanceTimersByTime(9000);
    expect(scene.consents).toEqual([[1, true]]);
    scene.hasLink = false;
    scene.voice.agree(false);
    vi.advanceTimersByTime(9000);
    scene.hasLink = true;
    vi.advanceTimersByTime(2000);
    expect(scene.consents).toEqual([
      [1, true],
      [1, false],
    ]);
    scene.hear(false);
    vi.advanceTimersByTime(9000);
    expect(scene.consents.length).toBe(2);
    scene.voice.agree(true);
    for (let i = 0; i < 9; i++) scene.be({});
    expect(scene.consents.length).toBe(3);
    vi.advanceTimersByTime(2000);
    expect(scene.consents.slice(3)).toEqual([[1, true]]);
    scene.be({ isIn: false });
    vi.advanceTimersByTime(9000);
    expect(scene.consents.length).toBe(4);
  });

  it("is asked for again where the server refuses the answer, and not where it refuses some sound", () => {
    const scene = new Scene();
    scene.record("on");
    scene.voice.agree(true);
    scene.voice.refused();
    expect([scene.voice.answer, scene.coder?.isClosed]).toEqual(["open", true]);
    scene.voice.agree(true);
    expect(scene.consents.length).toBe(2);
    scene.hear(true);
    scene.voice.refused();
    expect(scene.voice.answer).toBe("yes");
  });

  it("is not coded while it is muted, and what was said before goes out then", () => {
    const scene = new Scene();
    scene.record("on");
    scene.voice.agree(true);
    scene.coder?.speak(0, 3);
    scene.be({ isMuted: true });
    expect([scene.coder?.muted, scene.voices[0]?.packets.length]).toEqual([true, 3]);
    scene.be({ isMuted: false });
    expect(scene.coder?.muted).toBe(false);
  });

  it("goes out in two parts where there is a pause between them", () => {
    const scene = new Scene();
    scene.record("on");
    scene.voice.agree(true);
    scene.coder?.speak(0, 3);
    scene.coder?.speak(500, 4);
    scene.coder?.speak(580, 10, 2);
    expect(scene.voices.map(({ at_ms, clock, packets }) => [at_ms, clock, packets.length])).toEqual(
      [
        [0, 1, 3],
        [500, 1, 4],
        [580, 2, 10],
      ],
    );
  });

  it("follows another microphone", () => {
    const scene = new Scene();
    scene.record("on");
    scene.voice.agree(true);
    scene.be({});
    scene.be({ microphone: track("second") });
    expect(scene.coder?.tracks).toEqual([track("first"), track("second")]);
    scene.be({ microphone: null });
    expect(scene.coder?.isClosed).toBe(true);
    scene.be({ microphone: track("second") });
    expect(FakeCoder.made.length).toBe(2);
  });

  it("says so where the browser cannot, or could not after all", () => {
    const unable = new Scene(false);
    unable.record("on");
    unable.be({});
    expect(unable.voice.answer).toBe("unable");
    unable.voice.dismiss();
    unable.voice.agree(true);
    expect([unable.voice.answer, unable.sent]).toEqual(["never", []]);
    const scene = new Scene();
    scene.record("on");
    scene.voice.agree(true);
    scene.coder?.fail("the coder broke");
    expect([scene.voice.answer, scene.voice.reason]).toEqual(["failed", "the coder broke"]);
    expect(scene.consents.at(-1)).toEqual([1, false]);
    scene.voice.dismiss();
    expect(scene.voice.answer).toBe("no");
  });
});
