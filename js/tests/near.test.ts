import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { mayBeNear, NearWatch } from "../src/near";
import { RoundTrip } from "../src/round-trip";
import { welcome } from "./fakes";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** What Chromium has. */
function giveTrackProcessor(): void {
  vi.stubGlobal("MediaStreamTrackProcessor", class {});
  vi.stubGlobal(
    "VideoFrame",
    class {
      metadata(): object {
        return {};
      }
    },
  );
}

describe("a link that may be near", () => {
  it("goes by the server itself or by Jupyter, and pictures can be had of the browser", () => {
    expect(mayBeNear(welcome({ via: "direct" }))).toBe(false);
    giveTrackProcessor();
    expect(mayBeNear(welcome({ via: "direct" }))).toBe(true);
    expect(mayBeNear(welcome({ via: "proxy" }))).toBe(true);
    expect(mayBeNear(welcome({ via: "kernel" }))).toBe(false);
    expect(mayBeNear(welcome({ via: "direct", ice_relay_only: true }))).toBe(false);
  });

  it("needs to be told which frame a picture is", () => {
    giveTrackProcessor();
    vi.stubGlobal("VideoFrame", class {});
    expect(mayBeNear(welcome({ via: "direct" }))).toBe(false);
  });
});

describe("a near link", () => {
  const looks = (...all: [number, number | null][]): string[] => {
    const watch = new NearWatch();
    return all.map(([loss, roundTripMs]) => watch.look(loss, roundTripMs));
  };
  const quiet = (n: number): [number, number][] => Array.from({ length: n }, () => [0, 1]);

  it("stays one while nothing gets lost, and when a packet does once", () => {
    expect(looks(...quiet(50), [0.01, 1], ...quiet(10), [0.01, 1]).join("")).toBe("");
  });

  it("is none any more when packets get lost again soon, or many at once", () => {
    expect(looks([0.01, 1], ...quiet(9), [0.01, 1]).at(-1)).toBe("packets get lost");
    expect(looks([0.03, 1])).toEqual(["packets get lost"]);
  });

  it("is none any more when answers take long for a while, and not for a moment", () => {
    expect(looks([0, 60], [0, null], [0, 2], [0, 60]).join("")).toBe("");
    expect(looks([0, 60], [0, null], [0, 60])).toEqual(["", "", "answers take long"]);
    expect(looks([0, null], [0, null], [0, null], [0, null]).join("")).toBe("");
  });
});

describe("the round trip of a link", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Each ping is answered after the next of these times; undefined: never. */
  async function measure(...tookMs: (number | undefined)[]): Promise<[number, number]> {
    let n = 0;
    const roundTrip: RoundTrip = new RoundTrip(() => {
      const asked = ++n;
      const waitMs = tookMs[asked - 1];
      if (waitMs !== undefined) setTimeout(() => roundTrip.answered(asked), waitMs);
      return asked;
    });
    const measured = roundTrip.measure(8);
    await vi.advanceTimersByTimeAsync(5000);
    expect(vi.getTimerCount()).toBe(0);
    return [await measured, n];
  }

  it("is known with the first quick answer", async () => {
    expect(await measure(3)).toEqual([3, 1]);
  });

  it("is the least of a few: a page that is being built answers late", async () => {
    expect(await measure(120, 9, 4, 2)).toEqual([4, 3]);
    expect(await measure(200, 5)).toEqual([5, 2]);
  });

  it("of a far link takes a few pings, of a very far one one", async () => {
    expect(await measure(...Array.from({ length: 9 }, () => 12))).toEqual([12, 5]);
    expect(await measure(260, 1)).toEqual([260, 1]);
  });

  it("is asked for while the page is idle", async () => {
    const waiting: (() => void)[] = [];
    vi.stubGlobal("requestIdleCallback", (run: () => void) => waiting.push(run));
    const asked: number[] = [];
    const roundTrip = new RoundTrip(() => asked.push(asked.length + 1));
    const measured = roundTrip.measure(8);
    await vi.advanceTimersByTimeAsync(100);
    expect(asked).toEqual([]);
    waiting[0]?.();
    await vi.advanceTimersByTimeAsync(2);
    roundTrip.answered(1);
    expect(await measured).toBe(2);
  });

  it("is endless without an answer, whatever comes later", async () => {
    expect(await measure(undefined)).toEqual([Number.POSITIVE_INFINITY, 1]);
    expect(await measure(1500, 1)).toEqual([Number.POSITIVE_INFINITY, 1]);
  });
});
