/** Voices of a recording that is played: in step with its time, each with a switch of its own. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Playback } from "../src/player/playback";
import type { Answer, Source } from "../src/player/source";
import { PIECE_S, RATE_HZ, runsFrom, runsOf, Voices } from "../src/player/voices";

const ANN = { id: "a", name: "Ann", color: "#111111" };
const BEN = { id: "b", name: "Ben", color: "" };

class FakeSource {
  static made: FakeSource[] = [];
  readonly playbackRate = { value: 1 };
  started: readonly [number, number] | null = null;
  isStopped = false;
  constructor(readonly gains: unknown[] = []) {
    FakeSource.made.push(this);
  }
  connect(to: unknown): void {
    this.gains.push(to);
  }
  disconnect(): void {}
  start(when: number, gone: number): void {
    this.started = [when, gone];
  }
  stop(): void {
    this.isStopped = true;
  }
}

class FakeContext {
  currentTime = 100;
  state = "running";
  readonly resume = vi.fn(async () => {});
  readonly gains: { gain: { value: number } }[] = [];
  isClosed = false;
  createBuffer = () => ({ copyToChannel: () => {} });
  createBufferSource = () => new FakeSource();
  createGain = () => {
    const made = { gain: { value: 1 }, connect: () => {} };
    this.gains.push(made);
    return made;
  };
  close = () => {
    this.isClosed = true;
  };
}

class Scene {
  readonly asked: number[] = [];
  context = new FakeContext();
  readonly playback = {
    ...{ t: 0, playing: true, isHidden: false, speed: 1, duration: 60 },
    timeline: { isGrowing: false },
    tell: vi.fn(),
  };
  decodes = 0;
  fails = false;
  readonly voices: Voices;

  constructor() {
    const ask = async (_: string, { from = 0 }: Record<string, number>): Promise<Answer> => {
      this.asked.push(from / 1000);
      if (this.fails) throw new Error("gone");
      return { content: { runs: [] }, buffers: [] };
    };
    this.voices = new Voices(
      runsFrom({ ask } as unknown as Source),
      this.playback as unknown as Playback,
      {
        decode: async () => {
          this.decodes += 1;
          const samples = new Float32Array(PIECE_S * RATE_HZ);
          return [ANN.id, BEN.id].map((who) => ({ who, samples }));
        },
        context: () => this.context as unknown as AudioContext,
      },
    );
    this.voices.speakers = [ANN, BEN];
  }
  /** Time goes on, for the picture and for the sound. */
  async go(seconds: number, heard = seconds): Promise<void> {
    this.playback.t += seconds * this.playback.speed;
    this.context.currentTime += heard;
    await vi.advanceTimersByTimeAsync(0);
    this.voices.follow();
  }
  get heard(): FakeSource[] {
    return FakeSource.made.filter(({ isStopped }) => !isStopped);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSource.made = [];
});
afterEach(() => {
  vi.useRealTimers();
});

it("plays the piece of the time and then the next one, each voice once", async () => {
  const scene = new Scene();
  scene.playback.t = 0.5;
  scene.voices.follow();
  expect(scene.asked).toEqual([0, 2]);
  await scene.go(0.1);
  await scene.go(0.1);
  const starts = scene.heard.map(({ started }) => started);
  expect(starts.length).toBe(4);
  expect(starts[0]).toEqual([expect.closeTo(100.1), expect.closeTo(0.6)]);
  expect(starts[2]).toEqual([expect.closeTo(101.5), 0]);
  await scene.go(1.4);
  expect(scene.asked).toEqual([0, 2, 4]);
});

it("is silent while nothing is played, hidden, too fast, or nobody spoke", async () => {
  const scene = new Scene();
  scene.voices.follow();
  await scene.go(0.1);
  expect(scene.heard.length).toBe(4);
  for (const change of [{ playing: false }, { isHidden: true }, { speed: 4 }]) {
    const before = { ...scene.playback };
    Object.assign(scene.playback, change);
    scene.voices.follow();
    expect(scene.heard).toEqual([]);
    Object.assign(scene.playback, before);
    scene.voices.follow();
    expect(scene.heard.length).toBe(4);
  }
  scene.voices.speakers = [];
  scene.voices.follow();
  expect(scene.heard).toEqual([]);
  expect(scene.decodes).toBe(2);
});

it("goes where the picture goes, and waits when the picture waits", async () => {
  const scene = new Scene();
  scene.voices.follow();
  await scene.go(0.1);
  scene.playback.t = 30.5;
  scene.voices.follow();
  expect(scene.heard).toEqual([]);
  expect(scene.asked).toEqual([0, 2, 30, 32]);
  await scene.go(0.1);
  expect(scene.heard.map(({ started }) => started?.[1])).toEqual([
    expect.closeTo(0.6),
    expect.closeTo(0.6),
    0,
    0,
  ]);
  const before = scene.heard;
  await scene.go(0, 0.1);
  expect(scene.heard).toEqual(before);
  await scene.go(0, 0.1);
  expect(before.every(({ isStopped }) => isStopped)).toBe(true);
  const made = FakeSource.made.length;
  for (let i = 0; i < 9; i++) {
    await scene.go(0, 0.1);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(FakeSource.made.length).toBe(made);
  await scene.go(0.1);
  expect(scene.heard[0]?.started?.[1]).toBeCloseTo(0.7);
});

it("begins once the browser lets sound be heard", async () => {
  const scene = new Scene();
  scene.context.state = "suspended";
  scene.voices.follow();
  await scene.go(0.5, 0);
  expect([scene.heard, scene.context.resume.mock.calls.length]).toEqual([[], 1]);
  scene.context.state = "running";
  await scene.go(0.1);
  await scene.go(0.1);
  expect(scene.heard[0]?.started?.[1]).toBeCloseTo(0.7);
  scene.context.state = "interrupted";
  await scene.go(0.1, 0);
  expect(scene.heard).toEqual([]);
});

it("goes as fast as the picture", async () => {
  const scene = new Scene();
  scene.playback.speed = 2;
  scene.voices.follow();
  await scene.go(0.1);
  expect(scene.heard.map(({ playbackRate }) => playbackRate.value)).toEqual([2, 2, 2, 2]);
  expect(scene.heard[2]?.started).toEqual([expect.closeTo(101), 0]);
  const before = scene.heard;
  scene.playback.speed = 1;
  scene.voices.follow();
  expect(before.every(({ isStopped }) => isStopped)).toBe(true);
  expect(scene.heard.length).toBe(4);
});

it("lets each be muted, before and while they are heard", async () => {
  const scene = new Scene();
  scene.voices.setMuted("a", true);
  scene.voices.follow();
  await scene.go(0.1);
  expect(scene.context.gains.map(({ gain }) => gain.value)).toEqual([0, 1]);
  scene.voices.setMuted("a", false);
  scene.voices.setMuted("b", true);
  expect(scene.context.gains.map(({ gain }) => gain.value)).toEqual([1, 0]);
  expect([scene.voices.isMuted("a"), scene.voices.isMuted("b")]).toEqual([false, true]);
});

it("asks again for what was not whole, and not for what could not be got", async () => {
  const scene = new Scene();
  scene.playback.timeline.isGrowing = true;
  scene.playback.duration = 1;
  scene.voices.follow();
  await scene.go(0.1);
  await scene.go(0.1);
  expect(scene.asked).toEqual([0]);
  const former = scene.heard;
  // All of the piece is there, and perhaps not all that was said in it.
  scene.playback.duration = 2;
  await scene.go(0.1);
  await vi.advanceTimersByTimeAsync(0);
  expect(scene.asked).toEqual([0, 0]);
  expect(former.every(({ isStopped }) => isStopped)).toBe(true);
  expect(scene.heard.map(({ started }) => started?.[1])).toEqual([
    expect.closeTo(0.3),
    expect.closeTo(0.3),
  ]);
  scene.playback.duration = 3.6;
  await scene.go(0.1);
  await scene.go(0.1);
  expect(scene.asked).toEqual([0, 0, 0, 2]);
  scene.playback.duration = 3.9;
  await scene.go(0.1);
  expect(scene.asked).toEqual([0, 0, 0, 2, 2]);
  scene.playback.timeline.isGrowing = false;
  await scene.go(0.1);
  expect(scene.asked).toEqual([0, 0, 0, 2, 2, 2]);
  scene.fails = true;
  scene.playback.duration = 60;
  scene.playback.t = 2.1;
  scene.voices.follow();
  await vi.advanceTimersByTimeAsync(0);
  scene.voices.follow();
  scene.voices.follow();
  expect(scene.asked).toEqual([0, 0, 0, 2, 2, 2, 4]);
  // A moment later it may be had: whoever comes back to it hears it.
  scene.fails = false;
  await vi.advanceTimersByTimeAsync(1000);
  scene.voices.follow();
  expect(scene.asked.slice(7)).toEqual([4]);
});

it("says that the browser holds sound back, once that has lasted, and asks when it may", async () => {
  const scene = new Scene();
  scene.context.state = "suspended";
  scene.voices.follow();
  await vi.advanceTimersByTimeAsync(400);
  scene.voices.follow();
  expect(scene.voices.isHeldBack).toBe(false); // every context takes a moment
  await vi.advanceTimersByTimeAsync(200);
  scene.voices.follow();
  expect([scene.voices.isHeldBack, scene.playback.tell.mock.calls.length]).toEqual([true, 1]);
  scene.context.resume.mockImplementation(async () => {
    scene.context.state = "running";
  });
  scene.voices.allow();
  await vi.advanceTimersByTimeAsync(0);
  expect(scene.voices.isHeldBack).toBe(false);
  scene.context.state = "suspended";
  scene.voices.follow();
  await vi.advanceTimersByTimeAsync(600);
  scene.voices.follow();
  expect(scene.voices.isHeldBack).toBe(true);
  scene.playback.playing = false; // nothing is missed in a pause
  scene.voices.follow();
  expect(scene.voices.isHeldBack).toBe(false);
});

it("says that sound does not start where nothing plays it, and begins anew when pressed again", async () => {
  const scene = new Scene();
  const stuck = scene.context;
  stuck.state = "suspended";
  stuck.resume.mockImplementation(() => new Promise(() => {})); // as Firefox does without a speaker
  scene.voices.follow();
  const started = scene.voices.allow();
  scene.context = new FakeContext();
  await vi.advanceTimersByTimeAsync(5000);
  expect([await started, stuck.isClosed]).toEqual([false, true]);
  expect(await scene.voices.allow()).toBe(true);
  await scene.go(0.1);
  await scene.go(0.1);
  expect(scene.heard.length).toBeGreaterThan(0);
});

it("says nothing of a sound that is given up with its page", async () => {
  const scene = new Scene();
  scene.context.state = "suspended";
  scene.context.resume.mockImplementation(async () => {
    throw new DOMException("closed", "InvalidStateError");
  });
  scene.voices.follow();
  const started = scene.voices.allow();
  scene.voices.close();
  expect(await started).toBe(true);
});

it("keeps few pieces, and nothing once it is closed", async () => {
  const scene = new Scene();
  for (let t = 0; t < 40; t += 2) {
    scene.playback.t = t;
    scene.voices.follow();
    await scene.go(0.01);
  }
  const n = scene.asked.length;
  scene.playback.t = 0;
  scene.voices.follow();
  expect(scene.asked.length).toBe(n + 2);
  scene.voices.close();
  expect([scene.heard, scene.context.isClosed]).toEqual([[], true]);
});

it("says so where the browser has no decoder", () => {
  const voices = new Voices(async () => [], {} as Playback);
  expect(voices.trouble).toContain("plays no voices");
});

it("cuts the kernel's bytes into packets", () => {
  const whole = Uint8Array.of(9, 1, 2, 3, 4, 5, 6);
  const told = [
    { who: "a", at: 1.5, bytes: [2, 1] },
    { who: "b", at: 2, bytes: [3] },
  ];
  const runs = runsOf(told, new DataView(whole.buffer, 1));
  expect(runs.map(({ who, at, packets }) => [who, at, packets.map((p) => [...p])])).toEqual([
    ["a", 1.5, [[1, 2], [3]]],
    ["b", 2, [[4, 5, 6]]],
  ]);
});
