import { describe, expect, it } from "vitest";
import { barsOf } from "../src/annotations/distribution";
import type { Statistics } from "../src/protocol";

const FOUND: Statistics = {
  channel: 0,
  unit: "HU",
  count: 9,
  n_nodata: 0,
  mean: 3,
  sd: 1,
  minimum: 0,
  maximum: 4,
  median: 3,
  percentiles: [],
  low: 0,
  high: 4,
  histogram: [1, 0, 2, 6],
};

describe("the histogram of a region", () => {
  it("has a bar for each bin, the fullest one as high as there is room", () => {
    const bars = barsOf(FOUND);
    expect(bars?.path).toBe("M0 64V53.7H64.0V64.0H128.0V43.3H192.0V2.0H256.0V64Z");
    expect(bars?.mode).toBe(3.5);
  });

  it.each([
    ["no voxel", { histogram: [] }],
    ["one value alone", { low: 2, high: 2 }],
    ["no value", { low: null, high: null }],
  ])("is not there for %s", (_, change) => {
    expect(barsOf({ ...FOUND, ...change })).toBeNull();
  });
});
