import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AckPace } from "../src/ack-pace";
import { MessageType } from "../src/protocol";

const sent: number[] = [];
const pace = () => new AckPace((ack) => sent.push(ack.frame_no));
const ack = (frame_no: number, there_ms = 1) => ({ type: MessageType.ACK, frame_no, there_ms });

beforeEach(() => {
  sent.length = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("frames", () => {
  it("are acknowledged one by one while the server wishes nothing else", () => {
    const acks = pace();
    for (const n of [1, 2, 3]) acks.came(ack(n));
    expect(sent).toEqual([1, 2, 3]);
  });

  it("wait for a later one, the last one not for long", () => {
    const acks = pace();
    acks.pace(90);
    for (const n of [1, 2, 3]) acks.came(ack(n));
    expect(sent).toEqual([1]);
    vi.advanceTimersByTime(89);
    expect(sent).toEqual([1]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([1, 3]);
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([1, 3]);
  });

  it("that wait go when each one counts again, and not when the way is gone", () => {
    const acks = pace();
    acks.pace(90);
    for (const n of [1, 2]) acks.came(ack(n));
    acks.pace(0);
    expect(sent).toEqual([1, 2]);
    acks.pace(90);
    acks.came(ack(3));
    acks.forget();
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([1, 2]);
  });

  it("that do not tell when they were there are acknowledged as they come", () => {
    const acks = pace();
    acks.pace(90);
    for (const n of [1, 2, 3]) acks.came(ack(n, 0));
    expect(sent).toEqual([1, 2, 3]);
  });
});
