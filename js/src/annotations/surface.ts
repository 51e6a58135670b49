/** What the editor needs of the panes and of the view around it. */
import type { Point } from "../geometry";
import type { VolumeInfo } from "../protocol";
import type { SliceIndex } from "./hit";
import type { Section } from "./section";

/** One pane, as the editor sees it. */
export interface Surface {
  readonly section: Section | null;
  /** The annotations of the slice; a moment old while something is dragged. */
  readonly index: SliceIndex | null;
  readonly width: number;
  readonly height: number;
  /** The annotation whose label lies under a point; null = none. */
  labelAt(at: Point): string | null;
  /** Put a label elsewhere; its shape stays. */
  moveLabel(id: string, by: Point): void;
}

/** A press or a movement on a surface. */
export interface Touch {
  readonly at: Point;
  readonly time: number;
  readonly shift: boolean;
  readonly alt: boolean;
  readonly isFinger: boolean;
}

/** What the editor needs of the view around it. */
export interface EditorHost {
  readonly info: VolumeInfo | null;
  /** May this person annotate? */
  readonly canEdit: boolean;
  /** The tools of annotations are in hand, or put away. */
  setDrawing(on: boolean): void;
  say(text: string): void;
  note(message: string, hint?: string): void;
}

/** A text being typed: of a new annotation, or a label. */
export interface Writing {
  readonly surface: Surface;
  readonly at: Point;
  readonly text: string;
  readonly name: string;
  readonly done: (text: string) => void;
}
