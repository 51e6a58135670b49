/**
 * What was followed from horizons: grids of samples, one for all viewers of the page.
 *
 * A grid of a million traces comes once, deflated; the line on a section and the map on a time slice
 * are read from it at once, however fast slices are scrolled through.
 */
import { bytesOf } from "../base64";
import type { Point } from "../geometry";
import type { GridOfHorizon } from "../protocol";
import { coloursAlong } from "../viewer/colours";
import type { SliceSection as Section } from "./section";
import type { Outline } from "./shape";
import type { Annotation } from "./types";

/** Colours of depth, from shallow to deep. */
export const DEPTH_MAP = "viridis";
const MAP_ALPHA = 150;
const NONE = 0xffff;

/** A packed grid as the page uses it. */
export class Grid {
  private picture: OffscreenCanvas | null = null;
  private readonly contours = new Map<string, readonly Outline[]>();
  private readonly spans: readonly (readonly Float32Array[])[];

  constructor(
    /** Nodes along inlines and crosslines. */
    readonly rows: number,
    readonly columns: number,
    /** Traces from one node to the next. */
    readonly stride: number,
    /** Sample of each node; NaN where the horizon was not followed. */
    readonly samples: Float32Array,
    readonly low: number,
    readonly high: number,
    readonly picked: number,
    /** Share of the volume's traces on which it lies. */
    readonly share: number,
  ) {
    this.spans = [this.spansOf(0), this.spansOf(1)];
  }

  at(row: number, column: number): number {
    return this.samples[row * this.columns + column] ?? Number.NaN;
  }

  /** Least and greatest sample on each line across an axis; Infinity where it does not lie. */
  private spansOf(axis: 0 | 1): readonly Float32Array[] {
    const n = axis === 0 ? this.rows : this.columns;
    const low = new Float32Array(n).fill(Number.POSITIVE_INFINITY);
    const high = new Float32Array(n).fill(Number.NEGATIVE_INFINITY);
    for (let row = 0, o = 0; row < this.rows; row++)
      for (let column = 0; column < this.columns; column++, o++) {
        const sample = this.samples[o] as number;
        const line = axis === 0 ? row : column;
        if (sample < (low[line] as number)) low[line] = sample;
        if (sample > (high[line] as number)) high[line] = sample;
      }
    return [low, high];
  }

  /** Sample between the nodes around a trace, linear; NaN where one of them has none. */
  between(inline: number, crossline: number): number {
    const [last, end] = [this.rows - 1, this.columns - 1];
    // The last traces of a volume may lie beyond the last node.
    const y = Math.min(Math.max(inline / this.stride, 0), last);
    const x = Math.min(Math.max(crossline / this.stride, 0), end);
    const [row, column] = [Math.min(Math.floor(y), last), Math.min(Math.floor(x), end)];
    const [v, u] = [y - row, x - column];
    const near = (r: number): number => {
      const a = this.at(r, column);
      return u > 0 ? a * (1 - u) + this.at(r, column + 1) * u : a;
    };
    return v > 0 ? near(row) * (1 - v) + near(row + 1) * v : near(row);
  }

  private lineOf(section: Section): number {
    return Math.round(section.slice / this.stride);
  }

  /** Least and greatest sample on a section; null where it does not lie on it. */
  spanOn(section: Section): readonly [number, number] | null {
    if (section.axis === 2) {
      const isOn = section.slice >= this.low - 0.5 && section.slice <= this.high + 0.5;
      return isOn ? [this.low, this.high] : null;
    }
    const line = this.lineOf(section);
    const low = this.spans[section.axis]?.[0]?.[line] ?? Number.POSITIVE_INFINITY;
    const high = this.spans[section.axis]?.[1]?.[line] ?? Number.NEGATIVE_INFINITY;
    return low <= high ? [low, high] : null;
  }

  /** Its lines on a section, in pixels of the pane: no more vertices than pixels across. */
  outlines(section: Section): readonly Outline[] {
    if (section.axis === 2) return this.contour(section);
    const isInline = section.axis === 0;
    const line = this.lineOf(section);
    const n = isInline ? this.columns : this.rows;
    const along = isInline ? 1 : 0;
    const scale = section.columnAxis === along ? section.scaleX : section.scaleY;
    const step = Math.max(1, Math.floor(1 / (Math.abs(scale) * this.stride)));
    const found: Outline[] = [];
    let chain: Point[] = [];
    const end = (): void => {
      const [only] = chain;
      if (only && chain.length === 1) chain.push(only); // one trace alone is a dot
      if (only) found.push({ chain, closed: false });
      chain = [];
    };
    for (let i = 0; i < n; i += step) {
      const sample = isInline ? this.at(line, i) : this.at(i, line);
      if (Number.isNaN(sample)) end();
      else {
        const at = i * this.stride;
        chain.push(
          section.toPixel(isInline ? [section.slice, at, sample] : [at, section.slice, sample]),
        );
      }
    }
    end();
    return found;
  }

  /** Where it crosses a time slice: a contour of its depth, by marching through squares of nodes. */
  private contour(section: Section): readonly Outline[] {
    return this.cornersOf(section.slice).map(({ chain, closed }) => ({
      chain: chain.map(({ x, y }) => section.toPixel([y, x, section.slice])),
      closed,
    }));
  }

  /** The contour in inlines (y) and crosslines (x). */
  private cornersOf(slice: number): readonly Outline[] {
    const known = this.contours.get(`${slice}`);
    if (known) return known;
    const found: Outline[] = [];
    const [low, high] = this.spans[0] as readonly Float32Array[];
    for (let row = 0; row + 1 < this.rows; row++) {
      const least = Math.min(low?.[row] ?? 0, low?.[row + 1] ?? 0);
      const most = Math.max(high?.[row] ?? 0, high?.[row + 1] ?? 0);
      if (least <= slice && most >= slice) this.march(row, slice, found);
    }
    if (this.contours.size > 8) this.contours.clear();
    this.contours.set(`${slice}`, found);
    return found;
  }

  private march(row: number, slice: number, found: Outline[]): void {
    for (let column = 0; column + 1 < this.columns; column++) {
      const corners = [
        [column, row],
        [column + 1, row],
        [column + 1, row + 1],
        [column, row + 1],
      ] as const;
      const depths = corners.map(([x, y]) => this.at(y, x) - slice);
      if (depths.some(Number.isNaN)) continue;
      const chain: Point[] = [];
      corners.forEach(([x, y], i) => {
        const [a, b] = [depths[i] as number, depths[(i + 1) % 4] as number];
        if (a < 0 === b < 0) return;
        const [x1, y1] = corners[(i + 1) % 4] as readonly [number, number];
        const t = a / (a - b);
        chain.push({
          x: (x + t * (x1 - x)) * this.stride,
          y: (y + t * (y1 - y)) * this.stride,
        });
      });
      if (chain.length >= 2) found.push({ chain, closed: false });
    }
  }

  /** Its depth in colours, a pixel for each node: crosslines to the right, inlines down. */
  get map(): OffscreenCanvas {
    if (this.picture) return this.picture;
    const canvas = new OffscreenCanvas(this.columns, this.rows);
    const pixels = new ImageData(this.columns, this.rows);
    const words = new Uint32Array(pixels.data.buffer);
    const table = coloursAlong(DEPTH_MAP).map((hex) => {
      const rgb = Number.parseInt(hex.slice(1), 16);
      const bytes = (MAP_ALPHA << 24) | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16);
      return bytes >>> 0;
    });
    const scale = (table.length - 1) / (this.high - this.low || 1);
    this.samples.forEach((sample, i) => {
      if (!Number.isNaN(sample)) words[i] = table[Math.round((sample - this.low) * scale)] ?? 0;
    });
    canvas.getContext("2d")?.putImageData(pixels, 0, 0);
    this.picture = canvas;
    return canvas;
  }

  /** Lay the map over a time slice. */
  paint(brush: CanvasRenderingContext2D, section: Section): void {
    const { stride } = this;
    const [x, y] = [section.scaleX * stride, section.scaleY * stride];
    brush.save();
    brush.imageSmoothingEnabled = false;
    const [left, top] = [section.offsetX - x / 2, section.offsetY - y / 2];
    // A picture's columns are crosslines: on a map that lies north up they run up and down.
    if (section.columnAxis === 1) brush.transform(x, 0, 0, y, left, top);
    else brush.transform(0, y, x, 0, left, top);
    brush.drawImage(this.map, 0, 0);
    brush.restore();
  }
}

/** What a message packs: see `HorizonGrid` in Python. */
export async function gridOf(message: GridOfHorizon): Promise<Grid> {
  const { shape, stride, base, step, low, high, n_picked } = message;
  const packed = bytesOf(message.codes);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const codes = new Uint16Array(await new Response(stream).arrayBuffer());
  const samples = new Float32Array(codes.length);
  let code = 0;
  codes.forEach((difference, i) => {
    code = (code + difference) & NONE;
    samples[i] = code === NONE ? Number.NaN : base + step * code;
  });
  const [rows, columns] = shape.map((n) => Math.ceil(n / stride)) as [number, number];
  const share = n_picked / Math.max(1, shape[0] * shape[1]);
  return new Grid(rows, columns, stride, samples, low, high, n_picked, share);
}

const grids = new Map<string, Grid>();

export function keepGrid(name: string, grid: Grid): void {
  grids.set(name, grid);
}

/** What was followed from a horizon; null: nothing, or it is not here yet. */
export function gridFor(item: Pick<Annotation, "grid">): Grid | null {
  return item.grid ? (grids.get(item.grid) ?? null) : null;
}
