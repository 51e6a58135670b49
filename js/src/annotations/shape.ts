/** What an annotation looks like on a section: its line, its handles, and what moving a handle makes. */
import type { Point } from "../geometry";
import { gridFor } from "./grids";
import { outlinesOn } from "./horizonlines";
import { isCornered } from "./kinds";
import { GridSection } from "./oblique";
import { middle } from "./planar";
import { asSlice, ON_SLICES, type Section } from "./section";
import type { Annotation, Point3 } from "./types";

export { isCornered, isRegion } from "./kinds";

export interface Outline {
  readonly chain: readonly Point[];
  readonly closed: boolean;
}

const ELLIPSE_STEPS = 72;
const HEAD_PX = 12;
const HEAD_ANGLE = 0.45;
const ARC_PX = 22;

/** Corners of the rectangle that two opposite ones span, in order. */
function cornersOf(a: Point, c: Point): Point[] {
  return [a, { x: c.x, y: a.y }, c, { x: a.x, y: c.y }];
}

function ellipseOf(a: Point, c: Point): Point[] {
  const at = middle(a, c);
  const [rx, ry] = [Math.abs(c.x - a.x) / 2, Math.abs(c.y - a.y) / 2];
  return Array.from({ length: ELLIPSE_STEPS }, (_, i) => {
    const angle = (2 * Math.PI * i) / ELLIPSE_STEPS;
    return { x: at.x + rx * Math.cos(angle), y: at.y + ry * Math.sin(angle) };
  });
}

function headOf(from: Point, to: Point): Outline {
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const side = (turn: number): Point => ({
    x: to.x - HEAD_PX * Math.cos(angle + turn),
    y: to.y - HEAD_PX * Math.sin(angle + turn),
  });
  return { chain: [side(HEAD_ANGLE), to, side(-HEAD_ANGLE)], closed: false };
}

/** The arc between the two arms of an angle. */
function arcOf(a: Point, vertex: Point, c: Point): Outline {
  const from = Math.atan2(a.y - vertex.y, a.x - vertex.x);
  let sweep = Math.atan2(c.y - vertex.y, c.x - vertex.x) - from;
  if (sweep > Math.PI) sweep -= 2 * Math.PI;
  if (sweep < -Math.PI) sweep += 2 * Math.PI;
  const chain = Array.from({ length: 17 }, (_, i) => {
    const angle = from + (sweep * i) / 16;
    return { x: vertex.x + ARC_PX * Math.cos(angle), y: vertex.y + ARC_PX * Math.sin(angle) };
  });
  return { chain, closed: false };
}

/** The line through the vertices, in pixels of the pane. */
export function outlineOf(item: Annotation, section: Section): Outline {
  const at = item.points.map((point) => section.toPixel(point));
  const [a, b] = at;
  if (item.kind === "box" && section instanceof GridSection) {
    return { chain: section.cutOfBox(item), closed: true };
  }
  if (isCornered(item) && a && b) {
    return { chain: item.kind === "ellipse" ? ellipseOf(a, b) : cornersOf(a, b), closed: true };
  }
  return { chain: at, closed: item.kind === "polygon" || item.closed };
}

/** Runs of picks that lie on the section, or on one beside it. */
function runsOf(item: Annotation, section: Section): Outline[] {
  const runs: Point[][] = [[]];
  for (const point of item.points) {
    if (section.isNear(point)) runs.at(-1)?.push(section.toPixel(point));
    else if (runs.at(-1)?.length) runs.push([]);
  }
  return runs.filter((chain) => chain.length > 0).map((chain) => ({ chain, closed: false }));
}

const CROSSING_PX = 5;

/** Short strokes where a fault stick, drawn on another plane, goes through the section. */
function crossingsOf(item: Annotation, section: Section): Outline[] {
  const found: Outline[] = [];
  item.points.forEach((b, i) => {
    const a = item.points[i - 1];
    if (!a) return;
    for (const cut of section.cutsOf(a, b)) {
      const at = section.toPixel(cut);
      for (const side of [-1, 1]) {
        const chain = [
          { x: at.x - CROSSING_PX, y: at.y - side * CROSSING_PX },
          { x: at.x + CROSSING_PX, y: at.y + side * CROSSING_PX },
        ];
        found.push({ chain, closed: false });
      }
    }
  });
  return found;
}

/** A fault stick seen from another plane than its own. */
function isCrossing(item: Annotation, section: Section): boolean {
  if (item.kind !== "fault") return false;
  if (section.axis !== null) return item.axis !== null && item.axis !== section.axis;
  return item.points.some((point) => Math.abs(section.depthOf(point)) > ON_SLICES);
}

/** What was followed from it, or else its picks. */
function horizonOf(item: Annotation, section: Section): readonly Outline[] {
  const grid = gridFor(item);
  if (!grid) return runsOf(item, section);
  const slice = asSlice(section);
  if (slice) return grid.outlines(slice);
  if (!(section instanceof GridSection)) return [];
  return outlinesOn(grid, section).map((chain) => ({
    chain: chain.map(({ x, y }) => section.pixelOf(section.laid(x, y))),
    closed: false,
  }));
}

/** All lines of an annotation: heads and arcs too. The second of Cobb's lines is one of its own. */
export function strokesOf(item: Annotation, section: Section): readonly Outline[] {
  if (item.kind === "horizon") return horizonOf(item, section);
  if (isCrossing(item, section)) return crossingsOf(item, section);
  const outline = outlineOf(item, section);
  const [a, b, c, d] = outline.chain;
  if (item.kind === "arrow" && a && b) return [outline, headOf(a, b)];
  if (item.kind === "angle" && a && b && c) return [outline, arcOf(a, b, c)];
  if (item.kind === "cobb" && a && b && c && d) {
    return [
      { chain: [a, b], closed: false },
      { chain: [c, d], closed: false },
    ];
  }
  return [outline];
}

/** The dotted help line of a Cobb angle: from the middle of one line to that of the other. */
export function helpLineOf(item: Annotation, section: Section): readonly Point[] {
  if (item.kind !== "cobb") return [];
  const [a, b, c, d] = item.points.map((point) => section.toPixel(point));
  return a && b && c && d ? [middle(a, b), middle(c, d)] : [];
}

/** Places to grab: the vertices, or the four corners; null: that one does not lie on this section. */
export function handlesOf(item: Annotation, section: Section): readonly (Point | null)[] {
  if (isCrossing(item, section)) return item.points.map(() => null);
  if (item.kind === "horizon")
    return item.points.map((point) => (section.isNear(point) ? section.toPixel(point) : null));
  const at = item.points.map((point) => section.toPixel(point));
  const [a, c] = at;
  if (!isCornered(item) || !a || !c) return at;
  // Its corners lie along the axes: they are moved on slices.
  return cornersOf(a, c).map((corner) => (section.axis === null ? null : corner));
}

/** The points when handle `handle` is brought to `to`. */
export function withHandleAt(
  item: Annotation,
  section: Section,
  handle: number,
  to: Point3,
): readonly Point3[] {
  if (!isCornered(item)) return item.points.map((point, i) => (i === handle ? to : point));
  const [a, c] = item.points;
  if (!a || !c) return item.points;
  const put = (point: Point3, axis: number): Point3 =>
    point.map((v, i) => (i === axis ? to[axis] : v)) as unknown as Point3;
  const { columnAxis: x, rowAxis: y } = section;
  // Corners 0 and 2 are the two points; 1 has the column of the second and the row of the first.
  if (handle === 0) return [put(put(a, x), y), c];
  if (handle === 2) return [a, put(put(c, x), y)];
  return handle === 1 ? [put(a, y), put(c, x)] : [put(a, x), put(c, y)];
}

/** Share of an axis that a new box reaches into it to either side. */
const BOX_DEPTH = 0.05;

/** The corners of a box drawn on a section: it gets a depth, which its handles in other panes change. */
export function withDepth(
  points: readonly Point3[],
  axis: number,
  sizes: readonly number[],
): readonly Point3[] {
  const n = sizes[axis] ?? 1;
  const half = Math.max(1, Math.round(n * BOX_DEPTH));
  return points.map((point, i) =>
    point.map((v, k) => {
      if (k !== axis) return v;
      return Math.min(Math.max(i === 0 ? v - half : v + half, -0.5), n - 0.5);
    }),
  ) as unknown as readonly Point3[];
}

/** Where vertices may be inserted and taken out. */
export function hasFreeVertices({ kind }: Annotation): boolean {
  return ["polyline", "freehand", "polygon", "path", "horizon", "fault"].includes(kind);
}

/** The box around what is drawn, in columns and rows of the section. */
export interface Bounds {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export function boundsOf(item: Annotation, section: Section): Bounds {
  // Where a grid lies is known to the section alone: it may be met anywhere.
  if (gridFor(item)) return { x0: 0, y0: 0, x1: Infinity, y1: Infinity };
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const point of item.points) {
    const { x, y } = section.planeOf(point);
    x0 = Math.min(x0, x);
    x1 = Math.max(x1, x);
    y0 = Math.min(y0, y);
    y1 = Math.max(y1, y);
  }
  return { x0, y0, x1, y1 };
}
