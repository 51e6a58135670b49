/** The place under the pointer: what a view tells of its own, and what linked views tell it. */
import { Listeners } from "./listeners";

/** Array indices, fractional; null: the pointer is in no picture. */
export type Place = readonly [number, number, number] | null;

export class Pointing {
  /** The pointer of this view went somewhere. */
  readonly here = new Listeners<Place>();
  /** The pointer of a linked view went somewhere; as a place of this view's volume. */
  readonly elsewhere = new Listeners<Place>();
}
