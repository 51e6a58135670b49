/** The chosen annotations of one view, and everything that is done to all of them at once. */
import type { Point } from "../geometry";
import { rounded } from "./edits";
import { keptInside, moveEdits } from "./grab";
import type { Section } from "./section";
import { isRegion } from "./shape";
import type { AnnotationStore } from "./store";
import type { Annotation, Changes, Edit, Point3 } from "./types";

/** Steps by key that follow each other so closely are one step of undo. */
const NUDGE_PAUSE_MS = 1000;
/** A copy is set off by this much, so that it does not hide what it was copied from. */
const PASTE_OFFSET_PX = 14;

/** Copied annotations, for all viewers of the page. */
let clipboard: readonly Annotation[] = [];

export function newId(): string {
  // Not there on pages without HTTPS.
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Selection {
  private readonly ids = new Set<string>();
  private nudge = { gesture: 0, time: Number.NEGATIVE_INFINITY };

  constructor(
    private readonly store: AnnotationStore,
    private readonly changed: () => void,
  ) {}

  get size(): number {
    return this.ids.size;
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  get items(): readonly Annotation[] {
    return [...this.ids].map((id) => this.store.get(id)).filter((item) => item !== null);
  }

  /** The only one, or null. */
  get single(): Annotation | null {
    const [item] = this.items;
    return this.ids.size === 1 ? (item ?? null) : null;
  }

  /** Choose one, with its group; `more` adds it, or takes it out again; `alone` leaves its group. */
  pick(id: string, { more = false, alone = false } = {}): void {
    const group = alone ? "" : (this.store.get(id)?.group ?? "");
    const whole = group
      ? this.store.items.filter((item) => item.group === group).map((item) => item.id)
      : [id];
    if (more && this.ids.has(id)) for (const each of whole) this.ids.delete(each);
    else {
      if (!more) this.ids.clear();
      for (const each of whole) this.ids.add(each);
    }
    this.changed();
  }

  set(ids: Iterable<string>): void {
    this.ids.clear();
    for (const id of ids) this.ids.add(id);
    this.changed();
  }

  clear(): void {
    if (this.ids.size > 0) this.set([]);
  }

  /** Forget what is gone. */
  prune(): void {
    for (const id of this.ids) if (!this.store.get(id)) this.ids.delete(id);
  }

  // ------------------------------------------------------------ changes

  private get free(): readonly Annotation[] {
    return this.items.filter(({ locked }) => !locked);
  }

  /** Where the first of them lies on a section. */
  private startOf(section: Section): Point {
    const first = this.items[0]?.points[0];
    return first ? section.toPixel(first) : { x: 0, y: 0 };
  }

  /** Change all that are not locked; the number of those. */
  change(changes: Changes): number {
    return this.apply(this.free.map(({ id }): Edit => ({ op: "set", id, ...changes })));
  }

  setLocked(locked: boolean): void {
    this.apply(
      this.items
        .filter((item) => item.locked !== locked)
        .map(({ id }) => ({ op: "set", id, locked })),
    );
  }

  setVisible(visible: boolean): void {
    this.change({ visible });
  }

  remove(): number {
    const removed = this.apply(this.free.map(({ id }) => ({ op: "remove", id })));
    this.prune();
    this.changed();
    return removed;
  }

  group(): boolean {
    return this.change({ group: newId().slice(0, 12) }) > 0;
  }

  ungroup(): boolean {
    return this.change({ group: "" }) > 0;
  }

  private apply(edits: readonly Edit[]): number {
    if (edits.length > 0) this.store.apply(edits, this.store.newGesture());
    return edits.length;
  }

  /** Move by screen pixels. */
  move(section: Section, dx: number, dy: number, sizes: readonly number[], time: number): number {
    const items = this.free;
    const edits = moveEdits(
      items,
      keptInside(items, section.moveOf(dx, dy, this.startOf(section)), sizes),
    );
    if (edits.length === 0) return 0;
    const isNext = time - this.nudge.time < NUDGE_PAUSE_MS;
    const gesture = isNext ? this.nudge.gesture : this.store.newGesture();
    this.nudge = { gesture, time };
    this.store.apply(edits, gesture);
    return edits.length;
  }

  // ------------------------------------------------------------ copies

  copy(): number {
    if (this.ids.size > 0) clipboard = this.items;
    return this.ids.size;
  }

  duplicate(section: Section, sizes: readonly number[]): number {
    return this.insert(this.items, section, sizes);
  }

  /** What was copied, on the slice that is shown. */
  paste(section: Section, sizes: readonly number[]): number {
    return this.insert(clipboard, section, sizes);
  }

  private insert(items: readonly Annotation[], section: Section, sizes: readonly number[]): number {
    const groups = new Map<string, string>();
    const taken = new Set(this.store.items.map(placeKey));
    const copies = items
      .map((item) => copyOf(item, section, sizes, taken))
      .filter((item) => item !== null)
      .map((item) => {
        if (!item.group) return item;
        const group = groups.get(item.group) ?? newId().slice(0, 12);
        groups.set(item.group, group);
        return { ...item, group };
      });
    this.apply(copies.map((item) => ({ op: "put", item })));
    if (copies.length > 0) this.set(copies.map(({ id }) => id));
    return copies.length;
  }
}

/** A copy on the shown slice, set off if it would lie on something of the same shape; null: not here. */
function copyOf(
  item: Annotation,
  section: Section,
  sizes: readonly number[],
  taken: ReadonlySet<string>,
): Annotation | null {
  const isOwnAxis = item.axis === null || item.axis === section.axis;
  if (!isOwnAxis && isRegion(item)) return null; // an inside lies in its own plane alone
  const [first] = item.points;
  const across = section.slice - (first ? section.depthOf(first) : 0);
  const onSlice =
    isOwnAxis && section.axis !== null
      ? section.lift({ x: 0, y: 0 }, across)
      : ([0, 0, 0] as const);
  let points = shifted(item.points, keptInside([item], onSlice, sizes));
  const isTaken = (): boolean => taken.has(placeKey({ kind: item.kind, points }));
  for (let tries = 0; tries < 20 && isTaken(); tries++) {
    const from = first ? section.toPixel(first) : { x: 0, y: 0 };
    const by = section.moveOf(PASTE_OFFSET_PX, PASTE_OFFSET_PX, from);
    points = shifted(points, keptInside([{ ...item, points }], by, sizes));
  }
  return { ...item, id: newId(), points: points.map(rounded), locked: false };
}

function shifted(points: readonly Point3[], by: Point3): readonly Point3[] {
  return points.map((point) => point.map((v, i) => v + (by[i] ?? 0)) as unknown as Point3);
}

/** Annotations with the same one begin in the same place. */
function placeKey({ kind, points }: Pick<Annotation, "kind" | "points">): string {
  const [first] = points;
  return `${kind} ${first ? rounded(first).join() : ""}`;
}
