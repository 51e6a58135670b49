/** Annotations over a session's connection: numbers the messages, tells who listens what came back. */
import { AnnotationStore } from "./annotations/store";
import type { AnnotationLink, Edits, EditsMade, Measured, Wanted } from "./annotations/types";
import { Listeners } from "./listeners";
import { type EditAnnotations, type Measure, MessageType } from "./protocol";

export class LiveAnnotations implements AnnotationLink {
  readonly #send: (message: EditAnnotations | Measure) => boolean;
  readonly #made = new Listeners<EditsMade>();
  readonly #measured = new Listeners<Measured>();
  #seq = 0;
  #questions = 0;

  /** From the start: the server's annotations come before there is any view. */
  readonly store = new AnnotationStore(this, new AbortController().signal);

  /** @param send by the reliable link; false if there is none */
  constructor(send: (message: EditAnnotations | Measure) => boolean) {
    this.#send = send;
  }

  edit(edits: Edits): number | null {
    this.#seq += 1;
    const sent = this.#send({ type: MessageType.ANNOTATION, seq: this.#seq, ...edits });
    return sent ? this.#seq : null;
  }

  measure(id: string, want: readonly Wanted[], channel: number): number {
    this.#questions += 1;
    this.#send({ type: MessageType.MEASUREMENT, n: this.#questions, id, want, channel });
    return this.#questions;
  }

  received(made: EditsMade): void {
    this.#made.emit(made);
  }

  answered(measured: Measured): void {
    this.#measured.emit(measured);
  }

  onEdits(listener: (made: EditsMade) => void, signal: AbortSignal): void {
    this.#made.add(listener, signal);
  }

  onMeasured(listener: (measured: Measured) => void, signal: AbortSignal): void {
    this.#measured.add(listener, signal);
  }
}
