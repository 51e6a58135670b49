import { describe, expect, it } from "vitest";
import { delayFor, PathChecks, RtcCounts } from "../src/rtc-stats";

describe("playout delay", () => {
  it("is zero on an even network", () => {
    expect(delayFor(3, 0)).toBe(0);
  });

  it("grows with the jitter, up to a bound", () => {
    expect(delayFor(15, 0)).toBe(30);
    expect(delayFor(25, 30)).toBe(50);
    expect(delayFor(400, 50)).toBe(80);
  });

  it("does not follow every change", () => {
    expect(delayFor(14, 50)).toBe(50);
    expect(delayFor(8, 30)).toBe(30);
    expect(delayFor(4, 30)).toBe(0);
  });
});

describe("the round trip of the path", () => {
  const counts = { packetsReceived: 1, packetsLost: 0, jitter: 0 };
  const entry = (type: string, id: string, more = {}) => ({ ...counts, type, id, ...more });

  const path = (id: string, responsesReceived: number, totalRoundTripTime: number) =>
    entry("candidate-pair", id, { responsesReceived, totalRoundTripTime });
  const used = (selectedCandidatePairId: string) =>
    entry("transport", "T", { selectedCandidatePairId });

  it("is that of the pair of addresses in use, of the checks since the last look", () => {
    const checks = new PathChecks();
    const take = (...entries: ReturnType<typeof entry>[]): number =>
      Math.round(checks.take(entries) ?? -1);
    expect(take(path("A", 9, 4), path("B", 4, 0.02), used("B"))).toBe(5);
    expect(take(path("B", 4, 0.02), used("B"))).toBe(-1);
    expect(take(path("B", 6, 0.1), used("B"))).toBe(40);
    expect(take(path("A", 10, 4), path("B", 6, 0.1), used("A"))).toBe(400);
    expect(take(path("A", 11, 4.5))).toBe(-1);
    expect(take(entry("candidate-pair", "A"), used("A"))).toBe(-1);
  });
});

describe("counters", () => {
  it("tell the share of packets that was lost between two of them", () => {
    const counts = new RtcCounts();
    expect(counts.take({ packetsReceived: 100, packetsLost: 5, jitter: 0.002 })).toBeNull();
    const stats = counts.take({ packetsReceived: 190, packetsLost: 15, jitter: 0.002 });
    expect(stats?.loss).toBeCloseTo(0.1);
    expect(stats?.jitter_ms).toBe(2);
  });

  it("tell nothing while nothing comes", () => {
    const counts = new RtcCounts();
    counts.take({ packetsReceived: 100, packetsLost: 0, jitter: 0 });
    expect(counts.take({ packetsReceived: 100, packetsLost: 0, jitter: 0 })).toBeNull();
  });

  it("take a packet that came late for one that was not lost", () => {
    const counts = new RtcCounts();
    counts.take({ packetsReceived: 100, packetsLost: 5, jitter: 0 });
    expect(counts.take({ packetsReceived: 110, packetsLost: 4, jitter: 0 })?.loss).toBe(0);
  });
});
