/** An annotation that is being drawn, as the others see it while it is. */
import type { PointerMark } from "../people";
import { type Drawing, MAX_DRAWING_POINTS } from "../protocol";
import { toolOf } from "./catalogue";
import { newItem } from "./draft";
import type { Annotation } from "./types";

/** For the others: a long stroke with some of its points, the first and the last among them. */
export function toDrawing(drawn: Annotation | null): Drawing | null {
  if (!drawn || drawn.points.length === 0) return null;
  const { kind, points, axis } = drawn;
  const last = points.length - 1;
  const most = Math.min(points.length, MAX_DRAWING_POINTS);
  const some = Array.from({ length: most }, (_, i) => {
    return points[Math.round((i * last) / Math.max(most - 1, 1))] ?? points[last];
  });
  return { kind, axis, points: some as Drawing["points"] };
}

/** What another person draws, in their colour. */
export function fromDrawing({ who, color, drawing }: PointerMark): Annotation | null {
  if (!drawing) return null;
  const { kind, points, axis } = drawing;
  const item = newItem(toolOf(kind), points, axis, { color, width: 2 }, `draft-${who}`);
  return { ...item, closed: false };
}

/** "draws a line", for the label of a pointer. */
export function drawingWords({ kind }: Drawing): string {
  const title = toolOf(kind).title.toLowerCase();
  return `draws ${/^[aeiou]/.test(title) ? "an" : "a"} ${title}`;
}
