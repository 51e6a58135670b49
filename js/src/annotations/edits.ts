/** What an edit makes of an annotation, the same here as at the server. */
import type { Annotation, Edit, Point3 } from "./types";

const DECIMALS = 1000;

/** To a thousandth of a voxel: messages stay short, and nobody can place a hand finer. */
export function rounded(point: Point3): Point3 {
  return point.map((v) => Math.round(v * DECIMALS) / DECIMALS) as unknown as Point3;
}

/** All points by the same way, so that the first lies at `to`. */
export function movedTo(points: readonly Point3[], to: Point3): readonly Point3[] {
  const [first] = points;
  if (!first) return points;
  const by = to.map((v, i) => v - (first[i] ?? 0));
  return points.map((point) => point.map((v, i) => v + (by[i] ?? 0)) as unknown as Point3);
}

/** The annotation after an edit that concerns it; null = removed. */
export function edited(item: Annotation | null, edit: Edit): Annotation | null {
  if (edit.op === "put") return edit.item;
  if (edit.op === "remove" || !item) return null;
  if (edit.op === "move") return { ...item, points: movedTo(item.points, edit.to) };
  if (edit.op === "drag") {
    return { ...item, points: item.points.map((p, i) => (i === edit.at ? edit.point : p)) };
  }
  const { op: _, id: __, ...changes } = edit;
  return { ...item, ...changes };
}

export function idOf(edit: Edit): string {
  return edit.op === "put" ? edit.item.id : edit.id;
}

/** Does `newer` say all that `older` said, so that only it need be sent? */
export function replaces(newer: Edit, older: Edit): boolean {
  if (idOf(newer) !== idOf(older)) return false;
  if (newer.op === "drag" && older.op === "drag") return newer.at === older.at;
  if (newer.op === "set" && older.op === "set") return Object.keys(older).every((k) => k in newer);
  return newer.op === older.op;
}
