/** What an annotation is, and the way to the server: names for what the protocol says. */
import type {
  AnnotationEdits,
  AnnotationKind,
  EditAnnotations,
  Measure,
  Measurement,
  SetItem,
} from "../protocol";

export type { Annotation, Edit, OrderedEdit, Profile, Quantity, Statistics } from "../protocol";

/** Array indices of a place, fractional; whole numbers are voxel centres. */
export type Point3 = readonly [number, number, number];
export type Kind = AnnotationKind;
export type Changes = Omit<SetItem, "op" | "id">;
/** What the browser sends of annotations, but for its type and number. */
export type Edits = Omit<EditAnnotations, "type" | "seq">;
export type EditsMade = Omit<AnnotationEdits, "type" | "revision" | "more">;
/** The worker's answer, from voxels of full resolution. */
export type Measured = Omit<Measurement, "type">;
export type Wanted = NonNullable<Measure["want"]>[number];

/** The way to the server: kept by the session, over the reliable socket. */
export interface AnnotationLink {
  /** Returns the message's number; null if there is no connection. */
  edit(edits: Edits): number | null;
  /** Returns the question's number. */
  measure(id: string, want: readonly Wanted[], channel: number): number;
  onEdits(listener: (made: EditsMade) => void, signal: AbortSignal): void;
  onMeasured(listener: (measured: Measured) => void, signal: AbortSignal): void;
}
