import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { VideoCopies } from "../src/video-copy";

const frame = (n: number, presentationTime: number) => ({
  presentationTime,
  presentedFrames: n,
  rtpTimestamp: 1000 * n,
});

describe("copies of a video", () => {
  const shown: [string, number | undefined][] = [];
  const closed: string[] = [];
  const copy = (name: string) => Promise.resolve({ name, close: () => void closed.push(name) });
  const drawing: (() => void)[] = [];
  let copies: VideoCopies<{ name: string; close(): void }>;

  beforeEach(() => {
    vi.useFakeTimers();
    shown.length = 0;
    closed.length = 0;
    drawing.length = 0;
    copies = new VideoCopies(
      (image, rtp) => shown.push([image.name, rtp]),
      (call) => drawing.push(call),
    );
  });
  afterEach(() => void vi.useRealTimers());

  it("go by the name of the frame that was there when they were taken", async () => {
    copies.add(frame(1, 100), 103, copy("a"));
    copies.add(frame(2, 117), 120, copy("b"));
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([["a", 1000]]);
  });

  it("go by the name of the newer frame if it came before they were taken", async () => {
    copies.add(frame(1, 100), 119, copy("a"));
    copies.add(frame(2, 117), 134, copy("b"));
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([["a", 2000]]);
  });

  it("are not shown where several frames may have been there", async () => {
    copies.add(frame(1, 100), 119, copy("a"));
    copies.add(frame(3, 134), 136, copy("b"));
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([]);
    expect(closed).toEqual(["a"]);
  });

  it("are shown soon when nothing newer comes", async () => {
    copies.add(frame(1, 100), 103, copy("a"));
    await vi.advanceTimersByTimeAsync(50);
    for (const call of drawing) call();
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([["a", 1000]]);
  });

  it("wait for what a busy page has not been told yet", async () => {
    copies.add(frame(1, 100), 119, copy("a"));
    await vi.advanceTimersByTimeAsync(50); // the timer comes before the frame's callback
    copies.add(frame(2, 117), 160, copy("b"));
    for (const call of drawing) call();
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([["a", 2000]]);
  });

  it("are closed with the video", async () => {
    copies.add(frame(1, 100), 103, copy("a"));
    await vi.advanceTimersByTimeAsync(50);
    copies.close();
    for (const call of drawing) call();
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([]);
    expect(closed).toEqual(["a"]);
  });
});
