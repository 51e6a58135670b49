/** The worker's answers about annotations: asked once for what is seen, again when it has changed. */
import { Listeners } from "../listeners";
import { isRegion } from "./shape";
import { mayHaveSpectrum } from "./spectrum";
import type { AnnotationStore } from "./store";
import type { Annotation, AnnotationLink, Measured, Wanted } from "./types";
import type { Reading } from "./words";

/** A region that is dragged is not read sixty times a second: only when it has stood still. */
const REST_MS = 120;
/** The next look at what is to be asked; edits have gone out by then. */
const SOON_MS = 34;
/** An answer that has not come by then was lost with its connection. */
const LOST_MS = 20_000;
/** Whole-slice statistics of hundreds of regions would keep the worker from its pictures. */
export const MOST = 24;

interface Question {
  /** Points and channel that it was asked for. */
  readonly key: string;
  readonly n: number;
  readonly channel: number;
  readonly askedAt: number;
  answer: Measured | null;
}

const keys = new WeakMap<object, string>();

/** What an answer depends on. */
export function keyOf(item: Annotation, channel: number): string {
  let points = keys.get(item.points);
  if (points === undefined) {
    points = item.points.join(";");
    keys.set(item.points, points);
  }
  return `${channel}:${item.closed}:${points}`;
}

function wantedOf(item: Annotation): readonly Wanted[] {
  if (item.kind === "profile") return ["geometry", "profile"];
  if (item.kind === "point") return ["value"];
  if (mayHaveSpectrum(item)) return ["geometry", "statistics", "spectrum"];
  return isRegion(item) || item.kind === "box" ? ["geometry", "statistics"] : [];
}

export class Readings {
  private readonly questions = new Map<string, Question>();
  private readonly resting = new Map<string, { key: string; since: number }>();
  private wanted: readonly Annotation[] = [];
  private channel = 0;
  private step = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Listeners<string>();
  revision = 0;

  constructor(
    private readonly store: AnnotationStore,
    private readonly link: AnnotationLink,
    signal: AbortSignal,
    private readonly now: () => number = () => performance.now(),
  ) {
    link.onMeasured((measured) => this.answered(measured), signal);
    store.onChange((ids) => this.forget(ids), signal);
    signal.addEventListener("abort", () => clearTimeout(this.timer), { once: true });
  }

  /** Told with the annotation that an answer came for. */
  onChange(listener: (id: string) => void, signal: AbortSignal): void {
    this.listeners.add(listener, signal);
  }

  /** What is known of an annotation as it is now; a profile may be a moment older. */
  of(item: Annotation, channel: number): Reading | null {
    const question = this.questions.get(item.id);
    if (!question?.answer) return null;
    const isNow = question.key === this.keyOf(item, channel);
    if (!isNow && item.kind !== "profile") return null;
    return { ...question.answer, channel: question.channel };
  }

  /** Say what is on screen; the first in the list are the most wanted. */
  want(items: readonly Annotation[], channel: number, step = 0): void {
    this.step = step;
    this.wanted = items.filter((item) => wantedOf(item).length > 0).slice(0, MOST);
    this.channel = channel;
    this.lookSoon();
  }

  private keyOf(item: Annotation, channel: number): string {
    return `${keyOf(item, channel)} ${this.step}`;
  }

  private lookSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.ask()) this.lookSoon();
    }, SOON_MS);
  }

  /** True if something has to wait. */
  private ask(): boolean {
    let waits = false;
    for (const { id } of this.wanted) {
      const item = this.store.get(id);
      if (item && this.isDue(item)) waits = this.askOf(item) || waits;
    }
    return waits;
  }

  private isDue(item: Annotation): boolean {
    const asked = this.questions.get(item.id);
    return !asked || asked.key !== this.keyOf(item, this.channel);
  }

  private askOf(item: Annotation): boolean {
    const { channel } = this;
    const key = this.keyOf(item, channel);
    const asked = this.questions.get(item.id);
    const time = this.now();
    // One question at a time for what is followed live; a region has to stand still.
    const isOpen = asked && !asked.answer?.done && time - asked.askedAt < LOST_MS;
    if (isRegion(item) || item.kind === "box" ? !this.rests(item.id, key, time) : isOpen)
      return true;
    const n = this.link.measure(item.id, wantedOf(item), channel);
    const answer = item.kind === "profile" ? (asked?.answer ?? null) : null;
    this.questions.set(item.id, { key, n, channel, askedAt: time, answer });
    return false;
  }

  private rests(id: string, key: string, time: number): boolean {
    const before = this.resting.get(id);
    if (before?.key !== key) {
      this.resting.set(id, { key, since: time });
      // What was never seen to move need not prove that it stands still.
      return before === undefined;
    }
    return time - before.since >= REST_MS;
  }

  private answered(measured: Measured): void {
    const question = this.questions.get(measured.id);
    if (!question || question.n !== measured.n) return;
    question.answer = measured;
    this.revision += 1;
    this.listeners.emit(measured.id);
  }

  private forget(ids: ReadonlySet<string> | null): void {
    if (ids === null) this.questions.clear();
    for (const id of ids ?? []) if (!this.store.get(id)) this.questions.delete(id);
  }
}
