/** Samples of whatever rate and length become blocks of 20 ms, each with its time. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { BrowserCoder, canCode, type Packet } from "../src/call/coder";
import { useWorkletFile } from "../src/call/samples";

interface Sound {
  readonly timestamp: number;
  readonly sampleRate: number;
  readonly samples: Float32Array;
}

class FakeSound {
  readonly numberOfFrames: number;
  constructor(
    readonly timestamp: number,
    readonly samples: Float32Array,
    readonly sampleRate = 48_000,
  ) {
    this.numberOfFrames = samples.length;
  }
  copyTo(to: Float32Array): void {
    to.set(this.samples);
  }
  close(): void {}
}

class FakeEncoder {
  static made: FakeEncoder[] = [];
  state = "unconfigured";
  rates: number[] = [];
  taken: Sound[] = [];
  constructor(private readonly init: AudioEncoderInit) {
    FakeEncoder.made.push(this);
  }
  configure({ sampleRate }: AudioEncoderConfig): void {
    this.state = "configured";
    this.rates.push(sampleRate);
  }
  encode(sound: Sound): void {
    this.taken.push(sound);
    const chunk = { byteLength: 1, timestamp: 0, copyTo: (to: Uint8Array) => to.fill(7) };
    queueMicrotask(() => this.init.output(chunk as unknown as EncodedAudioChunk, {}));
  }
  close(): void {
    this.state = "closed";
  }
}

class FakeProcessor {
  static newest: FakeProcessor;
  readonly readable: ReadableStream<FakeSound>;
  controller!: ReadableStreamDefaultController<FakeSound>;
  isCancelled = false;
  constructor() {
    this.readable = new ReadableStream({
      start: (controller) => {
        this.controller = controller;
      },
      cancel: () => {
        this.isCancelled = true;
      },
    });
    FakeProcessor.newest = this;
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const track = {} as MediaStreamTrack;
let packets: Packet[] = [];
let failures: string[] = [];

function opened(): BrowserCoder {
  const coder = new BrowserCoder(
    (packet) => packets.push(packet),
    (why) => failures.push(why),
  );
  coder.use(track);
  return coder;
}
async function hear(atMs: number, n: number, sampleRate = 48_000): Promise<void> {
  const samples = new Float32Array(n).fill(0.5);
  FakeProcessor.newest.controller.enqueue(new FakeSound(atMs * 1000, samples, sampleRate));
  await settled();
}
const times = () => packets.map(({ atMs }) => atMs);

beforeEach(() => {
  packets = [];
  failures = [];
  FakeEncoder.made = [];
  vi.stubGlobal("AudioEncoder", FakeEncoder);
  vi.stubGlobal("MediaStreamTrackProcessor", FakeProcessor);
  vi.stubGlobal(
    "AudioData",
    class {
      readonly timestamp: number;
      readonly sampleRate: number;
      readonly samples: Float32Array;
      constructor({ timestamp, sampleRate, data }: AudioDataInit) {
        this.timestamp = timestamp;
        this.sampleRate = sampleRate;
        this.samples = (data as Float32Array).slice();
      }
      close(): void {}
    },
  );
});
afterEach(() => vi.unstubAllGlobals());

it("makes blocks of 20 ms of what comes in pieces of another length", async () => {
  opened();
  await hear(1000, 480);
  expect(times()).toEqual([]);
  await hear(1010.3, 1000); // times of a microphone are not quite even
  await hear(1030.8, 1000);
  expect(times()).toEqual([1000, 1020]);
  expect(FakeEncoder.made[0]?.taken.map(({ samples }) => samples.length)).toEqual([960, 960]);
});

it("goes on evenly until the times are too far apart", async () => {
  opened();
  await hear(1000, 960);
  await hear(1035, 960);
  await hear(1055, 960);
  await hear(1500, 960);
  expect(times()).toEqual([1000, 1020, 1040, 1500]);
});

it("codes nothing while it is muted, nor half of what was said before", async () => {
  const coder = opened();
  await hear(1000, 500);
  coder.muted = true;
  await hear(1020, 960);
  coder.muted = false;
  await hear(2000, 960);
  expect(times()).toEqual([2000]);
});

it("follows a microphone of another rate, by a clock of its own", async () => {
  const coder = opened();
  await hear(1000, 960);
  const first = FakeProcessor.newest;
  coder.use(track);
  await hear(5, 882, 44_100);
  expect(first.isCancelled).toBe(true);
  expect(times()).toEqual([1000, 5]);
  expect(packets[1]?.clock).toBe((packets[0]?.clock ?? 0) + 1);
  expect(FakeEncoder.made[0]?.rates).toEqual([48_000, 44_100]);
});

it("says why it cannot go on, once, and codes nothing more", async () => {
  opened();
  FakeProcessor.newest.controller.error(new Error("unplugged"));
  await settled();
  expect([failures, FakeEncoder.made[0]?.state]).toEqual([["unplugged"], "closed"]);
  const coder = opened();
  coder.close();
  coder.close();
  await settled();
  expect([failures.length, FakeProcessor.newest.isCancelled]).toEqual([1, true]);
});

it("needs coders for sound, and a way to the samples", () => {
  expect(canCode()).toBe(true);
  vi.stubGlobal("MediaStreamTrackProcessor", undefined);
  expect(canCode()).toBe(false);
  vi.stubGlobal("AudioWorkletNode", class {});
  expect(canCode()).toBe(true);
  vi.stubGlobal("AudioEncoder", undefined);
  expect(canCode()).toBe(false);
});

/** A browser that gives a page its microphone's samples by an audio worklet only. */
class WorkletPage {
  readonly modules: string[] = [];
  readonly closed = vi.fn();
  nodes: { port: { onmessage: ((event: unknown) => void) | null } }[] = [];
  rules = "";
  /** A context's time goes on: there is something that plays it. */
  plays = true;

  constructor() {
    const page = this;
    vi.stubGlobal("MediaStreamTrackProcessor", undefined);
    vi.stubGlobal("MediaStream", class {});
    vi.stubGlobal(
      "AudioWorkletNode",
      class {
        readonly port = { onmessage: null };
        constructor() {
          page.nodes.push(this);
        }
      },
    );
    vi.stubGlobal(
      "AudioContext",
      class {
        readonly currentTime = 0;
        readonly sampleRate = 48_000;
        onstatechange: (() => void) | null = null;
        readonly audioWorklet = { addModule: (url: string) => page.add(url) };
        createMediaStreamSource = () => ({ connect: () => {} });
        resume = () => (page.plays ? Promise.resolve() : new Promise(() => {}));
        close = page.closed;
      },
    );
  }
  async add(url: string): Promise<void> {
    this.modules.push(url);
    if (this.rules) throw new Error(this.rules);
  }
  hear(atMs: number, n: number): void {
    this.nodes[0]?.port.onmessage?.({ data: [atMs, new Float32Array(n)] });
  }
}

it("takes the samples by a worklet elsewhere: a file where the page names one", async () => {
  const page = new WorkletPage();
  useWorkletFile("https://hub.example/voice.js");
  const coder = opened();
  await settled();
  page.hear(20, 960);
  await settled();
  const first = times()[0] ?? 0;
  page.hear(40, 960);
  await settled();
  expect(times()).toEqual([first, first + 20]);
  coder.close();
  expect(page.closed).toHaveBeenCalled();
  page.hear(60, 960);
  await settled();
  expect(times().length).toBe(2);
  useWorkletFile("");
  opened();
  await settled();
  expect(page.modules).toEqual(["https://hub.example/voice.js", expect.stringContaining("blob:")]);
});

it("says why where a page lets no worklet in", async () => {
  const page = new WorkletPage();
  page.rules = "refused by the page's rules";
  opened();
  await settled();
  expect(failures).toEqual(["refused by the page's rules"]);
});

it("says why where the sound never starts, and nothing once nobody waits for it", async () => {
  vi.useFakeTimers();
  const page = new WorkletPage();
  page.plays = false;
  opened();
  await vi.advanceTimersByTimeAsync(4000);
  expect(failures).toEqual([]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(failures).toEqual([expect.stringContaining("speaker")]);
  expect(page.closed).toHaveBeenCalledOnce();
  opened().close();
  await vi.advanceTimersByTimeAsync(6000);
  expect(failures).toHaveLength(1);
  vi.useRealTimers();
});
