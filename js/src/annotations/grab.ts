/** Something that is held by the pointer: a handle, a new vertex, or whole annotations. */
import type { Point } from "../geometry";
import { CLICK_PX, type Pointed } from "./draft";
import { rounded } from "./edits";
import type { Hit } from "./hit";
import { distance, toEighth, toSquare } from "./planar";
import type { Section } from "./section";
import { handlesOf, isCornered, withHandleAt } from "./shape";
import type { Annotation, Edit, Point3 } from "./types";

/** Keeps a whole annotation inside the volume: how far it may really move. */
export function keptInside(
  items: readonly Annotation[],
  by: Point3,
  sizes: readonly number[],
): Point3 {
  return by.map((wanted, i) => {
    let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const { points } of items)
      for (const point of points) {
        low = Math.max(low, -0.5 - (point[i] ?? 0));
        high = Math.min(high, (sizes[i] ?? 1) - 0.5 - (point[i] ?? 0));
      }
    return Math.min(Math.max(wanted, low), high);
  }) as unknown as Point3;
}

/** Move annotations by a difference of indices. */
export function moveEdits(items: readonly Annotation[], by: Point3): Edit[] {
  if (by.every((v) => v === 0)) return [];
  return items.map(({ id, points: [first] }) => ({
    op: "move",
    id,
    to: rounded([0, 1, 2].map((i) => (first?.[i] ?? 0) + (by[i] ?? 0)) as unknown as Point3),
  }));
}

export class Grab {
  moved = false;
  private last: Point | null = null;

  constructor(
    readonly hit: Hit,
    /** As they were when they were grabbed; the one that was hit is the first. */
    readonly originals: readonly Annotation[],
    private readonly start: Point,
    readonly gesture: number,
    private readonly sizes: readonly number[],
  ) {}

  get ids(): ReadonlySet<string> {
    return new Set(this.originals.map(({ id }) => id));
  }

  /** What a movement to here means; empty while it may still be a click. */
  move({ at, section, straight }: Pointed, snapped: Point | null): readonly Edit[] {
    if (!this.moved && distance(at, this.start) < CLICK_PX) return [];
    this.moved = true;
    if (this.hit.part === "body") return this.moveAll(at, section, straight);
    const [item] = this.originals;
    if (!item) return [];
    return this.moveHandle(item, snapped ?? at, section, straight && !snapped);
  }

  /** By how much the hand moved since the last time; null while it may still be a click. */
  step(at: Point): Point | null {
    if (!this.moved && distance(at, this.start) < CLICK_PX) return null;
    this.moved = true;
    const from = this.last ?? this.start;
    this.last = at;
    return { x: at.x - from.x, y: at.y - from.y };
  }

  private moveAll(at: Point, section: Section, straight: boolean): readonly Edit[] {
    let [dx, dy] = [at.x - this.start.x, at.y - this.start.y];
    if (straight) [dx, dy] = Math.abs(dx) > Math.abs(dy) ? [dx, 0] : [0, dy];
    const by = keptInside(this.originals, section.moveOf(dx, dy, this.start), this.sizes);
    return moveEdits(this.originals, by);
  }

  private moveHandle(
    item: Annotation,
    at: Point,
    section: Section,
    straight: boolean,
  ): readonly Edit[] {
    const { id } = item;
    const { part, at: handle } = this.hit;
    const held = item.points[Math.min(handle, item.points.length - 1)];
    const across = held ? section.depthOf(held) : 0;
    const to = straight ? constrained(item, section, handle, at) : at;
    const place = rounded(this.inside(section.lift(section.toPlane(to), across)));
    if (part === "insert") {
      const points = [...item.points];
      points.splice(handle + 1, 0, place);
      return [{ op: "set", id, points: points.map(rounded) }];
    }
    if (!isCornered(item)) return [{ op: "drag", id, at: handle, point: place }];
    return [{ op: "set", id, points: withHandleAt(item, section, handle, place).map(rounded) }];
  }

  private inside(point: Point3): Point3 {
    return point.map((v, i) =>
      Math.min(Math.max(v, -0.5), (this.sizes[i] ?? 1) - 0.5),
    ) as unknown as Point3;
  }
}

/** Shift: in multiples of 45 degrees from the neighbour, squares from the opposite corner. */
function constrained(item: Annotation, section: Section, handle: number, at: Point): Point {
  const handles = handlesOf(item, section);
  if (isCornered(item)) {
    const opposite = handles[(handle + 2) % 4];
    return opposite ? toSquare(opposite, at) : at;
  }
  const neighbour = handles[handle - 1] ?? handles[handle + 1];
  return neighbour ? toEighth(neighbour, at) : at;
}
