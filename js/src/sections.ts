/**
 * Sections across no axis: fences and oblique planes, and the grid of points they are sampled at.
 *
 * The same arithmetic as `core/sections.py` and `core/section_grid.py`; a table of cases, made by the
 * Python side, keeps the two equal.
 */
import { anatomicalAxes, planeOf } from "./geometry";
import type { Axis, Fence, Oblique, VolumeInfo } from "./protocol";

export type Section = Fence | Oblique;
export type Vector = readonly [number, number, number];
export type { Oblique } from "./protocol";

type Matrix = readonly [Vector, Vector, Vector];

/** Axes of `SectionGrid.info`: across the section, to the right and down. */
export const NORMAL = 0;
const AXES = [0, 1, 2] as const;
/** Directions closer than this are the same. */
const ALIKE = 1e-6;

export interface SectionGrid {
  readonly section: Section;
  readonly nColumns: number;
  readonly nRows: number;
  /** World distance from one column or row to the next. */
  readonly columnStep: number;
  readonly rowStep: number;
  /** Columns, fractional, of the nodes of a fence; none of a plane. */
  readonly nodes: readonly number[];
  /** For each axis of the volume: at the first column and per column; of a fence, at each node. */
  readonly columns: readonly (readonly number[])[];
  readonly rows: readonly (readonly [number, number])[];
  /** The section as a volume one voxel thick. */
  readonly info: VolumeInfo;
}

function each<T>(of: (axis: 0 | 1 | 2) => T): [T, T, T] {
  return [of(0), of(1), of(2)];
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function unit(a: Vector): Vector {
  const length = Math.sqrt(dot(a, a));
  return [a[0] / length, a[1] / length, a[2] / length];
}

function times(m: Matrix, v: Vector): Vector {
  return each((r) => dot(m[r], v));
}

function inverse([a, b, c]: Matrix): Matrix {
  const [bc, ca, ab] = [cross(b, c), cross(c, a), cross(a, b)];
  const det = dot(a, bc);
  return each((r) => [bc[r] / det, ca[r] / det, ab[r] / det]);
}

/** World displacement of one voxel along each axis: the columns. */
export function worldMatrix({ affine, axes }: VolumeInfo): Matrix {
  if (affine) {
    const rows = each((r) => affine.slice(4 * r, 4 * r + 3) as unknown as Vector);
    if (Math.abs(dot(rows[0], cross(rows[1], rows[2]))) > 1e-12) return rows;
  }
  return each((r) => each((c) => (r === c ? axes[r].spacing : 0)));
}

/** World direction, of length one, of an axis of the volume. */
export function directionOf(info: VolumeInfo, axis: number): Vector {
  return unit(each((r) => worldMatrix(info)[r][axis as 0 | 1 | 2]));
}

/** World place of a voxel; of coordinates without an origin. */
export function toWorld(info: VolumeInfo, voxel: Vector): Vector {
  return times(worldMatrix(info), voxel);
}

/** Difference of indices that a world displacement is. */
export function toIndex(info: VolumeInfo, displacement: Vector): Vector {
  return times(inverse(worldMatrix(info)), displacement);
}

/** Axis that a fence hangs along: the samples of a survey, head to foot of a patient. */
export function verticalAxis(info: VolumeInfo): number {
  if (info.kind !== "medical" || !info.affine) return 2;
  return anatomicalAxes(info.affine).findIndex(({ world }) => world === 2);
}

/** The two axes that the line of a fence lies in. */
export function horizontalAxes(info: VolumeInfo): readonly [number, number] {
  const vertical = verticalAxis(info);
  const [first = 0, second = 1] = AXES.filter((axis) => axis !== vertical);
  return [first, second];
}

const grids = new WeakMap<VolumeInfo, WeakMap<Section, SectionGrid>>();

/** Lay the grid of a section. */
export function gridOf(info: VolumeInfo, section: Section): SectionGrid {
  const known = grids.get(info) ?? new WeakMap<Section, SectionGrid>();
  grids.set(info, known);
  let grid = known.get(section);
  if (!grid) {
    grid = section.kind === "fence" ? fenceGrid(info, section) : planeGrid(info, section);
    known.set(section, grid);
  }
  return grid;
}

function fenceGrid(info: VolumeInfo, section: Fence): SectionGrid {
  const axes = horizontalAxes(info);
  const vertical = verticalAxis(info);
  const matrix = worldMatrix(info);
  const lengths: number[] = [];
  let finest = Number.POSITIVE_INFINITY;
  section.points.slice(1).forEach((point, i) => {
    const before = section.points[i] ?? point;
    const by: [number, number, number] = [0, 0, 0];
    by[axes[0] as 0] = point[0] - before[0];
    by[axes[1] as 0] = point[1] - before[1];
    const length = Math.sqrt(dot(times(matrix, by), times(matrix, by)));
    finest = Math.min(finest, length / Math.sqrt(dot(by, by)));
    lengths.push(length);
  });
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const steps = Math.max(Math.ceil(total / finest - 1e-6), 1);
  const nodes = [0];
  for (const length of lengths) nodes.push((nodes.at(-1) ?? 0) + (length * steps) / total);
  const nRows = info.axes[vertical]?.n ?? 1;
  const isUpsideDown =
    info.kind === "medical" &&
    info.affine !== null &&
    anatomicalAxes(info.affine)[vertical]?.sign === 1;
  return asVolume(info, {
    section,
    nColumns: steps + 1,
    nRows,
    columnStep: total / steps,
    rowStep: info.axes[vertical]?.spacing ?? 1,
    nodes,
    columns: each((axis) => {
      const at = axes.indexOf(axis);
      return section.points.map((point) => (at < 0 ? 0 : (point[at as 0 | 1] ?? 0)));
    }),
    rows: each((axis) => {
      if (axis !== vertical) return [0, 0] as const;
      return isUpsideDown ? ([nRows - 1, -1] as const) : ([0, 1] as const);
    }),
  });
}

function planeGrid(info: VolumeInfo, section: Oblique): SectionGrid {
  const matrix = worldMatrix(info);
  const back = inverse(matrix);
  const { right, down } = section;
  const u = steps(info, matrix, right, times(back, right));
  const v = steps(info, matrix, down, times(back, down));
  const normal = normalOf(section);
  const offset = dot(normal, times(matrix, section.origin));
  const start = times(
    back,
    each((r) => right[r] * u.first + down[r] * v.first + normal[r] * offset),
  );
  const tidy = (value: number, digits: number): number => Number(value.toFixed(digits)) + 0;
  return asVolume(info, {
    section,
    nColumns: u.n,
    nRows: v.n,
    columnStep: u.step,
    rowStep: v.step,
    nodes: [],
    columns: each((r) => [tidy(start[r], 9), tidy(times(back, right)[r] * u.step, 12)]),
    rows: each((r) => [0, tidy(times(back, down)[r] * v.step, 12)]),
  });
}

/** First place, number and size of the steps, one voxel long each, that span the volume. */
function steps(
  info: VolumeInfo,
  matrix: Matrix,
  direction: Vector,
  voxels: Vector,
): { first: number; n: number; step: number } {
  const step = 1 / Math.sqrt(dot(voxels, voxels));
  const [low, high] = extentAlong(info, matrix, direction);
  const n = Math.max(Math.ceil((high - low) / step - 1e-6), 1);
  return { first: (low + high - (n - 1) * step) / 2, n, step };
}

/** From where to where the volume reaches along a world direction. */
function extentAlong(info: VolumeInfo, matrix: Matrix, direction: Vector): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let corner = 0; corner < 8; corner++) {
    const index = each((axis) => ((corner >> axis) & 1 ? info.axes[axis].n - 0.5 : -0.5));
    const at = dot(times(matrix, index), direction);
    [low, high] = [Math.min(low, at), Math.max(high, at)];
  }
  return [low, high];
}

function asVolume(info: VolumeInfo, grid: Omit<SectionGrid, "info">): SectionGrid {
  const world = (n: number, step: number): Axis => ({
    name: "distance",
    unit: info.world_unit,
    n,
    first: 0,
    step,
    spacing: step,
  });
  const vertical = verticalAxis(info);
  const isVertical =
    grid.section.kind === "fence" ||
    (grid.columns[vertical]?.[1] === 0 &&
      horizontalAxes(info).every((axis) => grid.rows[axis]?.[1] === 0));
  const [first, step] = grid.rows[vertical] ?? [0, 0];
  const along = info.axes[vertical];
  const down = isVertical && first === 0 && step === 1 && along;
  return {
    ...grid,
    info: {
      ...info,
      kind: info.kind === "seismic" && isVertical ? "seismic" : "generic",
      axes: [
        world(1, 1),
        world(grid.nColumns, grid.columnStep),
        down || world(grid.nRows, grid.rowStep),
      ],
      affine: null,
    },
  };
}

/** Place in the volume, fractional indices, of a column and row. */
export function placeOf(grid: SectionGrid, column: number, row: number): Vector {
  return each((axis) => {
    const [first = 0, step = 0] = grid.columns[axis] ?? [];
    const [top = 0, down = 0] = grid.rows[axis] ?? [];
    const along = grid.nodes.length ? between(grid, axis, column) : first + step * column;
    return along + top + down * row;
  });
}

/** Index along an axis of a column of a fence; beyond the ends the line goes on. */
function between({ nodes, columns }: SectionGrid, axis: number, column: number): number {
  let piece = 0;
  while (piece < nodes.length - 2 && column >= (nodes[piece + 1] ?? 0)) piece++;
  const [from = 0, to = 1] = [nodes[piece], nodes[piece + 1]];
  const [a = 0, b = 0] = [columns[axis]?.[piece], columns[axis]?.[piece + 1]];
  return a + ((column - from) / (to - from)) * (b - a);
}

export interface Projected {
  readonly column: number;
  readonly row: number;
  /** World distance from the section. */
  readonly distance: number;
}

/** The point of a section that is nearest to a place. */
export function projected(info: VolumeInfo, grid: SectionGrid, place: Vector): Projected {
  const { section } = grid;
  if (section.kind === "fence") return onFence(info, grid, place);
  const start = toWorld(info, placeOf(grid, 0, 0));
  const at = toWorld(info, place);
  const by: Vector = [at[0] - start[0], at[1] - start[1], at[2] - start[2]];
  return {
    column: dot(by, section.right) / grid.columnStep,
    row: dot(by, section.down) / grid.rowStep,
    distance: dot(by, normalOf(section)),
  };
}

function onFence(info: VolumeInfo, grid: SectionGrid, place: Vector): Projected {
  const vertical = verticalAxis(info);
  const flat = (v: Vector): Vector => each((axis) => (axis === vertical ? 0 : v[axis]));
  const at = toWorld(info, flat(place));
  let best = { column: 0, distance: Number.POSITIVE_INFINITY };
  for (let i = 0; i < grid.nodes.length - 1; i++) {
    const [from = 0, to = 0] = [grid.nodes[i], grid.nodes[i + 1]];
    const a = toWorld(info, flat(placeOf(grid, from, 0)));
    const b = toWorld(info, flat(placeOf(grid, to, 0)));
    const ab = each((r) => b[r] - a[r]);
    const share = Math.min(
      Math.max(
        dot(
          each((r) => at[r] - a[r]),
          ab,
        ) / dot(ab, ab),
        0,
      ),
      1,
    );
    const off = each((r) => at[r] - a[r] - share * ab[r]);
    const distance = Math.sqrt(dot(off, off));
    if (distance < best.distance) best = { column: from + share * (to - from), distance };
  }
  const [top, down] = grid.rows[vertical] ?? [0, 1];
  return { ...best, row: ((place[vertical as 0] ?? 0) - top) / down };
}

// ------------------------------------------------------------- planes that move and turn

export function normalOf({ right, down }: Oblique): Vector {
  return unit(cross(right, down));
}

/** The plane of the slice across `axis` through a voxel, as it is laid on the screen. */
export function planeAcross(
  info: VolumeInfo,
  axis: number,
  origin: Vector,
  northUp = false,
): Oblique {
  const { columnAxis, rowAxis, flipX, flipY } = planeOf(info, axis, northUp);
  const scaled = (of: Vector, by: number): Vector => each((r) => of[r] * by);
  const right = scaled(directionOf(info, columnAxis), flipX ? -1 : 1);
  const slant = scaled(directionOf(info, rowAxis), flipY ? -1 : 1);
  const along = dot(right, slant);
  return {
    kind: "oblique",
    origin,
    right,
    down: unit(each((r) => slant[r] - right[r] * along)),
  };
}

/** A plane turned about a world direction through a voxel, counter-clockwise as seen against it. */
export function turned(plane: Oblique, about: Vector, radians: number, at: Vector): Oblique {
  const axis = unit(about);
  const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
  const turn = (v: Vector): Vector => {
    const side = cross(axis, v);
    const along = dot(axis, v) * (1 - cos);
    return each((r) => v[r] * cos + side[r] * sin + axis[r] * along);
  };
  return { kind: "oblique", origin: at, right: turn(plane.right), down: turn(plane.down) };
}

/** Do two planes lie alike, wherever they are? */
export function liesLike(a: Oblique, b: Oblique): boolean {
  return dot(a.right, b.right) > 1 - ALIKE ** 2 && dot(a.down, b.down) > 1 - ALIKE ** 2;
}

/**
 * A plane moved along its normal by steps one voxel long; null: it would leave the volume.
 */
export function movedAlong(info: VolumeInfo, plane: Oblique, by: number): Oblique | null {
  const matrix = worldMatrix(info);
  const normal = normalOf(plane);
  const voxels = times(inverse(matrix), normal);
  const step = by / Math.sqrt(dot(voxels, voxels));
  const [low, high] = extentAlong(info, matrix, normal);
  const at = dot(normal, times(matrix, plane.origin)) + step;
  if (at < low || at > high) return null;
  return { ...plane, origin: each((r) => plane.origin[r] + voxels[r] * step) };
}
