/**
 * The annotations of a session as one page sees them: the server's, with what the hand did since laid
 * over them.
 *
 * A change is on screen at once and sent once per animation frame. The server's answer to it, or to
 * anything newer, replaces what was laid over: its order is the truth.
 */
import { Listeners } from "../listeners";
import { MAX_EDITS } from "../protocol";
import { edited, idOf, replaces } from "./edits";
import type { Annotation, AnnotationLink, Edit, EditsMade } from "./types";

interface Waiting {
  readonly edit: Edit;
  readonly gesture: number;
}

interface Pending {
  readonly item: Annotation | null;
  /** Number of the message that carried it; null while it was not sent. */
  seq: number | null;
}

/** What one message should carry, and what the server takes of it at most but for its frame. */
const MOST_BYTES = 60_000;
const LARGEST_BYTES = 65_400;

const utf8 = new TextEncoder();

function bytesOf(edit: Edit): number {
  return utf8.encode(JSON.stringify(edit)).length;
}

export type Later = (flush: () => void) => void;

export class AnnotationStore {
  private readonly server = new Map<string, Annotation>();
  private readonly pending = new Map<string, Pending>();
  private outbox: Waiting[] = [];
  /** Edits that have left the outbox since the start. */
  private sent = 0;
  /** Of each annotation, the number of its newest edit: the outbox begins with number `sent`. */
  private readonly newest = new Map<string, number>();
  private asked = false;
  private gestures = 0;
  /** What was put in front of one and was not moved there yet. */
  private readonly fronts = new Map<string, string[]>();
  private isOrderNew = false;
  private cache: readonly Annotation[] | null = [];
  private readonly shown = new Map<string, Annotation>();
  private readonly listeners = new Listeners<ReadonlySet<string> | null>();
  /** Grows with every change. */
  revision = 0;
  canUndo = false;
  canRedo = false;

  constructor(
    private readonly link: AnnotationLink,
    signal: AbortSignal,
    private readonly later: Later = (flush) => requestAnimationFrame(flush),
  ) {
    link.onEdits((made) => this.received(made), signal);
  }

  /** All annotations, in the server's order; new ones at the end. */
  get items(): readonly Annotation[] {
    this.cache ??= [...this.shown.values()];
    return this.cache;
  }

  get(id: string): Annotation | null {
    return this.shown.get(id) ?? null;
  }

  /** Told with what changed; null = everything. */
  onChange(listener: (ids: ReadonlySet<string> | null) => void, signal: AbortSignal): void {
    this.listeners.add(listener, signal);
  }

  /** What is known of these beside the store is other now: look at them again. */
  look(ids: readonly string[]): void {
    if (ids.length > 0) this.changed(new Set(ids));
  }

  /** Edits with the same number are one step of undo. */
  newGesture(): number {
    this.gestures += 1;
    return this.gestures;
  }

  // ------------------------------------------------------------ to the server

  /** Change annotations: at once here, with the next frame there. */
  apply(edits: readonly Edit[], gesture: number): void {
    for (const edit of edits) {
      const id = idOf(edit);
      const item = edited(this.get(id), edit);
      if (item === null && edit.op !== "remove") continue;
      this.pending.set(id, { item, seq: null });
      this.show(id, item);
      this.post({ edit, gesture });
    }
    this.changed(new Set(edits.map(idOf)));
    this.request();
  }

  undo(): void {
    this.history("undo");
  }

  redo(): void {
    this.history("redo");
  }

  private history(history: "undo" | "redo"): void {
    this.flush();
    if (this.outbox.length === 0) this.link.edit({ edits: [], history });
  }

  /** A drag of sixty steps a second is one step by the time it is sent. */
  private post(waiting: Waiting): void {
    const id = idOf(waiting.edit);
    const last = (this.newest.get(id) ?? -1) - this.sent;
    const before = this.outbox[last];
    if (before?.gesture === waiting.gesture && replaces(waiting.edit, before.edit)) {
      this.outbox[last] = waiting;
    } else {
      this.newest.set(id, this.sent + this.outbox.length);
      this.outbox.push(waiting);
    }
  }

  /** Take edits out of the front of the outbox. */
  private shift(count: number): Waiting[] {
    const taken = this.outbox.splice(0, count);
    this.sent += taken.length;
    for (const { edit } of taken) {
      if (!this.isWaiting(idOf(edit))) this.newest.delete(idOf(edit));
    }
    return taken;
  }

  private request(): void {
    if (this.asked) return;
    this.asked = true;
    this.later(() => {
      this.asked = false;
      this.flush();
    });
  }

  private flush(): void {
    while (this.outbox.length > 0) {
      const batch = this.nextBatch();
      if (batch.edits.length === 0) {
        this.giveUp();
        continue;
      }
      const seq = this.link.edit(batch);
      if (seq === null) return; // no connection: all goes out when there is one again
      this.shift(batch.edits.length);
      for (const edit of batch.edits) {
        const change = this.pending.get(idOf(edit));
        if (change && !this.isWaiting(idOf(edit))) change.seq = seq;
      }
    }
  }

  private isWaiting(id: string): boolean {
    return (this.newest.get(id) ?? -1) >= this.sent;
  }

  /** The server would close the connection, on the next one again: its state is shown instead. */
  private giveUp(): void {
    const [tooLarge] = this.shift(1);
    if (!tooLarge) return;
    const id = idOf(tooLarge.edit);
    if (this.isWaiting(id)) return;
    this.pending.delete(id);
    this.show(id, this.server.get(id) ?? null);
    this.changed(new Set([id]));
  }

  /** The first edits that make one gesture and fit one message; none if one is too large. */
  private nextBatch(): { edits: readonly Edit[]; gesture: number } {
    const gesture = this.outbox[0]?.gesture ?? 0;
    const edits: Edit[] = [];
    let bytes = 0;
    for (const waiting of this.outbox) {
      bytes += bytesOf(waiting.edit);
      const isFull = edits.length === MAX_EDITS || bytes > MOST_BYTES;
      if (waiting.gesture !== gesture || (isFull && edits.length > 0)) break;
      if (bytes > LARGEST_BYTES) break;
      edits.push(waiting.edit);
    }
    return { edits, gesture };
  }

  // ------------------------------------------------------------ from the server

  private received(made: EditsMade): void {
    this.canUndo = made.can_undo;
    this.canRedo = made.can_redo;
    if (made.reset) this.restart();
    const touched = new Set([
      ...made.edits.map((edit) => this.obey(edit)),
      ...this.settle(made.seq),
    ]);
    this.arrange();
    for (const id of touched) {
      if (!this.pending.has(id)) this.show(id, this.server.get(id) ?? null);
    }
    this.sort();
    this.changed(made.reset ? null : touched);
    if (this.outbox.length > 0) this.request();
  }

  /** Do at our copy what was done at the server; returns whose it was. */
  private obey(edit: Edit): string {
    const id = idOf(edit);
    const before = edit.op === "put" && !this.server.has(id) ? edit.before : undefined;
    const item = edited(this.server.get(id) ?? null, edit);
    if (!item) {
      this.arrange();
      this.server.delete(id);
      return id;
    }
    if (before && this.server.has(before)) {
      this.fronts.set(before, [...(this.fronts.get(before) ?? []), id]);
    }
    this.server.set(id, item);
    return id;
  }

  /** What was laid over is in the server's answer, or was refused. */
  private settle(seq: number): string[] {
    const settled = [...this.pending].filter(
      ([, change]) => change.seq !== null && change.seq <= seq,
    );
    for (const [id] of settled) this.pending.delete(id);
    return settled.map(([id]) => id);
  }

  /** A new connection knows nothing of what was sent by the old one: it goes out again, whole. */
  private restart(): void {
    this.server.clear();
    this.shown.clear();
    this.shift(this.outbox.length);
    for (const [id, change] of this.pending) {
      change.seq = null;
      if (change.item) this.shown.set(id, change.item);
      const edit: Edit = change.item ? { op: "put", item: change.item } : { op: "remove", id };
      this.post({ edit, gesture: 0 });
    }
  }

  /** Bring everything to its place: once for all that were put, not for each of thousands. */
  private arrange(): void {
    if (this.fronts.size === 0) return;
    const moved = new Set([...this.fronts.values()].flat());
    const all = new Map(this.server);
    this.server.clear();
    for (const id of all.keys()) {
      const waiting = moved.has(id) ? [] : [id];
      for (let last = waiting.at(-1); last !== undefined; last = waiting.at(-1)) {
        const fronts = this.fronts.get(last);
        this.fronts.delete(last);
        if (fronts) waiting.push(...fronts.reverse());
        else {
          const item = all.get(last);
          if (item) this.server.set(last, item);
          waiting.pop();
        }
      }
    }
    this.isOrderNew = true;
  }

  /** What is shown, in the server's order; what it does not know yet comes last. */
  private sort(): void {
    if (!this.isOrderNew) return;
    this.isOrderNew = false;
    const before = new Map(this.shown);
    this.shown.clear();
    for (const id of [...this.server.keys(), ...before.keys()]) {
      const item = before.get(id);
      if (item) this.shown.set(id, item);
    }
  }

  private show(id: string, item: Annotation | null): void {
    if (item) this.shown.set(id, item);
    else this.shown.delete(id);
  }

  private changed(ids: ReadonlySet<string> | null): void {
    this.cache = null;
    this.revision += 1;
    this.listeners.emit(ids);
  }
}
