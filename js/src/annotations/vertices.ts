/** Vertices put in and taken out. */
import { type ToolName, toolOf } from "./catalogue";
import { rounded } from "./edits";
import { isCornered } from "./shape";
import type { Annotation, Edit, Point3 } from "./types";

/** A new vertex in the middle of the segment after vertex `at`. */
export function insertVertex(item: Annotation, at: number): Edit | null {
  const here = item.points[at];
  const next = item.points[at + 1] ?? item.points[0];
  if (!here || !next) return null;
  const middle = here.map((v, i) => (v + (next[i] ?? 0)) / 2) as unknown as Point3;
  const points = [...item.points];
  points.splice(at + 1, 0, rounded(middle));
  return { op: "set", id: item.id, points };
}

/** Without vertex `at`; null where a shape needs all of its vertices. */
export function withoutVertex(item: Annotation, at: number): Edit | null {
  const facts = toolOf(item.closed ? "region" : (item.kind as ToolName));
  if (item.locked || item.points.length <= facts.min || isCornered(item)) return null;
  return { op: "set", id: item.id, points: item.points.filter((_, i) => i !== at) };
}
