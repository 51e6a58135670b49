/** Voices of a replay in a viewer: at the time that the kernel tells, and silent where it stands still. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { playReplays } from "../src/player/replayed";
import { PIECE_S, RATE_HZ } from "../src/player/voices";
import type { MessagePort } from "../src/relay";

type Receive = (content: unknown, buffers: DataView[]) => void;

interface Started {
  readonly offset: number;
  readonly rate: number;
  isStopped: boolean;
}

let started: Started[] = [];
let contexts: FakeContext[] = [];

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

class Kernel implements MessagePort {
  readonly asked: number[] = [];
  readonly notices: string[] = [];
  readonly life = new AbortController();
  #receivers = new Set<Receive>();
  n = 1;
  jumps = 0;

  constructor(hasDecoder = true) {
    playReplays(this, this.life.signal, {
      say: ({ message }) => this.notices.push(message),
      voices: {
        ...(hasDecoder && {
          decode: async () => [{ who: "a", samples: new Float32Array(PIECE_S * RATE_HZ) }],
        }),
        context: () => new FakeContext() as unknown as AudioContext,
      },
    });
  }
  on(_: string, receive: Receive): void {
    this.#receivers.add(receive);
  }
  off(_: string, receive: Receive): void {
    this.#receivers.delete(receive);
  }
  get listeners(): number {
    return this.#receivers.size;
  }
  send(content: unknown): void {
    const { n, ask, from } = content as { n: string; ask: string; from: number };
    if (ask !== "voices") return;
    this.asked.push(from / 1000);
    this.#emit({ kind: "recording", n, runs: [] });
  }
  async tell(t: number, change: Record<string, unknown> = {}): Promise<void> {
    const { n, jumps } = this;
    const told = { kind: "replay", n, t, speed: 1, playing: true, jumps, over: false };
    this.#emit({ ...told, duration: 60, speakers: [["a", "Ann", "#111111"]], ...change });
    await vi.advanceTimersByTimeAsync(0);
  }
  #emit(content: unknown): void {
    for (const receive of [...this.#receivers]) receive(content, []);
  }
}

const heard = (): Started[] => started.filter(({ isStopped }) => !isStopped);
const goes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { visibilityState: "visible" });
  started = [];
  contexts = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("plays what is said from where the replay is, and goes on between two words", async () => {
  const kernel = new Kernel();
  await kernel.tell(10.5);
  await goes(100);
  expect(kernel.asked).toEqual([10, 12]);
  expect(heard()[0]?.offset).toBeCloseTo(0.6);
  expect(heard()[1]?.offset).toBe(0);
  for (let t = 11; t < 14; t += 0.5) {
    await goes(t === 11 ? 400 : 500);
    await kernel.tell(t);
  }
  expect(kernel.asked).toEqual([10, 12, 14]);
  expect(started.some(({ isStopped }) => isStopped)).toBe(false);
});

it("is silent where the kernel says nothing any more, and goes on where it goes on", async () => {
  const kernel = new Kernel();
  await kernel.tell(10.5);
  await goes(1100);
  expect(heard().length).toBeGreaterThan(0);
  await goes(600);
  expect(heard()).toEqual([]);
  const n = started.length;
  await goes(3000);
  expect(started.length).toBe(n);
  await kernel.tell(10.7);
  expect(heard()[0]?.offset).toBeCloseTo(0.7);
});

it("follows a jump, a speed and a pause at once", async () => {
  const kernel = new Kernel();
  await kernel.tell(10.5);
  await goes(100);
  kernel.jumps = 1;
  // So little back would else be a word that was late.
  await kernel.tell(10.3);
  expect(heard()[0]?.offset).toBeCloseTo(0.3);
  await kernel.tell(10.4, { speed: 2 });
  await goes(100);
  expect(heard().map(({ rate }) => rate)).toEqual([2, 2]);
  await kernel.tell(10.6, { speed: 4 });
  expect(heard()).toEqual([]);
  await kernel.tell(10.8, { playing: false });
  await goes(1000);
  expect(heard()).toEqual([]);
  await kernel.tell(10.8);
  expect(heard()[0]?.offset).toBeCloseTo(0.8);
});

it("goes on as before when a word is late, and follows a view that is", async () => {
  const kernel = new Kernel();
  await kernel.tell(10);
  await goes(500);
  await kernel.tell(10.2);
  await goes(500);
  await kernel.tell(11);
  expect(started.some(({ isStopped }) => isStopped)).toBe(false);
  for (const t of [11.2, 11.7, 12.2, 12.7]) {
    await goes(500);
    await kernel.tell(t);
  }
  await goes(100);
  expect(started.some(({ isStopped }) => isStopped)).toBe(true);
  expect(heard()[0]?.offset).toBeCloseTo(0.7, 1);
});

it("is silent on a page that nobody sees, and knows the next replay from the last one", async () => {
  const kernel = new Kernel();
  await kernel.tell(10.5);
  await goes(100);
  vi.stubGlobal("document", { visibilityState: "hidden" });
  await goes(100);
  expect(heard()).toEqual([]);
  vi.stubGlobal("document", { visibilityState: "visible" });
  kernel.n = 2;
  await kernel.tell(0);
  await goes(100);
  expect(heard().length).toBeGreaterThan(0);
  await kernel.tell(11, { n: 1, over: true });
  await goes(100);
  expect(heard().length).toBeGreaterThan(0);
  await kernel.tell(0.1, { over: true });
  await goes(500);
  expect(heard()).toEqual([]);
  expect(contexts.map(({ isClosed }) => isClosed)).toEqual([true, true]);
});

it("says once where the browser has no decoder, and ends with the page", async () => {
  const kernel = new Kernel(false);
  await kernel.tell(1);
  await kernel.tell(1.5);
  expect(kernel.notices).toEqual([expect.stringContaining("plays no voices")]);
  expect(contexts).toEqual([]);
  kernel.life.abort();
  expect(kernel.listeners).toBe(0);
});
