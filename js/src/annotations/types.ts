/** What an annotation is, and the way to the server: names for what the protocol says. */
import type {
  AnnotationEdits,
  AnnotationKind,
  EditAnnotations,
  GridOfHorizon,
  Measure,
  Measurement,
  SetItem,
  Snap,
  Snapped,
  Tracking,
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

/** A section: the axis across which it lies, and its index. */
export interface SectionLine {
  readonly axis: number;
  readonly line: number;
}

/** The way to the server for horizons, over the reliable socket; numbers are null without one. */
export interface HorizonLink {
  snap(
    place: Point3,
    event: NonNullable<Snap["event"]>,
    reach: number,
    channel: number,
  ): number | null;
  /** Follow from the picks of an annotation, in a section; null: over the volume. */
  track(
    id: string,
    section: SectionLine | null,
    event: NonNullable<Snap["event"]>,
    reach: number,
    channel: number,
  ): number | null;
  cancel(n: number, id: string): void;
  want(name: string): void;
  onSnapped(listener: (answer: Snapped) => void, signal: AbortSignal): void;
  onTracking(listener: (answer: Tracking) => void, signal: AbortSignal): void;
  onGrid(listener: (message: GridOfHorizon) => void, signal: AbortSignal): void;
}
