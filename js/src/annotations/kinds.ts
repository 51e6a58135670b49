/** What the kind of an annotation says of its points. */
import type { Annotation } from "./types";

const CORNERED = new Set(["rectangle", "ellipse", "box"]);

/** Its two points are opposite corners. */
export function isCornered({ kind }: Pick<Annotation, "kind">): boolean {
  return CORNERED.has(kind);
}

/** It has an inside on its own section. */
export function isRegion({ kind, closed }: Pick<Annotation, "kind" | "closed">): boolean {
  return kind === "rectangle" || kind === "ellipse" || kind === "polygon" || closed;
}
