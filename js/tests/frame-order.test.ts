import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { COUNTS, type Counted, FrameOrder } from "../src/frame-order";

function passed(frames: Counted[]): (number | "give up")[] {
  const out: (number | "give up")[] = [];
  const order = new FrameOrder<Counted>(
    ({ count }) => out.push(count),
    () => out.push("give up"),
  );
  for (const frame of frames) order.add(frame);
  return out;
}
const key = (count: number): Counted => ({ count, isKey: true });
const delta = (count: number): Counted => ({ count, isKey: false });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("frames of a network that loses packets", () => {
  it("wait for the one that is missing", () => {
    expect(passed([key(5), delta(6), delta(8), delta(9), delta(7), delta(10)])).toEqual([
      5, 6, 7, 8, 9, 10,
    ]);
  });

  it("need nothing before a keyframe, and nothing that comes after it too late", () => {
    expect(passed([key(5), delta(7), key(8), delta(6), delta(9)])).toEqual([5, 8, 9]);
  });

  it("are given up when a keyframe is quicker", () => {
    const late = Array.from({ length: 31 }, (_, i) => delta(7 + i));
    expect(passed([key(5), ...late, key(38), delta(39)])).toEqual([5, "give up", 38, 39]);
  });

  it("go on where the count begins again", () => {
    const last = COUNTS - 1;
    expect(passed([key(last - 1), delta(0), delta(last), delta(1)])).toEqual([
      last - 1,
      last,
      0,
      1,
    ]);
  });

  it("are given up when the missing one does not come for half a second", () => {
    const out: (number | "give up")[] = [];
    const order = new FrameOrder<Counted>(
      ({ count }) => out.push(count),
      () => out.push("give up"),
    );
    for (const frame of [key(5), delta(7)]) order.add(frame);
    vi.advanceTimersByTime(499);
    expect(out).toEqual([5]);
    vi.advanceTimersByTime(1);
    order.add(key(8));
    vi.advanceTimersByTime(1000);
    expect(out).toEqual([5, "give up", 8]);
  });
});
