/** Where a followed horizon meets a fence or an oblique plane: lines of columns and rows. */
import type { Point } from "../geometry";
import { placeOf } from "../sections";
import type { Grid } from "./grids";
import type { GridSection } from "./oblique";
import type { Point3 } from "./types";

type Chain = readonly Point[];

/** What was found last of each grid. */
const found = new WeakMap<Grid, { key: string; chains: readonly Chain[] }>();

/** Its lines on a section, in columns (x) and rows (y) of the section's grid. */
export function outlinesOn(grid: Grid, section: GridSection): readonly Chain[] {
  const known = found.get(grid);
  if (known?.key === section.key) return known.chains;
  const chains = section.isUpright ? alongColumns(grid, section) : acrossPlane(grid, section);
  found.set(grid, { key: section.key, chains });
  return chains;
}

/** On an upright section a trace has one sample of it: a line from column to column. */
function alongColumns(horizon: Grid, { grid, volume }: GridSection): readonly Chain[] {
  const chains: Point[][] = [];
  const [, down = 1] = grid.rows[2] ?? [0, 1];
  const [lines, traces] = [volume.axes[0].n, volume.axes[1].n];
  let chain: Point[] = [];
  for (let column = 0; column < grid.nColumns; column++) {
    const [inline, crossline, offset] = placeOf(grid, column, 0);
    const isOutside =
      inline < -0.5 || inline > lines - 0.5 || crossline < -0.5 || crossline > traces - 0.5;
    const sample = horizon.between(inline, crossline);
    if (isOutside || Number.isNaN(sample)) {
      chain = [];
      continue;
    }
    if (chain.length === 0) chains.push(chain);
    chain.push({ x: column, y: (sample - offset) / down });
  }
  return chains;
}

/** On a tilted plane: where the height above it changes its sign, by marching through the nodes. */
function acrossPlane(horizon: Grid, section: GridSection): readonly Chain[] {
  const { rows, columns } = horizon;
  const off = depthsOf(horizon, section);
  const chains: Chain[] = [];
  const isBelow = (c: number): boolean => (off[c] as number) < 0;
  for (let o = 0; o < (rows - 1) * columns; o++) {
    if (o % columns === columns - 1) continue;
    const corners = [o, o + 1, o + columns + 1, o + columns] as const;
    // NaN, where a node has no sample, is not below zero.
    const first = isBelow(o);
    if (corners.every((c) => isBelow(c) === first)) continue;
    const cuts = cutsAround(horizon, section, off, corners);
    for (let i = 0; i + 1 < cuts.length; i += 2) chains.push(cuts.slice(i, i + 2));
  }
  return chains;
}

/** How far each node lies from the plane. */
function depthsOf({ columns, stride, samples }: Grid, section: GridSection): Float64Array {
  // Linear in all three indices.
  const start = section.depthOf([0, 0, 0]);
  const inline = (section.depthOf([1, 0, 0]) - start) * stride;
  const crossline = (section.depthOf([0, 1, 0]) - start) * stride;
  const sample = section.depthOf([0, 0, 1]) - start;
  return Float64Array.from(
    samples,
    (at, o) =>
      start +
      inline * Math.floor(o / columns) +
      crossline * (o % columns) +
      sample * (at as number),
  );
}

/** Where the sides of a square of nodes go through the plane, in columns and rows. */
function cutsAround(
  { columns, stride, samples }: Grid,
  section: GridSection,
  off: Float64Array,
  corners: readonly number[],
): readonly Point[] {
  if (corners.some((c) => Number.isNaN(off[c] as number))) return [];
  const node = (c: number): Point3 => [
    Math.floor(c / columns) * stride,
    (c % columns) * stride,
    samples[c] as number,
  ];
  return corners.flatMap((a, i) => {
    const b = corners[(i + 1) % 4] as number;
    const [from, to] = [off[a] as number, off[b] as number];
    if (from < 0 === to < 0) return [];
    const t = from / (from - to);
    const [p, q] = [node(a), node(b)];
    const place = p.map((v, k) => v + t * ((q[k] as number) - v)) as unknown as Point3;
    const { x, y } = section.planeOf(place);
    return [section.laid(x, y)];
  });
}
