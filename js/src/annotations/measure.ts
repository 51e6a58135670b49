/**
 * Lengths, angles and areas of annotations in world units.
 *
 * The same formulas as `core/measure.py`; `tests/vectors/measures.json` keeps the two equal. Time and
 * length are never added: a seismic section in time has a horizontal and a vertical distance, no sum.
 */
import type { VolumeInfo } from "../protocol";
import { crossesItself, shoelace } from "./planar";
import type { Annotation, Point3, Quantity } from "./types";

type Vector = readonly [number, number, number];

/** How array indices become lengths. */
interface Metric {
  /** World vector of a difference of indices; only for volumes with one unit. */
  readonly vector: (d: Point3) => Vector;
  readonly unit: string;
  /** Unit along axis 2 where it is not a length: time. "" = all three axes are lengths. */
  readonly vertical: string;
  readonly verticalStep: number;
}

function minus(a: Point3, b: Point3): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function lengthOf(v: Vector): number {
  return Math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function metricOf(info: VolumeInfo): Metric {
  const unit = info.world_unit || "voxel";
  const [one, two, three] = info.axes;
  const m = info.affine;
  const at = (row: number, column: number): number => m?.[4 * row + column] ?? 0;
  if (info.kind === "seismic") {
    const step = three.unit ? Math.abs(three.step) : 1;
    const vertical = three.unit || "sample";
    const lateral = (d: Point3): Vector =>
      m
        ? [at(0, 0) * d[0] + at(0, 1) * d[1], at(1, 0) * d[0] + at(1, 1) * d[1], 0]
        : [one.spacing * d[0], two.spacing * d[1], 0];
    const vector = (d: Point3): Vector => {
      const [x, y] = lateral(d);
      return [x, y, step * d[2]];
    };
    return { vector, unit, vertical: vertical === unit ? "" : vertical, verticalStep: step };
  }
  const row = (r: number, d: Point3): number => at(r, 0) * d[0] + at(r, 1) * d[1] + at(r, 2) * d[2];
  const vector = (d: Point3): Vector =>
    m
      ? [row(0, d), row(1, d), row(2, d)]
      : [one.spacing * d[0], two.spacing * d[1], three.spacing * d[2]];
  return { vector, unit, vertical: "", verticalStep: three.spacing };
}

function lateralLength(metric: Metric, d: Point3): number {
  const [x, y] = metric.vector([d[0], d[1], 0]);
  return Math.sqrt(x * x + y * y);
}

/** Along a chain: one length, or a lateral and a vertical one. */
function along(metric: Metric, points: readonly Point3[], name: string): Quantity[] {
  let [length, lateral, vertical] = [0, 0, 0];
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    if (!a || !b) continue;
    const d = minus(b, a);
    length += lengthOf(metric.vector(d));
    lateral += lateralLength(metric, d);
    vertical += Math.abs(d[2]) * metric.verticalStep;
  }
  if (!metric.vertical) return [{ name, value: length, unit: metric.unit }];
  return [
    { name: "horizontal", value: lateral, unit: metric.unit },
    { name: "vertical", value: vertical, unit: metric.vertical },
  ];
}

/** Degrees between two vectors, 0 to 180; exact also near 0 and 180, where the cosine is flat. */
function degrees(a: Vector, b: Vector): number {
  return (Math.atan2(lengthOf(cross(a, b)), dot(a, b)) * 180) / Math.PI;
}

/** Time has no angle with length: all points must lie on one time slice. */
function hasAngles(metric: Metric, points: readonly Point3[]): boolean {
  return !metric.vertical || points.every((point) => point[2] === points[0]?.[2]);
}

function angle(metric: Metric, points: readonly Point3[]): Quantity[] {
  const [a, b, c] = points;
  if (!a || !b || !c || !hasAngles(metric, points)) return [];
  const value = degrees(metric.vector(minus(a, b)), metric.vector(minus(c, b)));
  return [{ name: "angle", value, unit: "°" }];
}

function cobb(metric: Metric, points: readonly Point3[]): Quantity[] {
  const [a, b, c, d] = points;
  if (!a || !b || !c || !d || !hasAngles(metric, points)) return [];
  const value = degrees(metric.vector(minus(b, a)), metric.vector(minus(d, c)));
  return [{ name: "angle", value: Math.min(value, 180 - value), unit: "°" }];
}

const IN_PLANE: readonly (readonly [number, number])[] = [
  [1, 2],
  [0, 2],
  [0, 1],
];

function unitVector(axis: number): Point3 {
  return [axis === 0 ? 1 : 0, axis === 1 ? 1 : 0, axis === 2 ? 1 : 0];
}

/** World area of one voxel's face across `axis`, and its unit. */
function faceOf(metric: Metric, axis: number): { area: number; unit: string } {
  const [u, v] = IN_PLANE[axis] ?? [0, 1];
  const [a, b] = [metric.vector(unitVector(u)), metric.vector(unitVector(v))];
  if (!metric.vertical || axis === 2) {
    return { area: lengthOf(cross(a, b)), unit: `${metric.unit}²` };
  }
  return {
    area: lateralLength(metric, unitVector(u)) * metric.verticalStep,
    unit: `${metric.unit}·${metric.vertical}`,
  };
}

/** Of a polygon that lies across no axis: half of what its vertices span; no time with length. */
function areaInSpace(metric: Metric, points: readonly Point3[]): Quantity[] {
  const [first] = points;
  if (!first || points.length < 3 || crossesItself(seenAcross(points))) return [];
  let sum: Vector = [0, 0, 0];
  points.slice(1).forEach((b, i) => {
    const a = points[i] ?? first;
    const by = cross(metric.vector(minus(a, first)), metric.vector(minus(b, first)));
    sum = [sum[0] + by[0], sum[1] + by[1], sum[2] + by[2]];
  });
  const value = lengthOf(sum) / 2;
  if (!metric.vertical) return [{ name: "area", value, unit: `${metric.unit}²` }];
  // Upright: what is horizontal times what is vertical. A tilted plane has no area in any unit.
  if (Math.abs(sum[2]) > UPRIGHT * lengthOf(sum)) return [];
  return [{ name: "area", value, unit: `${metric.unit}·${metric.vertical}` }];
}

/** A share of an area as seen from above, below which a plane stands upright. */
const UPRIGHT = 1e-3;

/** Points in a plane, seen along the axis that it lies across most. */
function seenAcross(points: readonly Point3[]): readonly { x: number; y: number }[] {
  const [first] = points;
  if (!first) return [];
  let normal: Vector = [0, 0, 0];
  points.slice(1).forEach((b, i) => {
    const by = cross(minus(points[i] ?? first, first), minus(b, first));
    normal = [normal[0] + by[0], normal[1] + by[1], normal[2] + by[2]];
  });
  const sizes = normal.map(Math.abs);
  const [u, v] = IN_PLANE[sizes.indexOf(Math.max(...sizes))] ?? [0, 1];
  return points.map((point) => ({ x: point[u] ?? 0, y: point[v] ?? 0 }));
}

function area(metric: Metric, item: Annotation): Quantity[] {
  if (item.axis === null) return areaInSpace(metric, item.points);
  const { axis } = item;
  const [u, v] = IN_PLANE[axis] ?? [0, 1];
  const face = faceOf(metric, axis);
  const ring = item.points.map((point) => ({ x: point[u] ?? 0, y: point[v] ?? 0 }));
  const [a, c] = ring;
  let inVoxels: number;
  if (item.kind === "rectangle" || item.kind === "ellipse") {
    if (!a || !c) return [];
    const box = Math.abs((c.x - a.x) * (c.y - a.y));
    inVoxels = item.kind === "ellipse" ? (Math.PI / 4) * box : box;
  } else {
    if (ring.length < 3 || crossesItself(ring)) return [];
    inVoxels = Math.abs(shoelace(ring)) / 2;
  }
  return [{ name: "area", value: inVoxels * face.area, unit: face.unit }];
}

function perimeter(metric: Metric, item: Annotation): Quantity[] {
  if (item.kind === "ellipse" || (metric.vertical && item.axis !== 2)) return [];
  const [a, c] = item.points;
  let ring = item.points;
  if (item.kind === "rectangle" && a && c) {
    const [u] = IN_PLANE[item.axis ?? 0] ?? [0, 1];
    const corner = (from: Point3, other: Point3): Point3 =>
      from.map((value, i) => (i === u ? other[i] : value)) as unknown as Point3;
    ring = [a, corner(a, c), c, corner(c, a)];
  }
  const [first] = ring;
  const [length] = first ? along({ ...metric, vertical: "" }, [...ring, first], "perimeter") : [];
  return length ? [length] : [];
}

/** Determinant of three edges: the volume that they span, with its sign. */
function spanned(a: Vector, b: Vector, c: Vector): number {
  return dot(cross(a, b), c);
}

/** Volume and sides of a box. */
function box(metric: Metric, item: Annotation): Quantity[] {
  const [a, c] = item.points;
  if (!a || !c) return [];
  const d = minus(c, a).map(Math.abs);
  const edges = [0, 1, 2].map((axis) =>
    metric.vector(unitVector(axis).map((v) => v * (d[axis] ?? 0)) as unknown as Point3),
  );
  const [x = [0, 0, 0], y = [0, 0, 0], z = [0, 0, 0]] = edges as Vector[];
  const units = [metric.unit, metric.unit, metric.vertical || metric.unit];
  const unit = metric.vertical ? `${metric.unit}²·${metric.vertical}` : `${metric.unit}³`;
  return [
    { name: "volume", value: Math.abs(spanned(x, y, z)), unit },
    ...units.map((unit, axis) => ({
      name: `side ${axis}`,
      value: lengthOf(edges[axis] ?? [0, 0, 0]),
      unit,
    })),
  ];
}

/** What can be said of an annotation by its shape alone; empty if nothing. */
export function quantitiesOf(item: Annotation, info: VolumeInfo): readonly Quantity[] {
  const metric = metricOf(info);
  switch (item.kind) {
    case "distance":
    case "line":
    case "arrow":
    case "profile":
      return along(metric, item.points, "distance");
    case "path":
    case "polyline":
    case "fault":
      return along(metric, item.points, "length");
    case "box":
      return box(metric, item);
    case "angle":
      return angle(metric, item.points);
    case "cobb":
      return cobb(metric, item.points);
    case "rectangle":
    case "ellipse":
    case "polygon":
    case "freehand": {
      if (item.kind === "freehand" && !item.closed) return along(metric, item.points, "length");
      const found = area(metric, item);
      return found.length ? [...found, ...perimeter(metric, item)] : [];
    }
    default:
      return [];
  }
}

/** The ring of a region crosses itself: it has no area and no voxels. */
export function isTangled(item: Annotation): boolean {
  if (item.kind !== "polygon" && !item.closed) return false;
  if (item.axis === null) return crossesItself(seenAcross(item.points));
  const [u, v] = IN_PLANE[item.axis] ?? [0, 1];
  return crossesItself(item.points.map((point) => ({ x: point[u] ?? 0, y: point[v] ?? 0 })));
}
