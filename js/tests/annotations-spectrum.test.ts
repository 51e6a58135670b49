// @vitest-environment happy-dom
import { render } from "lit";
import { describe, expect, it } from "vitest";
import { makeVolume } from "../dev/volumes";
import {
  curveOf,
  frequencyText,
  mayHaveSpectrum,
  spectrumOf,
  spectrumWords,
} from "../src/annotations/spectrum";
import type { Annotation, Measured } from "../src/annotations/types";
import type { Spectrum } from "../src/protocol";

const FOUND: Spectrum = {
  channel: 0,
  unit: "Hz",
  value_unit: "",
  n_traces: 85,
  n_samples: 8,
  n_left_out: 2,
  step: 31.25,
  amplitude: [0, 1, 2, 1, 0],
  dominant: 62.5,
  low: 31.3,
  high: 93.7,
};
const seismic = makeVolume("seismic").info;
const item = { kind: "rectangle", axis: 0 } as Annotation;
const reading = { done: true, spectrum: FOUND, no_spectrum: "" } as Measured;

function shown(of: Partial<Measured>, inDecibels = false): HTMLElement {
  const host = document.createElement("div");
  render(
    spectrumOf(item, seismic, { ...reading, ...of }, inDecibels, () => {}),
    host,
  );
  return host;
}

describe("the spectrum of a window", () => {
  it("is a curve as high as there is room, and 60 dB down to the base line", () => {
    expect(curveOf(FOUND, false)).toBe("M0.0 64.0L64.0 33.0L128.0 2.0L192.0 33.0L256.0 64.0");
    expect(curveOf(FOUND, true)).toBe("M0.0 64.0L64.0 8.2L128.0 2.0L192.0 8.2L256.0 64.0");
  });

  it("is said in a sentence", () => {
    expect(spectrumWords(FOUND)).toBe(
      "Amplitude spectrum of 85 traces, 2 without all values left out: dominant 62.5\u00a0Hz, −6 dB from 31.3 to 93.7\u00a0Hz",
    );
    expect(spectrumWords({ ...FOUND, n_traces: 1, n_left_out: 0 })).toContain("of 1 trace:");
    expect([0, 0.0123, 0.5, 8.123, 124.6].map(frequencyText)).toEqual([
      "0",
      "0.0123",
      "0.500",
      "8.12",
      "125",
    ]);
  });

  it("marks the band and the dominant frequency, or says why there is none", () => {
    const host = shown({});
    expect(host.querySelector(".dominant")?.getAttribute("x1")).toBe("128");
    expect(Number(host.querySelector(".band")?.getAttribute("x"))).toBeCloseTo(64.1, 1);
    expect(host.querySelector("svg")?.getAttribute("aria-label")).toContain("dominant 62.5");
    expect(host.querySelector("button")?.getAttribute("aria-pressed")).toBe("false");
    expect(shown({}, true).querySelector("button")?.getAttribute("aria-pressed")).toBe("true");
    const none = { spectrum: null, no_spectrum: "A spectrum of 5 samples says nothing." };
    expect(shown(none).textContent).toContain("5 samples");
    expect(shown({ done: false }).textContent).toBe("");
  });

  it("is asked of rectangles on sections alone", () => {
    expect(mayHaveSpectrum(item)).toBe(true);
    expect(mayHaveSpectrum({ ...item, axis: 2 })).toBe(false);
    expect(mayHaveSpectrum({ ...item, kind: "ellipse" })).toBe(false);
  });
});
