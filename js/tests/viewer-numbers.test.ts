import { describe, expect, it } from "vitest";
import { makeVolume } from "../dev/volumes";
import type { Channel, VolumeInfo } from "../src/protocol";
import * as axes from "../src/viewer/axes";
import { barsOf, spanOf } from "../src/viewer/bars";
import { decimalsOf, fixed, parseNumber, rangeText, valueText } from "../src/viewer/format";
import * as range from "../src/viewer/range";
import { niceLength, niceStep, ticksAlong } from "../src/viewer/ticks";
import { contract } from "./contract";

const seismic = makeVolume("seismic").info;
const medical = makeVolume("medical").info;
const generic = makeVolume("generic").info;
const amplitude = seismic.channels[0] as Channel;

describe("numbers as people read them", () => {
  it.each([
    [12400, 0, "12\u202f400"],
    [-8412, 0, "\u22128\u202f412"],
    [-0.001, 1, "0.0"],
    [1234567.891, 2, "1\u202f234\u202f567.89"],
  ])("%d with %d decimals is %s", (value, decimals, text) => {
    expect(fixed(value, decimals)).toBe(text);
  });

  it.each([
    [1184, "1\u202f184"],
    [0.123456, "0.1235"],
    [541.83, "541.8"],
    [3.2e-7, "3.200e\u22127"],
    [-5e12, "\u22125.000e12"],
    [0, "0"],
  ])("the value %d is read as %s", (value, text) => {
    expect(valueText(value)).toBe(text);
  });

  it("gives a range no more figures than tell its values apart", () => {
    expect(rangeText(6461.4, 12922)).toBe("6\u202f461");
    expect(rangeText(0.0123, 2)).toBe("0.01");
  });

  it.each([
    ["1\u202f412", 1412],
    ["\u22128,5", -8.5],
    ["+12 400", 12400],
    ["1e3", 1000],
  ])("reads %s back", (text, number) => {
    expect(parseNumber(text)).toBe(number);
  });

  it.each(["", "abc", "1.2.3", "0x10", "--1"])("does not take %s for a number", (text) => {
    expect(parseNumber(text)).toBeNull();
  });

  it("shows as many decimals as a step has", () => {
    expect([4, 12.5, 0.25, 1 / 3].map((step) => decimalsOf(step))).toEqual([0, 1, 2, 3]);
  });
});

describe("ticks", () => {
  it("steps by 1, 2 or 5 times a power of ten", () => {
    expect([0.7, 1, 1.1, 3, 70, 450].map(niceStep)).toEqual([1, 1, 2, 5, 100, 500]);
    expect([0.7, 1, 1.9, 99, 1100].map(niceLength)).toEqual([0.5, 1, 1, 50, 1000]);
  });

  it("stand at round numbers, apart, and clear of the ends", () => {
    const ticks = ticksAlong(1800, 1, 950, 96, 2, 20);
    expect(ticks.map((t) => t.number)).toEqual([
      1900, 2000, 2100, 2200, 2300, 2400, 2500, 2600, 2700,
    ]);
    expect(ticks[0]?.at).toBe(100);
  });

  it("run backwards where numbers fall", () => {
    const ticks = ticksAlong(100, -0.1, 1000, 100, 0, 10);
    expect(ticks.map((t) => t.at)).toEqual([...ticks.map((t) => t.at)].sort((a, b) => b - a));
    expect(ticks.map((t) => t.number)).toContain(50);
  });

  it("never fall between lines that do not exist", () => {
    const ticks = ticksAlong(1000, 0.01, 900, 60, 2, 20);
    expect(ticks.every((t) => t.number % 2 === 0)).toBe(true);
  });
});

describe("names and positions", () => {
  it("names planes by what their axis is", () => {
    expect(seismic.axes.map(axes.axisTitle)).toEqual(["Inline", "Crossline", "Time"]);
    expect(medical.axes.map(axes.axisTitle)).toEqual(["Sagittal", "Coronal", "Axial"]);
  });

  it("turns survey numbers to indices and back, to the nearest line", () => {
    const inline = axes.axisOf(seismic, 0);
    expect(axes.numberText(inline, 206)).toBe("1\u202f412");
    expect(axes.indexOf(inline, 1412.9)).toBe(206);
    expect(axes.indexOf(inline, 1e9)).toBe(475);
    expect(axes.indexOf({ ...inline, step: -2, first: 1950 }, 1412)).toBe(269);
  });

  it("says a seismic place in lines and time, and its map coordinates", () => {
    expect(axes.positionText(seismic, [206, 293, 421])).toBe(
      "IL\u00a01\u202f412 · XL\u00a02\u202f386 · 1\u202f684\u00a0ms",
    );
    expect(axes.mapText(seismic, [0, 0, 0])).toEqual([
      ["X", "431\u202f208"],
      ["Y", "6\u202f521\u202f940"],
    ]);
  });

  it("says a patient's place in letters and millimetres, never as signed numbers", () => {
    expect(axes.positionText(medical, [65, 121, 110])).toBe(
      "L\u00a025.0 A\u00a013.0 S\u00a020.0 mm",
    );
    expect(axes.sliceText(medical, 2, 78)).toEqual(["Axial", "I\u00a012.0 mm"]);
    expect(axes.sliceText(medical, 0, 65)).toEqual(["Sagittal", "L\u00a025.0 mm"]);
  });

  it("says a place of a nameless array as Python does", () => {
    expect(axes.positionText(generic, [1, 2, 3])).toBe("[1, 2, 3]");
  });

  it("names a label beside its value", () => {
    expect(axes.channelText(seismic, 1, 1)).toBe("1 Salt");
    expect(axes.channelText(medical, 0, -35)).toBe("\u221235\u00a0HU");
  });
});

describe("window and level", () => {
  it("offers symmetric percentiles for amplitudes, CT windows for HU, percentiles for others", () => {
    expect(range.presetsOf(seismic, amplitude).map((p) => p.label)).toContain("p98");
    expect(range.presetsOf(seismic, amplitude).every((p) => p.level === 0)).toBe(true);
    const ct = range.presetsOf(medical, medical.channels[0] as Channel);
    expect(ct.find((p) => p.label === "Lung")).toMatchObject({ window: 1500, level: -600 });
    const positive = { ...(generic.channels[0] as Channel), value_min: 0 };
    expect(range.presetsOf(generic, positive).map((p) => p.label)).toContain("1–99 %");
  });

  it.each(contract.presets)("offers the same windows as Python: $name", ({ info, presets }) => {
    const shown = info as unknown as VolumeInfo;
    const channel = shown.channels[0] as Channel;
    const auto = { label: "Auto", ...range.autoRange(shown, channel) };
    const told = [auto, ...range.presetsOf(shown, channel)];
    expect(told.map((p) => [p.label, [p.window, p.level]])).toEqual(Object.entries(presets));
  });

  it("offers no preset that would be empty", () => {
    const flat = { ...amplitude, value_min: 3, value_max: 3, percentiles: Array(13).fill(3) };
    expect(range.presetsOf(seismic, { ...flat, abs_percentiles: [0, 0, 0, 0, 0, 0] })).toEqual([]);
    expect(range.autoRange(seismic, { ...flat, abs_percentiles: [] }).window).toBeGreaterThan(0);
  });

  it("is automatic by the 98th percentile of amplitudes", () => {
    const p98 = amplitude.abs_percentiles[2] ?? 0;
    expect(range.autoRange(seismic, amplitude)).toEqual({ window: 2 * p98, level: 0 });
  });

  it("is written short in the words of the field", () => {
    expect(range.shortRange({ window: 24800, level: 0 }, true)).toBe("±12\u202f400");
    expect(range.shortRange({ window: 400, level: 40 }, false)).toBe("W 400 L 40");
  });
});

describe("histogram", () => {
  it("spans data and window, symmetrically for amplitudes", () => {
    const span = spanOf(amplitude, { window: 1e6, level: 0 }, true);
    expect(span.from).toBe(-span.to);
    expect(span.to).toBeGreaterThan(5e5);
  });

  it("keeps every count of the file, also when its bins are wider than the bars", () => {
    const channel = { ...amplitude, value_min: 0, value_max: 4, histogram: [1, 4, 0, 1] };
    const bars = barsOf(channel, { from: 0, to: 4 }, 8);
    expect(bars.map((b) => b ** 2 * 2)).toEqual(
      [0.5, 0.5, 2, 2, 0, 0, 0.5, 0.5].map((v) => expect.closeTo(v)),
    );
  });
});
