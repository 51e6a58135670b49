/**
 * Where a slice lies on the screen: orientation of the three planes, fit, zoom and pan.
 *
 * The same arithmetic as `core/geometry.py`; `tests/fixtures/geometry.json`, made by the Python side,
 * keeps the two equal.
 */
import type { VolumeInfo } from "./protocol";
import { gridOf, NORMAL, type Section } from "./sections";

/** Letters at the left, right, top and bottom edge; all "" where orientation is unknown. */
export type EdgeLetters = readonly [string, string, string, string];

/** How the slice across one axis is laid on the screen. */
export interface Plane {
  readonly normal: number;
  /** Axis that runs along the screen's x, left to right. */
  readonly columnAxis: number;
  /** Axis that runs along the screen's y, top to bottom. */
  readonly rowAxis: number;
  /** The index falls from left to right. */
  readonly flipX: boolean;
  /** The index falls from top to bottom. */
  readonly flipY: boolean;
  readonly letters: EdgeLetters;
}

// Radiological: the patient's right is on the left of the picture, seen from the feet and the front.
const RADIOLOGICAL: readonly EdgeLetters[] = [
  ["A", "P", "S", "I"],
  ["R", "L", "S", "I"],
  ["R", "L", "A", "P"],
];
const POSITIVE = "RAS";
const NEGATIVE = "LPI";
const IN_PLANE: readonly (readonly [number, number])[] = [
  [1, 2],
  [0, 2],
  [1, 0],
];
const NO_LETTERS: EdgeLetters = ["", "", "", ""];

interface WorldAxis {
  /** 0 = R-L, 1 = A-P, 2 = S-I. */
  readonly world: number;
  readonly sign: 1 | -1;
}

interface Match extends WorldAxis {
  readonly strength: number;
  readonly axis: number;
}

function matchesOf(affine: readonly number[]): Match[] {
  const matches: Match[] = [];
  for (let axis = 0; axis < 3; axis++) {
    const column = [0, 1, 2].map((row) => affine[4 * row + axis] ?? 0);
    // Not Math.hypot: its last bit may differ from Python's sum, and so the order of equal matches.
    const length = Math.max(Math.sqrt(column.reduce((sum, v) => sum + v * v, 0)), 1e-30);
    column.forEach((value, world) => {
      matches.push({ strength: Math.abs(value) / length, axis, world, sign: value >= 0 ? 1 : -1 });
    });
  }
  return matches.sort((a, b) => b.strength - a.strength || b.axis - a.axis || b.world - a.world);
}

/** For each array axis the world axis it runs along, strongest match first, each used once. */
export function anatomicalAxes(affine: readonly number[]): readonly WorldAxis[] {
  const chosen: WorldAxis[] = [];
  const used = new Set<number>();
  for (const { axis, world, sign } of matchesOf(affine)) {
    if (chosen[axis] || used.has(world)) continue;
    chosen[axis] = { world, sign };
    used.add(world);
  }
  return chosen;
}

function medicalPlane(normal: number, affine: readonly number[]): Plane {
  const axes = anatomicalAxes(affine);
  const letters = RADIOLOGICAL[axes[normal]?.world ?? 0] ?? NO_LETTERS;
  const [[columnAxis, flipX], [rowAxis, flipY]] = [letters[0], letters[2]].map(
    (letter): [number, boolean] => {
      const world = Math.max(POSITIVE.indexOf(letter), NEGATIVE.indexOf(letter));
      const axis = axes.findIndex((candidate) => candidate.world === world);
      // With a positive sign the index grows towards R, A or S: where the screen begins with that
      // letter, the index must fall along the screen.
      return [axis, (axes[axis]?.sign === 1) === POSITIVE.includes(letter)];
    },
  ) as [[number, boolean], [number, boolean]];
  return { normal, columnAxis, rowAxis, flipX, flipY, letters };
}

/** A time slice as a map: north up and east to the right, to the nearest quarter turn. */
function mapPlane(affine: readonly number[]): Plane {
  const [e0 = 0, e1 = 0, , , n0 = 0, n1 = 0] = affine;
  const length = (e: number, n: number): number => Math.max(Math.sqrt(e * e + n * n), 1e-30);
  const isInline = Math.abs(e0) / length(e0, n0) > Math.abs(e1) / length(e1, n1);
  return {
    normal: 2,
    columnAxis: isInline ? 0 : 1,
    rowAxis: isInline ? 1 : 0,
    flipX: (isInline ? e0 : e1) < 0,
    flipY: (isInline ? n1 : n0) > 0,
    letters: NO_LETTERS,
  };
}

/** Can the slice across axis `normal` lie as a map? */
export function isMap(info: VolumeInfo, normal: number): boolean {
  return normal === 2 && info.kind === "seismic" && info.affine !== null;
}

/** How a slice is turned on the screen: clockwise first, then mirrored, as in DICOM PS3.3 C.10.6. */
export interface Turn {
  /** 0, 90, 180 or 270 degrees clockwise. */
  readonly rotation: number;
  /** Mirrored left to right. */
  readonly flip_x: boolean;
  /** Mirrored top to bottom. */
  readonly flip_y: boolean;
}

export const UPRIGHT: Turn = { rotation: 0, flip_x: false, flip_y: false };

/** Say how the slice across axis `normal` is laid on the screen. */
export function planeOf(
  info: VolumeInfo,
  normal: number,
  northUp = false,
  turn: Turn = UPRIGHT,
): Plane {
  let plane = uprightPlane(info, normal, northUp);
  for (let degrees = 0; degrees < turn.rotation; degrees += 90) plane = turnedRight(plane);
  const [left, right, top, bottom] = plane.letters;
  return {
    ...plane,
    flipX: plane.flipX !== turn.flip_x,
    flipY: plane.flipY !== turn.flip_y,
    letters: [
      ...(turn.flip_x ? ([right, left] as const) : ([left, right] as const)),
      ...(turn.flip_y ? ([bottom, top] as const) : ([top, bottom] as const)),
    ],
  };
}

function turnedRight(plane: Plane): Plane {
  const [left, right, top, bottom] = plane.letters;
  return {
    normal: plane.normal,
    columnAxis: plane.rowAxis,
    rowAxis: plane.columnAxis,
    flipX: !plane.flipY,
    flipY: plane.flipX,
    letters: [bottom, top, left, right],
  };
}

/** Where the point `pan` of a slice, as screen-oriented fractions, comes to lie when it is turned. */
export function turnedPan(
  pan: readonly [number, number],
  before: Turn,
  after: Turn,
): readonly [number, number] {
  let [x, y] = pan;
  if (before.flip_x) x = 1 - x;
  if (before.flip_y) y = 1 - y;
  const degrees = (after.rotation - before.rotation + 360) % 360;
  for (let at = 0; at < degrees; at += 90) [x, y] = [1 - y, x];
  return [after.flip_x ? 1 - x : x, after.flip_y ? 1 - y : y];
}

function uprightPlane(info: VolumeInfo, normal: number, northUp: boolean): Plane {
  if (northUp && info.affine && isMap(info, normal)) return mapPlane(info.affine);
  if (info.kind === "medical" && info.affine) return medicalPlane(normal, info.affine);
  const [columnAxis, rowAxis] = IN_PLANE[normal] ?? [1, 2];
  return { normal, columnAxis, rowAxis, flipX: false, flipY: false, letters: NO_LETTERS };
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Fractional array indices along the plane's column and row axis. */
export interface SlicePoint {
  readonly column: number;
  readonly row: number;
}

/** What of a view decides where its slice lies. */
export interface PaneView extends Partial<Turn> {
  readonly zoom: number;
  readonly pan: readonly [number, number];
  readonly stretch: number;
  readonly width_px: number;
  readonly height_px: number;
  /** Time slices as a map. */
  readonly north_up?: boolean;
  /** Shown in the place of the slice. */
  readonly section?: Section | null;
}

/** How a view turns its slice. */
export function turnOf({ rotation, flip_x, flip_y }: Partial<Turn>): Turn {
  return { rotation: rotation ?? 0, flip_x: flip_x ?? false, flip_y: flip_y ?? false };
}

/** Screen place of a slice; `x0`, `y0`, `width` and `height` may reach outside the pane. */
export class Placement {
  constructor(
    readonly plane: Plane,
    readonly nColumns: number,
    readonly nRows: number,
    /** Left edge of the whole slice, in pane pixels. */
    readonly x0: number,
    readonly y0: number,
    readonly width: number,
    readonly height: number,
  ) {}

  /** Pane pixel of a voxel centre. */
  toPixel(column: number, row: number): Point {
    const u = (column + 0.5) / this.nColumns;
    const v = (row + 0.5) / this.nRows;
    return {
      x: this.x0 + (this.plane.flipX ? 1 - u : u) * this.width,
      y: this.y0 + (this.plane.flipY ? 1 - v : v) * this.height,
    };
  }

  /** Indices, fractional, of a pane pixel; the inverse of `toPixel`. */
  toVoxel(x: number, y: number): SlicePoint {
    const u = (x - this.x0) / this.width;
    const v = (y - this.y0) / this.height;
    return {
      column: (this.plane.flipX ? 1 - u : u) * this.nColumns - 0.5,
      row: (this.plane.flipY ? 1 - v : v) * this.nRows - 0.5,
    };
  }
}

/**
 * Place the slice across `normal` in a pane.
 *
 * A section is placed like the slice of a volume one voxel thick, whose columns and rows are its own.
 * Zoom 1 shows the whole slice as large as fits, centred; `pan` is the point of the slice in the
 * pane's centre, as screen-oriented fractions. Seismic sections fill the pane at zoom 1, because their
 * two axes have no common unit; everything else keeps the true aspect ratio of `Axis.spacing`. A slice
 * that is turned on its side takes its stretch along.
 */
export function placeSlice(info: VolumeInfo, normal: number, view: PaneView): Placement {
  if (view.section) {
    const { info: flat } = gridOf(info, view.section);
    return placeSlice(flat, NORMAL, { ...view, section: null, north_up: false });
  }
  const turn = turnOf(view);
  const plane = planeOf(info, normal, view.north_up, turn);
  const columns = info.axes[plane.columnAxis] ?? info.axes[0];
  const rows = info.axes[plane.rowAxis] ?? info.axes[0];
  let fitWidth = view.width_px;
  let fitHeight = view.height_px;
  if (info.kind !== "seismic" || normal === 2) {
    const worldWidth = columns.n * columns.spacing;
    const worldHeight = rows.n * rows.spacing;
    const scale = Math.min(view.width_px / worldWidth, view.height_px / worldHeight);
    fitWidth = worldWidth * scale;
    fitHeight = worldHeight * scale;
  }
  const lies = turn.rotation % 180 !== 0;
  const width = fitWidth * view.zoom * (lies ? view.stretch : 1);
  const height = fitHeight * view.zoom * (lies ? 1 : view.stretch);
  return new Placement(
    plane,
    columns.n,
    rows.n,
    view.width_px / 2 - view.pan[0] * width,
    view.height_px / 2 - view.pan[1] * height,
    width,
    height,
  );
}
