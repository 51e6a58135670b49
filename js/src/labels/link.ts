/** Edits of labels over a session's connection: numbers them, and tells what became of them. */
import { Listeners } from "../listeners";
import {
  type CancelEdit,
  type EditLabels,
  type EditProgress,
  type LabelEdit,
  type LabelsEdited,
  MessageType,
} from "../protocol";

export type LabelNews = Omit<LabelsEdited, "type">;
export type LabelProgress = Omit<EditProgress, "type">;

export interface LabelLink {
  /** Number of the edit; null if it could not be sent. */
  edit(name: string, edit: LabelEdit): number | null;
  history(way: "undo" | "redo"): number | null;
  /** Give an edit up; one that is done by then stays. */
  cancel(seq: number): void;
  onNews(listener: (news: LabelNews) => void, signal: AbortSignal): void;
  /** How far long edits are. */
  onProgress(listener: (progress: LabelProgress) => void, signal: AbortSignal): void;
}

export class LiveLabels implements LabelLink {
  readonly #send: (message: EditLabels | CancelEdit) => boolean;
  readonly #news = new Listeners<LabelNews>();
  readonly #progress = new Listeners<LabelProgress>();
  #seq = 0;

  /** @param send by the reliable link; false if there is none */
  constructor(send: (message: EditLabels | CancelEdit) => boolean) {
    this.#send = send;
  }

  edit(name: string, edit: LabelEdit): number | null {
    return this.#post({ name, edit });
  }

  history(way: "undo" | "redo"): number | null {
    return this.#post({ history: way });
  }

  cancel(seq: number): void {
    this.#send({ type: MessageType.CANCEL_EDIT, seq });
  }

  progressed(progress: LabelProgress): void {
    this.#progress.emit(progress);
  }

  onProgress(listener: (progress: LabelProgress) => void, signal: AbortSignal): void {
    this.#progress.add(listener, signal);
  }

  received(news: LabelNews): void {
    this.#news.emit(news);
  }

  onNews(listener: (news: LabelNews) => void, signal: AbortSignal): void {
    this.#news.add(listener, signal);
  }

  #post(what: Omit<EditLabels, "type" | "seq">): number | null {
    this.#seq += 1;
    const sent = this.#send({ type: MessageType.EDIT_LABELS, seq: this.#seq, ...what });
    return sent ? this.#seq : null;
  }
}
