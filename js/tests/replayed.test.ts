/** A replay in a viewer: where it is, what its user does, and its voices at the time that is told. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Replayed } from "../src/player/replayed";
import { PIECE_S, RATE_HZ, type Run } from "../src/player/voices";
import {
  type DriveReplay,
  MessageType,
  type ReplayAbout,
  type ReplayState,
  type WantSaid,
} from "../src/protocol";

interface Started {
  readonly offset: number;
  readonly rate: number;
  isStopped: boolean;
}

let started: Started[] = [];
let contexts: FakeContext[] = [];
let decoded: Run[] = [];

class FakeContext {
  readonly state = "running";
  isClosed = false;
  constructor() {
    contexts.push(this);
  }
  get currentTime(): number {
    return performance.now() / 1000;
  }
  createBuffer = () => ({ copyToChannel: () => {} });
  createGain = () => ({ gain: { value: 1 }, connect: () => {} });
  createBufferSource = () => {
    const playbackRate = { value: 1 };
    let one: Started | null = null;
    return {
      playbackRate,
      connect: () => {},
      disconnect: () => {},
      start: (_: number, offset: number) => {
        one = { offset, rate: playbackRate.value, isStopped: false };
        started.push(one);
      },
      stop: () => {
        if (one) one.isStopped = true;
      },
    };
  };
  close = () => {
    this.isClosed = true;
  };
}

const ABOUT: ReplayAbout = {
  name: "talk.mp4",
  duration_s: 60,
  chapters: [
    [0, "Beginning"],
    [20, "Fault"],
    [40, "Horizon"],
  ],
  speakers: [["a", "Ann", "#111111"]],
};

/** The server, with a server behind it that replays. */
class Server {
  readonly sent: (DriveReplay | WantSaid)[] = [];
  readonly notices: string[] = [];
  readonly replay: Replayed;
  readonly changed = vi.fn();
  n = 1;
  jumps = 0;
  mayDrive = true;
  refused = "";

  constructor(hasDecoder = true) {
    this.replay = new Replayed({
      send: (message) => {
        this.sent.push(message);
        if (message.type === MessageType.WANT_SAID) queueMicrotask(() => this.#answer(message));
        return true;
      },
      say: ({ message }) => this.notices.push(message),
      mayDrive: () => this.mayDrive,
      voices: {
        ...(hasDecoder && {
          decode: async (runs) => {
            decoded.push(...runs);
            return [{ who: "a", samples: new Float32Array(PIECE_S * RATE_HZ) }];
          },
        }),
        context: () => new FakeContext() as unknown as AudioContext,
      },
    });
    this.replay.onChange(this.changed, new AbortController().signal);
  }
  get asked(): number[] {
    const wants = this.sent.filter((one) => one.type === MessageType.WANT_SAID);
    return wants.map(({ piece }) => piece * PIECE_S);
  }
  get driven(): unknown[] {
    const some = this.sent.filter((one) => one.type === MessageType.DRIVE_REPLAY);
    return some.map(({ type: _, n, ...rest }) => {
      expect(n).toBe(this.n);
      return rest;
    });
  }
  #answer({ n, piece }: WantSaid): void {
    const runs = [{ who: "a", at: piece * PIECE_S, packets: [btoa("\x78one")] }];
    const { refused } = this;
    this.replay.said({ type: MessageType.SAID, n, piece, runs: refused ? [] : runs, refused });
  }
  async tell(t: number, change: Partial<ReplayState> = {}): Promise<void> {
    const { n, jumps } = this;
    const told = { n, t, speed: 1, playing: true, jumps, waits: false, over: false, about: null };
    const isFirst = !this.replay.isOn || change.about !== undefined;
    const about = isFirst ? { about: ABOUT } : {};
    this.replay.received({ type: MessageType.REPLAY, ...told, ...about, ...change });
    await vi.advanceTimersByTimeAsync(0);
  }
}

const heard = (): Started[] => started.filter(({ isStopped }) => !isStopped);
const goes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { visibilityState: "visible" });
  started = [];
  contexts = [];
  decoded = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("plays what is said from where the replay is, and goes on between two words", async () => {
  const server = new Server();
  await server.tell(10.5);
  await goes(100);
  expect(server.asked).toEqual([10, 12]);
  expect(heard()[0]?.offset).toBeCloseTo(0.6);
  expect(heard()[1]?.offset).toBe(0);
  for (let t = 11; t < 14; t += 0.5) {
    await goes(t === 11 ? 400 : 500);
    await server.tell(t);
  }
  expect(server.asked).toEqual([10, 12, 14]);
  expect(started.some(({ isStopped }) => isStopped)).toBe(false);
});

it("is silent where nothing is said any more, and goes on where it goes on", async () => {
  const server = new Server();
  await server.tell(10.5);
  await goes(1100);
  expect(heard().length).toBeGreaterThan(0);
  await goes(600);
  expect(heard()).toEqual([]);
  const n = started.length;
  await goes(3000);
  expect(started.length).toBe(n);
  await server.tell(10.7);
  expect(heard()[0]?.offset).toBeCloseTo(0.7);
});

it("follows a jump, a speed and a pause at once", async () => {
  const server = new Server();
  await server.tell(10.5);
  await goes(100);
  server.jumps = 1;
  // So little back would else be a word that was late.
  await server.tell(10.3);
  expect(heard()[0]?.offset).toBeCloseTo(0.3);
  await server.tell(10.4, { speed: 2 });
  await goes(100);
  expect(heard().map(({ rate }) => rate)).toEqual([2, 2]);
  await server.tell(10.6, { speed: 4 });
  expect(heard()).toEqual([]);
  await server.tell(10.8, { playing: false });
  await goes(1000);
  expect(heard()).toEqual([]);
  await server.tell(10.8);
  expect(heard()[0]?.offset).toBeCloseTo(0.8);
});

it("goes on as before when a word is late, and follows a view that is", async () => {
  const server = new Server();
  await server.tell(10);
  await goes(500);
  await server.tell(10.2);
  await goes(500);
  await server.tell(11);
  expect(started.some(({ isStopped }) => isStopped)).toBe(false);
  for (const t of [11.2, 11.7, 12.2, 12.7]) {
    await goes(500);
    await server.tell(t);
  }
  await goes(100);
  expect(started.some(({ isStopped }) => isStopped)).toBe(true);
  expect(heard()[0]?.offset).toBeCloseTo(0.7, 1);
});

it("is silent on a page that nobody sees, and knows the next replay from the last one", async () => {
  const server = new Server();
  await server.tell(10.5);
  await goes(100);
  vi.stubGlobal("document", { visibilityState: "hidden" });
  await goes(100);
  expect(heard()).toEqual([]);
  vi.stubGlobal("document", { visibilityState: "visible" });
  server.n = 2;
  await server.tell(0, { about: ABOUT });
  await goes(100);
  expect(heard().length).toBeGreaterThan(0);
  await server.tell(0.1, { over: true });
  await goes(500);
  expect(heard()).toEqual([]);
  expect(contexts.map(({ isClosed }) => isClosed)).toEqual([true, true]);
});

it("says once where the browser has no decoder", async () => {
  const server = new Server(false);
  await server.tell(1);
  await server.tell(1.5);
  expect(server.notices).toEqual([expect.stringContaining("plays no voices")]);
  expect(contexts).toEqual([]);
});

it("decodes what it is given, and asks again for what was refused", async () => {
  const server = new Server();
  server.refused = "too quick";
  await server.tell(10.5, { playing: true });
  await goes(200);
  expect([server.asked, decoded]).toEqual([[10, 12], []]);
  server.refused = "";
  await goes(1000);
  expect(server.asked.slice(2, 4)).toEqual([10, 12]);
  expect(decoded[0]).toEqual({ who: "a", at: 10, packets: [Uint8Array.of(0x78, 111, 110, 101)] });
});

it("shows where it is, between two words too, and nothing once it is over or nobody knows", async () => {
  const server = new Server();
  const { replay } = server;
  expect([replay.isOn, replay.t, replay.duration]).toEqual([false, 0, 0]);
  await server.tell(10);
  await goes(300);
  expect(replay.t).toBeCloseTo(10.3);
  expect([replay.name, replay.duration, replay.playing]).toEqual(["talk.mp4", 60, true]);
  expect(replay.chapters[1]).toEqual({ t: 20, title: "Fault" });
  await server.tell(10.4, { waits: true });
  await goes(400);
  expect([replay.t, replay.waits, replay.playing]).toEqual([10.4, true, true]);
  expect(heard()).toEqual([]);
  await server.tell(11, { over: true, playing: false });
  expect([replay.isOn, contexts.every(({ isClosed }) => isClosed)]).toEqual([false, true]);
  await server.tell(12);
  replay.close();
  expect([replay.isOn, vi.getTimerCount()]).toEqual([false, 0]);
});

it("stands still through a break of the link, and goes on where it is told to", async () => {
  const server = new Server();
  const { replay } = server;
  await server.tell(10.5);
  await goes(100);
  replay.seek(30);
  replay.lost();
  const n = server.driven.length;
  replay.seek(40);
  replay.toggle();
  await goes(1000);
  expect([replay.isOn, replay.mayDrive, heard(), server.driven.length]).toEqual([
    true,
    false,
    [],
    n,
  ]);
  expect(replay.t).toBeLessThan(11);
  replay.welcomed();
  server.jumps = 7;
  server.changed.mockImplementation(() => expect(replay.isOn).toBe(true));
  await server.tell(20.5, { about: ABOUT });
  await goes(3000);
  expect([replay.isOn, replay.mayDrive]).toEqual([true, true]);
  expect(replay.t).toBeGreaterThan(20.5);
  replay.seek(40);
  server.jumps = 8;
  await server.tell(40);
  await goes(100);
  expect([replay.t, heard().length > 0]).toEqual([expect.closeTo(40.1), true]);
});

it("is over where a new connection tells nothing of it, and another one where it tells that", async () => {
  const server = new Server();
  const { replay } = server;
  await server.tell(10);
  replay.lost();
  replay.welcomed();
  await goes(2100);
  expect([replay.isOn, vi.getTimerCount()]).toEqual([false, 0]);
  await server.tell(10);
  replay.lost();
  replay.welcomed();
  await server.tell(1, { about: { ...ABOUT, name: "other.mp4" } }); // the first one of a new kernel
  expect([replay.name, replay.isLost]).toEqual(["other.mp4", false]);
  expect(contexts.filter(({ isClosed }) => !isClosed).length).toBe(1);
});

it("knows nothing of a replay whose first word it has not heard", async () => {
  const server = new Server();
  await server.tell(10, { about: null });
  expect(server.replay.isOn).toBe(false);
});

it("sends what its user does, and shows what comes of it", async () => {
  const server = new Server();
  const { replay } = server;
  await server.tell(10);
  replay.toggle();
  replay.speed = 2;
  replay.faster(1);
  replay.end();
  expect(server.driven).toEqual([{ playing: false }, { speed: 2 }, { speed: 2 }, { end: true }]);
  expect([replay.playing, replay.speed]).toEqual([true, 1]); // it has not happened yet
  await server.tell(10, { playing: false, speed: 1.5 });
  replay.faster(1);
  replay.faster(-1);
  replay.toggle();
  expect(server.driven.slice(4)).toEqual([{ speed: 2 }, { speed: 1 }, { playing: true }]);
});

it("stays where its user went until the replay is there, silently, and sends the newest time", async () => {
  const server = new Server();
  const { replay } = server;
  await server.tell(10);
  await goes(100);
  replay.seek(30);
  await goes(300);
  expect([replay.t, heard(), server.asked]).toEqual([30, [], [10, 12]]);
  for (const t of [31, 99]) replay.seek(t);
  expect([replay.t, heard().length]).toEqual([60, 0]);
  await goes(100);
  expect(server.driven.at(-1)).toEqual({ t: 60 });
  const n = server.driven.length;
  expect(n).toBeLessThanOrEqual(3);
  await server.tell(10.6); // on its way before
  expect(replay.t).toBe(60);
  server.jumps = n;
  await server.tell(58);
  expect(replay.t).toBe(58);
  replay.chapter(-1);
  expect(replay.t).toBe(40);
  await goes(4000); // nobody confirms it
  expect(replay.t).toBeGreaterThanOrEqual(58);
});

it("goes to the newest time of a drag when an older one is confirmed before that was sent", async () => {
  const server = new Server();
  const { replay } = server;
  await server.tell(10);
  replay.seek(30);
  expect(server.driven).toEqual([{ t: 30 }]);
  replay.seek(40); // held back for a moment
  server.jumps = 1;
  await server.tell(30);
  expect(replay.t).toBe(40);
  await goes(100);
  expect(server.driven).toEqual([{ t: 30 }, { t: 40 }]);
  server.jumps = 2;
  await server.tell(40);
  await goes(200);
  expect(replay.t).toBeCloseTo(40.2);
});

it("is not driven by who may not", async () => {
  const server = new Server();
  server.mayDrive = false;
  await server.tell(10);
  server.replay.toggle();
  server.replay.seek(20);
  server.replay.speed = 2;
  server.replay.end();
  await goes(100);
  expect([server.driven, server.replay.t]).toEqual([[], expect.closeTo(10.1)]);
});
