/**
 * How one view follows another: the same place, scale and colours in a volume of another grid.
 *
 * The same arithmetic as `core/linking.py`, by which the server has the views follow; here the page
 * knows a moment earlier. A table of cases, made by the Python side, keeps the two equal.
 */
import { type Placement, placeSlice } from "./geometry";
import { viewOfPane } from "./panes";
import {
  PAN_MAX,
  PAN_MIN,
  STRETCH_MAX,
  STRETCH_MIN,
  type ViewPatch,
  type ViewState,
  type VolumeInfo,
  ZOOM_MAX,
  ZOOM_MIN,
} from "./protocol";
import { sameValue } from "./store";

/** What can be linked; see `core/linking.py`. */
export type LinkKind = "plane" | "slice" | "camera" | "window" | "colormap" | "cursor" | "time";

type AxisIdx = 0 | 1 | 2;
export type Triple = readonly [number, number, number];
type Row = readonly [number, number, number, number];
type Rows = readonly [Row, Row, Row];

const PLACE_KINDS: readonly LinkKind[] = ["plane", "slice", "camera", "cursor"];
const COLOURS = [
  "colormap",
  "reverse",
  "below_color",
  "above_color",
  "no_value_color",
] as const satisfies readonly (keyof ViewPatch)[];
/** Of an index: less is rounding, not a move. */
const STILL = 1e-6;
const AXES = [0, 1, 2] as const;

function asAxis(axis: number): AxisIdx {
  return axis as AxisIdx;
}

/** Where voxels of one volume lie in another. */
export interface GridMap {
  /** (index0, index1, index2, 1) of the one to indices of the other. */
  readonly rows: Rows;
  /** For each axis of the one, the axis of the other that runs along it most nearly. */
  readonly axes: readonly [AxisIdx, AxisIdx, AxisIdx];
  /** For each axis of the one, how many voxels of the other a step along it is long. */
  readonly scale: Triple;
}

/** Index of the other volume, fractional and maybe outside of it. */
export function mapped({ rows }: GridMap, voxel: readonly number[]): Triple {
  const [i = 0, j = 0, k = 0] = voxel;
  return each((r) => rows[r][0] * i + rows[r][1] * j + rows[r][2] * k + rows[r][3]);
}

/** What places of both volumes have in common; null: nothing. */
export function gridMap(leader: VolumeInfo, follower: VolumeInfo): GridMap | null {
  const theirs = new Map(coordinates(follower));
  for (const [system, rows] of coordinates(leader)) {
    const other = theirs.get(system);
    if (other) return between(rows, other);
  }
  return null;
}

function each<T>(make: (axis: AxisIdx) => T): [T, T, T] {
  return [make(0), make(1), make(2)];
}

/** Each way to say where a voxel is, best first: which one, and index to coordinates. */
function coordinates(info: VolumeInfo): [string, Rows][] {
  const found: [string, Rows][] = [];
  const rows = affineRows(info);
  const unit = info.axes[2].unit;
  if (info.kind === "seismic") {
    const [lines, crossings, samples] = numbers(info);
    if (unit && rows && info.world_unit) {
      found.push([`map ${info.world_unit} ${unit}`, [rows[0], rows[1], samples]]);
    }
    if (unit) found.push([`numbers ${unit}`, [lines, crossings, samples]]);
  } else if (rows) {
    found.push([`world ${info.world_unit}`, rows]);
  }
  const shape = info.axes.map(({ n }) => n).join("x");
  found.push([`indices ${shape}`, each((r) => unitRow(r, 1, 0))]);
  return found;
}

function unitRow(axis: number, step: number, first: number): Row {
  return [axis === 0 ? step : 0, axis === 1 ? step : 0, axis === 2 ? step : 0, first];
}

/** World coordinates of indices, a row for each; null where the volume has none. */
export function affineRows({ affine }: VolumeInfo): Rows | null {
  if (!affine) return null;
  return each((r) => affine.slice(4 * r, 4 * r + 4) as unknown as Row);
}

function numbers({ axes }: VolumeInfo): Rows {
  return each((a) => unitRow(a, axes[a].step || 1, axes[a].first));
}

function between(one: Rows, other: Rows): GridMap | null {
  const back = inverse(other);
  if (!back) return null;
  const sum = (r: AxisIdx, of: (m: AxisIdx) => number): number =>
    AXES.reduce<number>((total, m) => total + back[r][m] * of(m), 0);
  const axes = axesAlong(one, other);
  return {
    rows: each((r) => [
      sum(r, (m) => one[m][0]),
      sum(r, (m) => one[m][1]),
      sum(r, (m) => one[m][2]),
      sum(r, (m) => one[m][3] - other[m][3]),
    ]),
    axes,
    scale: each((a) => lengthOf(one, a) / lengthOf(other, axes[a])),
  };
}

/** Inverse without the shift; null where there is none. */
export function inverse(rows: Rows): readonly [Triple, Triple, Triple] | null {
  const [[a, b, c], [d, e, f], [g, h, i]] = rows;
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  if (Math.abs(det) < 1e-30) return null;
  return [
    [(e * i - f * h) / det, (c * h - b * i) / det, (b * f - c * e) / det],
    [(f * g - d * i) / det, (a * i - c * g) / det, (c * d - a * f) / det],
    [(d * h - e * g) / det, (b * g - a * h) / det, (a * e - b * d) / det],
  ];
}

function lengthOf(rows: Rows, axis: number): number {
  return Math.sqrt(rows.reduce((sum, row) => sum + (row[axis] ?? 0) ** 2, 0));
}

function axesAlong(one: Rows, other: Rows): GridMap["axes"] {
  const matches = AXES.flatMap((a) =>
    AXES.map((b) => {
      const dot = AXES.reduce<number>((sum, r) => sum + one[r][a] * other[r][b], 0);
      return { a, b, likeness: Math.abs(dot) / (lengthOf(one, a) * lengthOf(other, b)) };
    }),
  ).sort((x, y) => y.likeness - x.likeness || x.a - y.a || x.b - y.b);
  const found = new Map<AxisIdx, AxisIdx>();
  for (const { a, b } of matches) {
    if (!found.has(a) && ![...found.values()].includes(b)) found.set(a, b);
  }
  return each((a) => found.get(a) ?? a);
}

/** Says what a view must change to follow another. */
export class Guide {
  readonly grid: GridMap | null;

  constructor(
    private readonly leader: VolumeInfo,
    private readonly follower: VolumeInfo,
    private readonly what: ReadonlySet<string>,
  ) {
    this.grid = PLACE_KINDS.some((kind) => what.has(kind)) ? gridMap(leader, follower) : null;
  }

  /** Patch of the follower after the leader went from `before` to `now`. */
  patch(before: ViewState, now: ViewState, follower: ViewState): ViewPatch {
    return {
      ...(this.what.has("window") && changed(["window", "level"], before, now)),
      ...(this.what.has("colormap") && changed(COLOURS, before, now)),
      ...(this.what.has("cursor") && changed(["crosshair"], before, now)),
      ...(this.grid && this.places(this.grid, before, now, follower)),
    };
  }

  private places(grid: GridMap, before: ViewState, now: ViewState, follower: ViewState): ViewPatch {
    const axis = grid.axes[asAxis(now.axis)];
    const isOtherPlane = before.axis !== now.axis;
    const patch: { -readonly [K in keyof ViewPatch]: ViewPatch[K] } = {};
    // Which pane comes into use is for the server to say: its pictures are of another size.
    if (this.what.has("plane") && isOtherPlane && follower.axis !== axis) {
      if (follower.panes.length > 0) return {};
      patch.axis = axis;
    }
    if (this.what.has("slice") && !sameValue(before.slice_idx, now.slice_idx)) {
      const [at, old] = [mapped(grid, now.slice_idx), mapped(grid, before.slice_idx)];
      patch.slice_idx = each((b) => {
        if (Math.abs(at[b] - old[b]) < STILL) return follower.slice_idx[b];
        return Math.min(Math.max(Math.floor(at[b] + 0.5), 0), this.follower.axes[b].n - 1);
      });
    }
    const moved = changed(["zoom", "pan", "stretch"], before, now);
    const isMoved = isOtherPlane || Object.keys(moved).length > 0;
    // The middle of a section, and how large it is drawn, mean nothing to another one.
    const isSlice = now.section === null && follower.section === null;
    if (this.what.has("camera") && isMoved && isSlice && axis === (patch.axis ?? follower.axis)) {
      Object.assign(patch, this.camera(grid, now, viewOfPane(follower, follower.active), axis));
    }
    return patch;
  }

  private camera(grid: GridMap, now: ViewState, view: ViewState, axis: number): ViewPatch {
    const led = placeSlice(this.leader, now.axis, now);
    const seen = view.width_px && view.height_px ? view : now;
    const { width_px, height_px } = seen;
    const whole = placeSlice(this.follower, axis, {
      ...view,
      zoom: 1,
      pan: [0.5, 0.5],
      stretch: 1,
      width_px,
      height_px,
    });
    const { columnAxis: columns, rowAxis: rows } = led.plane;
    const [alongColumns, alongRows] = [grid.axes[asAxis(columns)], grid.axes[asAxis(rows)]];
    const pixels = new Map<AxisIdx, number>([
      [alongColumns, led.width / led.nColumns / (grid.scale[asAxis(columns)] || 1)],
      [alongRows, led.height / led.nRows / (grid.scale[asAxis(rows)] || 1)],
    ]);
    const isTurned = alongColumns !== whole.plane.columnAxis;
    const [growX, growY] = this.growth(grid, led, now, seen, isTurned);
    const perColumn = pixels.get(asAxis(whole.plane.columnAxis)) ?? 1;
    const perRow = pixels.get(asAxis(whole.plane.rowAxis)) ?? 1;
    const across = (perColumn * whole.nColumns * growX) / whole.width;
    const down = (perRow * whole.nRows * growY) / whole.height;
    // The stretch goes along with a slice that lies on its side.
    const [zoom, stretched] = view.rotation % 180 ? [down, across] : [across, down];
    return {
      zoom: Math.min(Math.max(zoom, ZOOM_MIN), ZOOM_MAX),
      pan: this.pan(grid, now, led, whole),
      stretch: Math.min(Math.max(stretched / zoom, STRETCH_MIN), STRETCH_MAX),
    };
  }

  private pan(
    grid: GridMap,
    now: ViewState,
    led: Placement,
    whole: Placement,
  ): readonly [number, number] {
    const { column, row } = led.toVoxel(now.width_px / 2, now.height_px / 2);
    const middle = [...now.slice_idx];
    middle[led.plane.columnAxis] = column;
    middle[led.plane.rowAxis] = row;
    const at = mapped(grid, middle);
    const { x, y } = whole.toPixel(
      at[asAxis(whole.plane.columnAxis)],
      at[asAxis(whole.plane.rowAxis)],
    );
    const within = (share: number): number => Math.min(Math.max(share, PAN_MIN), PAN_MAX);
    return [within((x - whole.x0) / whole.width), within((y - whole.y0) / whole.height)];
  }

  /** How much larger things are in the follower's pane, because it has another size. */
  private growth(
    grid: GridMap,
    led: Placement,
    pane: ViewState,
    other: ViewState,
    isTurned: boolean,
  ): readonly [number, number] {
    const { normal, columnAxis, rowAxis } = led.plane;
    const fills = (info: VolumeInfo, axis: number): boolean =>
      info.kind === "seismic" && axis !== 2;
    if (fills(this.leader, normal) || fills(this.follower, grid.axes[asAxis(normal)])) {
      return [other.width_px / pane.width_px, other.height_px / pane.height_px];
    }
    const covered = (axis: AxisIdx): number => {
      const { n, spacing } = this.leader.axes[axis];
      const theirs = this.follower.axes[grid.axes[axis] as AxisIdx].n / grid.scale[axis];
      return Math.max(n, theirs) * spacing;
    };
    const [wide, high] = [covered(asAxis(columnAxis)), covered(asAxis(rowAxis))];
    const fit = Math.min(pane.width_px / wide, pane.height_px / high);
    const [across, down] = isTurned ? [high, wide] : [wide, high];
    const grown = Math.min(other.width_px / across, other.height_px / down) / fit;
    return [grown, grown];
  }
}

function changed<K extends keyof ViewPatch & keyof ViewState>(
  names: readonly K[],
  before: ViewState,
  now: ViewState,
): ViewPatch {
  const moved = names.filter((name) => !sameValue(before[name], now[name]));
  return Object.fromEntries(moved.map((name) => [name, now[name]])) as ViewPatch;
}
