/** What of the annotations lies under the pointer, found through a grid over the slice. */
import type { Point } from "../geometry";
import { gridFor } from "./grids";
import { distance, isInside, middle, nearestSegment } from "./planar";
import type { Presence, Section } from "./section";
import { boundsOf, handlesOf, hasFreeVertices, isRegion, outlineOf, strokesOf } from "./shape";
import type { Annotation } from "./types";

/** Half of the 24 CSS pixels that a mouse may grab, of the 44 that a finger may. */
export const MOUSE_REACH_PX = 12;
export const TOUCH_REACH_PX = 22;
const LINE_REACH_PX = 7;
/** Shortest segment that offers a place for a new vertex. */
export const INSERT_MIN_PX = 36;

const CELLS = 48;

/** The annotations of one slice, in cells of its columns and rows. */
export class SliceIndex {
  readonly items: readonly Annotation[];
  readonly presence = new Map<string, Presence>();
  private readonly cells = new Map<number, number[]>();
  private readonly size: number;

  constructor(
    all: readonly Annotation[],
    private readonly section: Section,
    extent: number,
  ) {
    this.size = Math.max(extent / CELLS, 1e-6);
    this.items = all.filter((item) => {
      const presence = item.visible ? section.presence(item) : "off";
      if (presence !== "off") this.presence.set(item.id, presence);
      return presence !== "off";
    });
    this.items.forEach((item, i) => {
      const { x0, y0, x1, y1 } = boundsOf(item, section);
      this.each(x0, y0, x1, y1, (cell) => {
        const list = this.cells.get(cell);
        if (list) list.push(i);
        else this.cells.set(cell, [i]);
      });
    });
  }

  private each(
    x0: number,
    y0: number,
    x1: number,
    y1: number,
    visit: (cell: number) => void,
  ): void {
    // Of what lies outside, the outermost cell: there may be no end to it.
    const cell = (v: number): number =>
      Math.min(Math.max(Math.floor(v / this.size), -1), CELLS + 1);
    for (let row = cell(y0); row <= cell(y1); row++)
      for (let column = cell(x0); column <= cell(x1); column++) visit(row * 65536 + column);
  }

  /** Whatever may reach within `reach` pixels of a point; the topmost first. */
  near(section: Section, at: Point, reach: number): readonly Annotation[] {
    const [a, b] = [
      section.toPlane({ x: at.x - reach, y: at.y - reach }),
      section.toPlane({ x: at.x + reach, y: at.y + reach }),
    ];
    const found = new Set<number>();
    this.each(
      Math.min(a.x, b.x),
      Math.min(a.y, b.y),
      Math.max(a.x, b.x),
      Math.max(a.y, b.y),
      (cell) => {
        for (const i of this.cells.get(cell) ?? []) found.add(i);
      },
    );
    return [...found]
      .sort((one, other) => other - one)
      .map((i) => this.items[i])
      .filter((item) => item !== undefined);
  }

  isOf(section: Section): boolean {
    return section.sameSlice(this.section);
  }
}

export interface Hit {
  readonly id: string;
  /** "insert": the middle of the segment after vertex `at`, where a vertex may be added. */
  readonly part: "handle" | "insert" | "body" | "label";
  readonly at: number;
}

/** Middles of the segments that are long enough to take a vertex. */
export function insertsOf(item: Annotation, section: Section): readonly (Point | null)[] {
  if (!hasFreeVertices(item) || gridFor(item)) return [];
  if (handlesOf(item, section).includes(null)) return []; // seen from another plane, or in part
  const { chain, closed } = outlineOf(item, section);
  return chain.map((a, i) => {
    const b = chain[i + 1] ?? (closed ? chain[0] : undefined);
    return b && distance(a, b) >= INSERT_MIN_PX ? middle(a, b) : null;
  });
}

function nearestOf(places: readonly (Point | null)[], at: Point, reach: number): number {
  let [best, found] = [reach, -1];
  places.forEach((place, i) => {
    const d = place ? distance(place, at) : Number.POSITIVE_INFINITY;
    if (d <= best) [best, found] = [d, i];
  });
  return found;
}

/** Handles of what is selected come before everything that lies under them. */
function hitHandle(item: Annotation, section: Section, at: Point, reach: number): Hit | null {
  const handle = nearestOf(handlesOf(item, section), at, reach);
  if (handle >= 0) return { id: item.id, part: "handle", at: handle };
  const insert = nearestOf(insertsOf(item, section), at, reach * 0.75);
  return insert >= 0 ? { id: item.id, part: "insert", at: insert } : null;
}

function isOnBody(item: Annotation, section: Section, at: Point, reach: number): boolean {
  const line = Math.max(LINE_REACH_PX, reach / 2) + item.width / 2;
  return strokesOf(item, section).some(
    ({ chain, closed }) => nearestSegment(chain, closed, at).distance <= line,
  );
}

/** The topmost part under a point of the pane; null = nothing. */
export function hitTest(
  index: SliceIndex,
  section: Section,
  at: Point,
  reach: number,
  selected: readonly Annotation[],
): Hit | null {
  for (const item of selected) {
    if (item.locked || !item.visible || section.presence(item) === "off") continue;
    const hit = hitHandle(item, section, at, reach);
    if (hit) return hit;
  }
  for (const item of index.near(section, at, reach + 4)) {
    if (isOnBody(item, section, at, reach)) return { id: item.id, part: "body", at: -1 };
  }
  const within = selected.find(
    (item) =>
      isRegion(item) &&
      section.presence(item) !== "off" &&
      isInside(outlineOf(item, section).chain, at),
  );
  return within ? { id: within.id, part: "body", at: -1 } : null;
}

/** The nearest vertex of another annotation within reach, to snap to. */
export function snapTo(
  index: SliceIndex,
  section: Section,
  at: Point,
  reach: number,
  except: ReadonlySet<string>,
): Point | null {
  let [best, found]: [number, Point | null] = [reach, null];
  for (const item of index.near(section, at, reach)) {
    if (except.has(item.id) || item.kind === "freehand") continue;
    for (const place of handlesOf(item, section)) {
      const d = place ? distance(place, at) : Number.POSITIVE_INFINITY;
      if (d < best) [best, found] = [d, place];
    }
  }
  return found;
}
