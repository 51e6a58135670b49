import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EncodedFrames, type WorkerMessage } from "../src/encoded-frames";
import { FrameFlags, HEADER_BYTES } from "../src/protocol";
import { contract } from "./contract";
import { FakeVideoDecoder, stubVideoDecoder } from "./fakes";

const KEY = Uint8Array.of(0, 0, 0, 1, 0x67, 0x64, 0x00, 0x2a, 0xac, 0, 0, 1, 0x65, 1, 2, 3);
const DELTA = Uint8Array.of(0, 0, 0, 1, 0x41, 1, 2, 3);

let count = 0;

/** As the server sends it: a header, here Python's own, and a count behind the access unit. */
function encoded(unit: Uint8Array, flags: number): { data: ArrayBuffer } {
  const pairs = contract.frame.hex.match(/../g) ?? [];
  const trailer = pairs.map((pair) => Number.parseInt(pair, 16));
  trailer[0] = flags;
  count += 1;
  return { data: Uint8Array.of(...unit, ...trailer, 128, 128 | count).buffer };
}

let told: WorkerMessage[] = [];
let frames: EncodedFrames;

beforeEach(() => {
  stubVideoDecoder();
  told = [];
  frames = new EncodedFrames((message) => told.push(message));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("encoded frames", () => {
  it("may have several panes, which come before the header", () => {
    const pairs = contract.frame.several_hex.match(/../g) ?? [];
    const bytes = pairs.map((pair) => Number.parseInt(pair, 16));
    const trailer = [...bytes.slice(HEADER_BYTES), ...bytes.slice(0, HEADER_BYTES)];
    frames.take({ data: Uint8Array.of(...KEY, ...trailer, 128, 128).buffer });
    const decoder = FakeVideoDecoder.newest;
    expect(decoder.chunks.map(({ data }) => [...data])).toEqual([[...KEY]]);
  });

  it("are decoded without their header, which goes with the picture", () => {
    frames.take(encoded(KEY, FrameFlags.KEY));
    const decoder = FakeVideoDecoder.newest;
    expect(decoder.chunks.map(({ type, data }) => [type, [...data]])).toEqual([["key", [...KEY]]]);
    const image = decoder.output();
    const header = { ...contract.frame.header, flags: FrameFlags.KEY };
    expect(told).toEqual([{ kind: "picture", header, image, thereMs: expect.any(Number) }]);
  });

  it("say when they were there, which is before they are decoded", () => {
    vi.useFakeTimers({ now: 0 });
    frames.take(encoded(KEY, FrameFlags.KEY));
    const thereMs = performance.now();
    vi.advanceTimersByTime(80);
    FakeVideoDecoder.newest.output();
    expect(told).toMatchObject([{ thereMs }]);
    vi.useRealTimers();
  });

  it.each([
    [30, 30],
    [90_000, 80], // no clock is ahead of its own
    [undefined, 80],
  ])("were there when the browser's network had them: %o", (afterMs, thereMs) => {
    vi.useFakeTimers({ now: 0 });
    const startMs = performance.now();
    vi.advanceTimersByTime(80);
    const metadata = afterMs === undefined ? {} : { receiveTime: startMs + afterMs };
    frames.take({ ...encoded(KEY, FrameFlags.KEY), getMetadata: () => metadata });
    FakeVideoDecoder.newest.output();
    expect(told).toMatchObject([{ thereMs: startMs + thereMs }]);
    vi.useRealTimers();
  });

  it("ask for a keyframe, once, when they begin without one", () => {
    frames.take(encoded(DELTA, 0));
    frames.take(encoded(DELTA, 0));
    expect(told).toEqual([{ kind: "want-keyframe" }]);
    frames.take(encoded(KEY, FrameFlags.KEY));
    frames.take(encoded(DELTA, 0));
    expect(FakeVideoDecoder.newest.chunks).toHaveLength(2);
  });

  it("ask for a keyframe after a frame that cannot be decoded", () => {
    frames.take(encoded(KEY, FrameFlags.KEY));
    FakeVideoDecoder.newest.fail();
    frames.take(encoded(DELTA, 0));
    expect(told).toEqual([{ kind: "want-keyframe" }]);
  });

  it("say so when nothing can be decoded here", () => {
    for (let i = 0; i < 3; i++) {
      frames.take(encoded(KEY, FrameFlags.KEY));
      FakeVideoDecoder.newest.fail();
    }
    expect(told.at(-1)?.kind).toBe("unusable");
  });

  it("that are shorter than a header are passed over", () => {
    frames.take({ data: new ArrayBuffer(HEADER_BYTES + 2) });
    expect(told).toEqual([]);
  });

  it("are decoded in the order in which they were sent", () => {
    frames.take(encoded(KEY, FrameFlags.KEY));
    const first = encoded(Uint8Array.of(...DELTA, 1), 0);
    const second = encoded(Uint8Array.of(...DELTA, 2), 0);
    frames.take(second);
    frames.take(first);
    const units = FakeVideoDecoder.newest.chunks.slice(1).map(({ data }) => data.at(-1));
    expect(units).toEqual([1, 2]);
  });

  it("are read from a receiver until it ends", async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(encoded(KEY, FrameFlags.KEY));
        controller.enqueue(encoded(DELTA, 0));
        controller.close();
      },
    });
    await frames.read(stream);
    expect(FakeVideoDecoder.newest.chunks).toHaveLength(2);
  });
});
