import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PictureDecoder, supportedPictures } from "../src/decoder";
import { FrameFlags, type FrameHeader } from "../src/protocol";
import type { Frame } from "../src/session";
import { codecOf } from "../src/video-pictures";
import { FakeImage, FakeVideoDecoder, header, stubVideoDecoder } from "./fakes";

// Start code, SPS of High profile level 4.2, start code, IDR slice.
const KEY = Uint8Array.of(0, 0, 0, 1, 0x67, 0x64, 0x00, 0x2a, 0xac, 0, 0, 1, 0x65, 1, 2, 3);
const DELTA = Uint8Array.of(0, 0, 0, 1, 0x41, 1, 2, 3);

class Log {
  readonly shown: Frame[] = [];
  readonly consumed: number[] = [];
  keyframesWanted = 0;
  readonly unusable: string[] = [];
  readonly decoder = new PictureDecoder({
    picture: (frame) => this.shown.push(frame),
    consumed: ({ frame_no }) => this.consumed.push(frame_no),
    wantKeyframe: () => {
      this.keyframesWanted += 1;
    },
    unusable: (reason) => this.unusable.push(reason),
  });
  key(change: Partial<FrameHeader> = {}): void {
    this.decoder.push(header({ flags: FrameFlags.KEY, ...change }), KEY);
  }
  delta(change: Partial<FrameHeader> = {}): void {
    this.decoder.push(header({ flags: 0, ...change }), DELTA);
  }
  get numbers(): number[] {
    return this.shown.map((frame) => frame.header.frame_no);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  stubVideoDecoder();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("H.264", () => {
  it("is configured from the stream's own parameters, for least delay", () => {
    const log = new Log();
    log.key();
    expect(FakeVideoDecoder.newest.configs).toEqual([
      { codec: "avc1.64002a", codedWidth: 960, codedHeight: 540, optimizeForLatency: true },
    ]);
  });

  it("waits for a keyframe, asks for it once, and does not hold up the sender meanwhile", () => {
    const log = new Log();
    log.delta({ frame_no: 1 });
    log.delta({ frame_no: 2 });
    expect(log.keyframesWanted).toBe(1);
    expect(log.consumed).toEqual([1, 2]);
    expect(FakeVideoDecoder.made).toHaveLength(0);
  });

  it("gives each picture its own header and acknowledges it after it was shown", () => {
    const log = new Log();
    log.key({ frame_no: 1 });
    log.delta({ frame_no: 2, slice_idx: 9 });
    vi.advanceTimersByTime(1000);
    FakeVideoDecoder.newest.output();
    vi.advanceTimersByTime(1000);
    FakeVideoDecoder.newest.output();
    expect(log.shown.map((frame) => frame.header.slice_idx)).toEqual([45, 9]);
    expect(log.consumed).toEqual([1, 2]);
  });

  it("hands out every decoded picture: which of them are drawn is the presenter's to say", () => {
    const log = new Log();
    vi.advanceTimersByTime(1000);
    log.key({ frame_no: 1 });
    for (const frame_no of [2, 3, 4]) log.delta({ frame_no });
    for (let i = 0; i < 4; i++) FakeVideoDecoder.newest.output();
    expect(log.numbers).toEqual([1, 2, 3, 4]);
    expect(log.consumed).toEqual([1, 2, 3, 4]);
  });

  it("drops a queue that grew too long, and starts again at a keyframe", () => {
    const log = new Log();
    log.key({ frame_no: 1 });
    for (let frame_no = 2; frame_no <= 12; frame_no++) log.delta({ frame_no });
    expect(log.keyframesWanted).toBe(1);
    expect(log.consumed).toContain(1);
    log.key({ frame_no: 13 });
    expect(FakeVideoDecoder.made).toHaveLength(2);
    FakeVideoDecoder.newest.output();
    expect(log.numbers).toEqual([13]);
  });

  it("is configured anew when the picture's size changes", () => {
    const log = new Log();
    log.key();
    log.key({ width_px: 640 });
    expect(FakeVideoDecoder.newest.configs.map((config) => config.codedWidth)).toEqual([960, 640]);
  });

  it("is built anew after an error, and given up after three without a picture", () => {
    const log = new Log();
    for (let i = 0; i < 3; i++) {
      log.key();
      FakeVideoDecoder.newest.fail();
    }
    expect(log.unusable).toHaveLength(1);
    expect(log.keyframesWanted).toBe(2);
  });

  it("throws away what was under way when the connection changes", () => {
    const log = new Log();
    log.key({ frame_no: 1 });
    const old = FakeVideoDecoder.newest;
    log.decoder.reset();
    const image = old.output();
    expect(log.shown).toHaveLength(0);
    expect(image.isClosed).toBe(true);
    expect(old.state).toBe("closed");
  });
});

describe("stills", () => {
  let finish: (() => void)[];

  beforeEach(() => {
    finish = [];
    vi.stubGlobal(
      "createImageBitmap",
      () => new Promise((resolve) => finish.push(() => resolve(new FakeImage()))),
    );
  });

  const png = (log: Log, frame_no: number): void =>
    log.decoder.push(header({ flags: FrameFlags.STILL | FrameFlags.EXACT, frame_no }), KEY);

  it("are shown when they are decoded", async () => {
    const log = new Log();
    png(log, 5);
    finish[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(log.numbers).toEqual([5]);
  });

  it("are dropped when a newer picture came while they were decoded", async () => {
    const log = new Log();
    png(log, 5);
    log.key({ frame_no: 6 });
    finish[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(log.shown).toHaveLength(0);
    expect(log.consumed).toContain(5);
  });

  it("of JPEG wait for one another, the newest only", async () => {
    const log = new Log();
    for (const frame_no of [1, 2, 3]) {
      log.decoder.push(header({ flags: FrameFlags.KEY | FrameFlags.JPEG, frame_no }), KEY);
    }
    finish[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    finish[1]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(log.numbers).toEqual([1, 3]);
    expect(log.consumed).toEqual([2, 1, 3]);
  });
});

describe("what the browser can decode", () => {
  it("reads the codec from the first parameter set, if there is one", () => {
    expect(codecOf(KEY)).toBe("avc1.64002a");
    expect(codecOf(DELTA)).toBeNull();
    expect(codecOf(new Uint8Array(0))).toBeNull();
  });

  it("is JPEG alone where the page is not secure, and says so", async () => {
    vi.stubGlobal("VideoDecoder", undefined);
    vi.stubGlobal("isSecureContext", false);
    const { pictures, reason } = await supportedPictures();
    expect(pictures).toEqual(["jpeg"]);
    expect(reason).toContain("https");
  });
});
