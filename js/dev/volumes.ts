/** Volumes by formula, drawn in the browser: for screenshots and tests without a server. */
import { ABS_PERCENTILES, type Axis, type Channel, type VolumeInfo } from "../src/protocol";

/** Value at array indices. */
export type Formula = (i: number, j: number, k: number) => number;

export interface DevVolume {
  readonly info: VolumeInfo;
  readonly value: Formula;
}

function axis(
  name: string,
  unit: string,
  n: number,
  first: number,
  step: number,
  spacing: number,
): Axis {
  return { name, unit, n, first, step, spacing };
}

function hash(x: number, y: number): number {
  let h = (Math.imul(x, 374761393) + Math.imul(y, 668265263)) | 0;
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

function noise(x: number, y: number): number {
  const [i, j] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [x - i, y - j];
  const [s, t] = [u * u * (3 - 2 * u), v * v * (3 - 2 * v)];
  const a = hash(i, j) + (hash(i + 1, j) - hash(i, j)) * s;
  const b = hash(i, j + 1) + (hash(i + 1, j + 1) - hash(i, j + 1)) * s;
  return a + (b - a) * t;
}

/** A long trace: sparse reflectors with a Ricker wavelet. */
const TRACE = (() => {
  const trace = new Float32Array(1600);
  for (let at = 6, r = 1; at < 1590; r++) {
    const strength = (hash(r, 7) < 0.5 ? -1 : 1) * (0.15 + 0.85 * hash(r, 3) ** 2.2);
    for (let d = -14; d <= 14; d++) {
      const e = (Math.PI * 0.085 * d) ** 2;
      const old = trace[at + d];
      if (old !== undefined) trace[at + d] = old + strength * (1 - 2 * e) * Math.exp(-e);
    }
    at += 4 + Math.floor(hash(r, 11) * 14);
  }
  return trace;
})();

function traceAt(t: number): number {
  const i = Math.min(Math.max(Math.floor(t), 0), TRACE.length - 2);
  const f = t - i;
  return (TRACE[i] ?? 0) * (1 - f) + (TRACE[i + 1] ?? 0) * f;
}

function seismicValue(i: number, j: number, k: number): number {
  const [y, x, z] = [i / 475, j / 480, k / 750];
  const fold = 46 * Math.cos(6.283 * (x - 0.12 + 0.22 * y)) * (0.4 + 0.6 * z);
  const dip = 90 * (x - 0.5) * (0.3 + 0.3 * y);
  const [f1, f2] = [0.66 - 0.2 * z + 0.05 * y, 0.3 + 0.13 * z + 0.04 * y];
  const throws = (x > f1 ? -34 * z : 0) + (x < f2 ? -18 * z : 0);
  const near = Math.min(Math.abs(x - f1), Math.abs(x - f2)) / 0.006;
  const salt = Math.hypot((x - 0.9) / (0.15 + 0.07 * z), (z - 1.03) / 0.36, (y - 0.45) / 0.9);
  if (salt < 1) return 9000 * (noise(x * 90, z * 90 + y * 40) - 0.5) * 0.4;
  const strength = (0.5 + 0.7 * noise(x * 6 + y * 3, z * 9)) * (0.35 + 0.65 * Math.min(near, 1));
  const layers = traceAt(300 + z * 480 + fold + dip + throws) * strength;
  const rim = 1.7 * Math.exp(-(((salt - 1) / 0.022) ** 2));
  const grain = (noise(x * 240, z * 300 + y * 70) - 0.5) * 0.08;
  return 12000 * ((layers + rim) * (1.08 - 0.42 * z) + grain);
}

const ellipse = (x: number, y: number, z: number, a: number, b: number, c: number): number =>
  Math.hypot(x / a, y / b, z / c);

/** A head in HU, RAS-like: x to the right ear of the picture's left, y to the nose, z up. */
function headValue(i: number, j: number, k: number): number {
  const [x, y, z] = [(i - 90) / 90, (j - 108) / 108, (k - 90) / 90];
  const skin = ellipse(x, y, z, 0.78, 0.94, 0.94);
  if (skin > 1) return -1000;
  if (skin > 0.93) return 60 + 40 * noise(i * 0.3, j * 0.3);
  if (skin > 0.86) return 900 + 250 * noise(i * 0.4 + k, j * 0.4);
  const ventricle = Math.min(
    ellipse(Math.abs(x) - 0.1, y - 0.05, z - 0.15, 0.06, 0.3, 0.1),
    ellipse(Math.abs(x) - 0.2, y + 0.3, z - 0.1, 0.07, 0.14, 0.09),
  );
  if (ventricle < 1) return 8;
  const lesion = ellipse(x - 0.32, y - 0.2, z - 0.2, 0.14, 0.16, 0.14);
  if (lesion < 1) return lesion < 0.6 ? 22 : 66;
  const fold = Math.abs(noise(x * 9 + 9, y * 9 + z * 5) - 0.5);
  if (fold < 0.035 && skin > 0.55) return 12;
  return (fold < 0.12 && skin > 0.5 ? 41 : 31) + 6 * noise(i * 0.7, j * 0.7 + k);
}

/** Statistics from a sample of the formula. */
function channelOf(
  name: string,
  unit: string,
  dtype: string,
  formula: Formula,
  n: readonly number[],
): Channel {
  const values: number[] = [];
  const [a = 1, b = 1, c = 1] = n;
  for (let s = 0; s < 24000; s++) {
    values.push(
      formula(Math.floor(hash(s, 1) * a), Math.floor(hash(s, 2) * b), Math.floor(hash(s, 3) * c)),
    );
  }
  const sorted = [...values].sort((p, q) => p - q);
  const sizes = values.map(Math.abs).sort((p, q) => p - q);
  const at = (list: number[], percent: number): number =>
    list[Math.min(list.length - 1, Math.floor((percent / 100) * list.length))] ?? 0;
  const [min, max] = [at(sorted, 0), at(sorted, 100)];
  const histogram = new Array<number>(256).fill(0);
  for (const v of values) {
    const bin = Math.min(255, Math.floor(((v - min) / (max - min)) * 256));
    histogram[bin] = (histogram[bin] ?? 0) + 1;
  }
  return {
    name,
    unit,
    dtype,
    value_min: min,
    value_max: max,
    is_label: false,
    percentiles: [0.1, 1, 2, 5, 10, 25, 50, 75, 90, 95, 98, 99, 99.9].map((p) => at(sorted, p)),
    abs_percentiles: ABS_PERCENTILES.map((p) => at(sizes, p)),
    histogram,
    label_names: {},
  };
}

function seismic(): DevVolume {
  const label: Channel = {
    ...channelOf("Salt", "", "uint8", () => 0, [1, 1, 1]),
    value_max: 2,
    is_label: true,
    label_names: { "1": "Salt" },
  };
  return {
    value: seismicValue,
    info: {
      name: "north-sea.vds",
      kind: "seismic",
      axes: [
        axis("inline", "", 476, 1000, 2, 25),
        axis("crossline", "", 481, 1800, 2, 12.5),
        axis("sample", "ms", 751, 0, 4, 6),
      ],
      channels: [channelOf("Amplitude", "", "float32", seismicValue, [476, 481, 751]), label],
      n_lods: 4,
      brick_size: 64,
      world_unit: "m",
      affine: [12, 2, 0, 431208, -2, 12, 0, 6521940, 0, 0, 4, 0, 0, 0, 0, 1],
      source: "openvds",
      time: null,
    },
  };
}

function medical(): DevVolume {
  return {
    value: headValue,
    info: {
      name: "head-ct.nii.gz",
      kind: "medical",
      axes: [
        axis("sagittal", "", 181, 0, 1, 1),
        axis("coronal", "", 217, 0, 1, 1),
        axis("axial", "", 181, 0, 1, 1),
      ],
      channels: [channelOf("Density", "HU", "int16", headValue, [181, 217, 181])],
      n_lods: 3,
      brick_size: 64,
      world_unit: "mm",
      affine: [1, 0, 0, -90, 0, 1, 0, -108, 0, 0, 1, -90, 0, 0, 0, 1],
      source: "nifti",
      time: null,
    },
  };
}

function generic(): DevVolume {
  const value: Formula = (i, j, k) =>
    Math.sin(i / 9) * Math.cos(j / 14) + 0.5 * Math.sin((k + i) / 21);
  return {
    value,
    info: {
      name: "array",
      kind: "generic",
      axes: [0, 1, 2].map((n) => axis(`axis ${n}`, "", 120 + 40 * n, 0, 1, 1)) as [
        Axis,
        Axis,
        Axis,
      ],
      channels: [channelOf("Value", "", "float32", value, [120, 160, 200])],
      n_lods: 2,
      brick_size: 64,
      world_unit: "",
      affine: null,
      source: "memory",
      time: null,
    },
  };
}

const MAKERS = { seismic, medical, generic };

export function makeVolume(kind: string): DevVolume {
  return kind === "medical" || kind === "generic" ? MAKERS[kind]() : seismic();
}
