/** Annotations over a session's connection: numbers the messages, tells who listens what came back. */
import { keyOf } from "./annotations/readings";
import { AnnotationStore } from "./annotations/store";
import type {
  AnnotationLink,
  Edits,
  EditsMade,
  Measured,
  OrderedEdit,
  Wanted,
} from "./annotations/types";
import { Listeners } from "./listeners";
import { LiveHorizons } from "./live-horizons";
import {
  type AnnotationEdits,
  type EditAnnotations,
  type Measure,
  MessageType,
  type Snap,
  type Track,
  type WantGrid,
} from "./protocol";

type Sent = EditAnnotations | Measure | Snap | Track | WantGrid;

export class LiveAnnotations implements AnnotationLink {
  readonly #send: (message: Sent) => boolean;
  readonly #made = new Listeners<EditsMade>();
  readonly #measured = new Listeners<Measured>();
  #seq = 0;
  #questions = 0;
  /** Newest question of each annotation that was not answered. */
  readonly #open = new Map<string, { readonly key: string; readonly n: number }>();
  /** All annotations anew, of which the rest follows. */
  #coming: readonly OrderedEdit[] | null = null;

  /** From the start: the server's annotations come before there is any view. */
  readonly store = new AnnotationStore(this, new AbortController().signal);

  readonly horizons: LiveHorizons;

  /** @param send by the reliable link; false if there is none */
  constructor(send: (message: Sent) => boolean) {
    this.#send = send;
    this.horizons = new LiveHorizons(send);
  }

  edit(edits: Edits): number | null {
    this.#seq += 1;
    const sent = this.#send({ type: MessageType.ANNOTATION, seq: this.#seq, ...edits });
    return sent ? this.#seq : null;
  }

  /** Of views that ask the same, the first asks: the server answers the newest question alone. */
  measure(id: string, want: readonly Wanted[], channel: number): number {
    const item = this.store.get(id);
    const key = `${want.join()}|${item ? keyOf(item, channel) : ""}`;
    const open = this.#open.get(id);
    if (open?.key === key) return open.n;
    this.#questions += 1;
    const n = this.#questions;
    if (this.#send({ type: MessageType.MEASUREMENT, n, id, want, channel })) {
      this.#open.set(id, { key, n });
    }
    return n;
  }

  received({ more, ...made }: Omit<AnnotationEdits, "type">): void {
    if (made.reset) {
      this.#coming = [];
      this.#open.clear(); // what was asked over another connection is not answered any more
    }
    const edits = [...(this.#coming ?? []), ...made.edits];
    const reset = this.#coming !== null;
    this.#coming = more ? edits : null;
    if (!more) this.#made.emit({ ...made, edits, reset });
  }

  answered(measured: Measured): void {
    if (measured.done && this.#open.get(measured.id)?.n === measured.n) {
      this.#open.delete(measured.id);
    }
    this.#measured.emit(measured);
  }

  onEdits(listener: (made: EditsMade) => void, signal: AbortSignal): void {
    this.#made.add(listener, signal);
  }

  onMeasured(listener: (measured: Measured) => void, signal: AbortSignal): void {
    this.#measured.add(listener, signal);
  }
}
