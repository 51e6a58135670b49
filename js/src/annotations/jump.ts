/** Where to look to see an annotation. */
import type { Point } from "../geometry";
import type { Section } from "./section";
import { handlesOf } from "./shape";
import type { Annotation } from "./types";

/** Closer to the edge than this is not in sight. */
const MARGIN_PX = 24;

/** The slice that it lies on; of one that lies in space, the slice of its first point. */
export function jumpPatch(item: Annotation, shownAxis: number): { axis: number; slice: number } {
  const axis = item.axis ?? shownAxis;
  const [first, last] = item.points;
  const at = first?.[axis] ?? 0;
  // The middle of a box, not its face.
  const slice = item.kind === "box" ? (at + (last?.[axis] ?? at)) / 2 : at;
  return { axis, slice: Math.round(slice) };
}

/** By how many pixels the slice has to move to have it in the middle; null = it is in sight. */
export function wayIntoSight(
  item: Annotation,
  section: Section,
  pane: { readonly width: number; readonly height: number },
): Point | null {
  const places = handlesOf(item, section).filter((place) => place !== null);
  const isSeen = ({ x, y }: Point): boolean =>
    x >= MARGIN_PX && y >= MARGIN_PX && x <= pane.width - MARGIN_PX && y <= pane.height - MARGIN_PX;
  if (places.length === 0 || places.every(isSeen)) return null;
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  return {
    x: pane.width / 2 - (Math.min(...xs) + Math.max(...xs)) / 2,
    y: pane.height / 2 - (Math.min(...ys) + Math.max(...ys)) / 2,
  };
}
