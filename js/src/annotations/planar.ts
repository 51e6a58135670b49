/** Plane geometry in any two coordinates: distances, insides, constraints. */
import type { Point } from "../geometry";

export function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

export function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

/** Where on the segment from `a` to `b` the point nearest to `p` lies, 0 to 1. */
export function nearestOn(a: Point, b: Point, p: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length2 = dx * dx + dy * dy;
  if (length2 === 0) return 0;
  return Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / length2));
}

export function distanceToSegment(a: Point, b: Point, p: Point): number {
  const t = nearestOn(a, b, p);
  return distance(p, { x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) });
}

export interface Nearest {
  readonly distance: number;
  /** The segment from vertex `segment` to the next one. */
  readonly segment: number;
}

/** The nearest segment of a chain; `closed` joins the last vertex to the first. */
export function nearestSegment(chain: readonly Point[], closed: boolean, p: Point): Nearest {
  let best: Nearest = { distance: Number.POSITIVE_INFINITY, segment: -1 };
  const [only] = chain;
  if (chain.length === 1 && only) return { distance: distance(only, p), segment: 0 };
  const last = closed ? chain.length : chain.length - 1;
  for (let i = 0; i < last; i++) {
    const [a, b] = [chain[i], chain[(i + 1) % chain.length]];
    if (!a || !b) continue;
    const d = distanceToSegment(a, b, p);
    if (d < best.distance) best = { distance: d, segment: i };
  }
  return best;
}

/** Even-odd rule. */
export function isInside(ring: readonly Point[], p: Point): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [a, b] = [ring[i], ring[j]];
    if (!a || !b || a.y > p.y === b.y > p.y) continue;
    if (p.x < ((b.x - a.x) * (p.y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}

/** Twice the signed area. */
export function shoelace(ring: readonly Point[]): number {
  let sum = 0;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [a, b] = [ring[j], ring[i]];
    if (a && b) sum += a.x * b.y - b.x * a.y;
  }
  return sum;
}

function turn(a: Point, b: Point, c: Point): number {
  return Math.sign((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x));
}

function onSegment(a: Point, b: Point, p: Point): boolean {
  return (
    p.x >= Math.min(a.x, b.x) &&
    p.x <= Math.max(a.x, b.x) &&
    p.y >= Math.min(a.y, b.y) &&
    p.y <= Math.max(a.y, b.y)
  );
}

function meet(a: Point, b: Point, c: Point, d: Point): boolean {
  const [abc, abd, cda, cdb] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if (abc !== abd && cda !== cdb) return true;
  return (
    (abc === 0 && onSegment(a, b, c)) ||
    (abd === 0 && onSegment(a, b, d)) ||
    (cda === 0 && onSegment(c, d, a)) ||
    (cdb === 0 && onSegment(c, d, b))
  );
}

interface Edge {
  readonly i: number;
  readonly a: Point;
  readonly b: Point;
  readonly low: number;
  readonly high: number;
}

/** A vertex that is given twice, as some close their rings, has no edge between. */
function edgesOf(ring: readonly Point[]): Edge[] {
  const vertices = ring.filter(({ x, y }, i) => {
    const before = ring.at(i - 1);
    return before?.x !== x || before.y !== y;
  });
  return vertices.map((a, i) => {
    const b = vertices[(i + 1) % vertices.length] ?? a;
    return { i, a, b, low: Math.min(a.x, b.x), high: Math.max(a.x, b.x) };
  });
}

/** Do two edges of a ring of `n` cross? Neighbours share a vertex and do not count. */
function edgesMeet(one: Edge, other: Edge, n: number): boolean {
  const apart = Math.abs(one.i - other.i);
  return apart !== 1 && apart !== n - 1 && meet(one.a, one.b, other.a, other.b);
}

/**
 * Does a ring cross or touch itself? Such a ring has no area.
 *
 * Sorted by x, so that only edges whose spans overlap are compared.
 */
export function crossesItself(ring: readonly Point[]): boolean {
  const edges = edgesOf(ring).sort((one, other) => one.low - other.low);
  return edges.some((one, k) => {
    for (let m = k + 1; m < edges.length; m++) {
      const other = edges[m];
      if (!other || other.low > one.high) return false;
      if (edgesMeet(one, other, edges.length)) return true;
    }
    return false;
  });
}

const EIGHTH = Math.PI / 4;

/** `to`, turned about `from` to the nearest multiple of 45 degrees. */
export function toEighth(from: Point, to: Point): Point {
  const length = distance(from, to);
  const angle = Math.round(Math.atan2(to.y - from.y, to.x - from.x) / EIGHTH) * EIGHTH;
  return { x: from.x + length * Math.cos(angle), y: from.y + length * Math.sin(angle) };
}

/** `to`, moved so that it spans a square with `from`. */
export function toSquare(from: Point, to: Point): Point {
  const side = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
  return {
    x: from.x + (to.x < from.x ? -side : side),
    y: from.y + (to.y < from.y ? -side : side),
  };
}

/** Vertices that a stroke needs: those within `tolerance` of the line through the others go. */
export function simplify(chain: readonly Point[], tolerance: number): number[] {
  const keep = new Set([0, chain.length - 1]);
  const spans: [number, number][] = [[0, chain.length - 1]];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [from, to] = span;
    const [a, b] = [chain[from], chain[to]];
    let [far, at] = [tolerance, -1];
    for (let i = from + 1; i < to; i++) {
      const p = chain[i];
      const d = a && b && p ? distanceToSegment(a, b, p) : 0;
      if (d > far) [far, at] = [d, i];
    }
    if (at < 0) continue;
    keep.add(at);
    spans.push([from, at], [at, to]);
  }
  return [...keep].filter((i) => i >= 0).sort((a, b) => a - b);
}
