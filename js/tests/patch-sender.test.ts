import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LatencyMeter } from "../src/latency";
import { PatchSender } from "../src/patch-sender";
import { MessageType, type ViewerMessage } from "../src/protocol";
import { STATE } from "./fakes";

class Hand {
  readonly meter = new LatencyMeter();
  readonly sent: ViewerMessage[] = [];
  readonly waits: number[] = [];
  readonly sender: PatchSender;

  constructor() {
    const send = (message: ViewerMessage): boolean => this.sent.push(message) > 0;
    this.sender = new PatchSender({
      meter: this.meter,
      later: (flush, waitMs) => {
        this.waits.push(waitMs);
        if (waitMs > 0) setTimeout(flush, waitMs);
        else queueMicrotask(flush);
      },
      send,
      sendReliably: send,
      changed: () => {},
    });
    this.sender.restart(STATE);
  }

  /** Move to a slice, at `atMs` of the test's clock. */
  async go(slice: number, atMs: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(atMs - performance.now());
    this.sender.patch({ slice_idx: [slice, 54, 32] });
  }

  get slices(): unknown[] {
    return this.sent.map((message) => "slice_idx" in message && message.slice_idx);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the sender of changes", () => {
  it("sends a change at once when the last one is longer ago than a refresh", async () => {
    const hand = new Hand();
    await hand.go(1, 100);
    await Promise.resolve();
    expect(hand.slices).toEqual([1]);
    await hand.go(2, 117);
    await Promise.resolve();
    expect(hand.slices).toEqual([1, 2]);
    expect(hand.waits).toEqual([0, 0]);
  });

  it("joins all that one event changes", async () => {
    const hand = new Hand();
    hand.sender.patch({ slice_idx: [1, 54, 32] });
    hand.sender.patch({ zoom: 2 });
    await Promise.resolve();
    expect(hand.sent).toHaveLength(1);
    expect(hand.sent[0]).toMatchObject({ zoom: 2 });
  });

  it("joins what comes quicker than pictures can be shown, and sends the last", async () => {
    const hand = new Hand();
    await hand.go(1, 100);
    for (const [slice, atMs] of [
      [2, 103],
      [3, 106],
      [4, 109],
    ] as const) {
      await hand.go(slice, atMs);
    }
    await vi.advanceTimersByTimeAsync(20);
    expect(hand.slices).toEqual([1, 4]);
  });

  it("measures what a hand waits for, not what the page asks for its own room", async () => {
    const hand = new Hand();
    hand.meter.pictureShown(STATE.revision, -1);
    const confirm = (seq: number, patch: Partial<typeof STATE>): void => {
      hand.sender.confirmed({
        type: MessageType.STATE,
        seq,
        state: { ...STATE, ...patch, revision: seq + 1 },
      });
      hand.meter.pictureShown(seq + 1, performance.now());
    };
    const room = { width_px: 1280, height_px: 720 };
    hand.sender.patch(room);
    await vi.advanceTimersByTimeAsync(100);
    confirm(1, room);
    expect(hand.meter.latencyMs(performance.now())).toBe(0);
    hand.sender.patch({ zoom: 2 });
    await vi.advanceTimersByTimeAsync(40);
    confirm(2, { ...room, zoom: 2 });
    expect(hand.meter.latencyMs(performance.now())).toBe(40);
  });
});
