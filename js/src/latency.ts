/** From the hand to the shown picture: measures what a viewer feels. */

/** Newer revision of two, which count modulo 2**32. */
export function isAtLeast(revision: number, wanted: number): boolean {
  return (revision - wanted) >>> 0 < 0x80000000;
}

interface Sample {
  readonly atMs: number;
  readonly latencyMs: number;
}

interface Sent {
  readonly seq: number;
  readonly inputMs: number;
}

interface Awaited {
  readonly revision: number;
  readonly inputMs: number;
}

interface Shown {
  readonly revision: number;
  readonly atMs: number;
}

const WINDOW_MS = 3000;
const FPS_WINDOW_MS = 1000;
/** A picture that comes later than this answers nothing: the worker was away, or nothing changed. */
const TOO_LATE_MS = 10_000;
const MAX_ENTRIES = 256;

/**
 * Joins three streams: messages sent (by number), states that contain them (number to revision), and
 * pictures shown (by revision). The picture may be shown before its state message arrives.
 */
export class LatencyMeter {
  #sent: Sent[] = [];
  #awaited: Awaited[] = [];
  #shown: Shown[] = [];
  #samples: Sample[] = [];

  /** Message `seq` left; its oldest input happened at `inputMs`. */
  messageSent(seq: number, inputMs: number): void {
    // What is sent before the first picture (a pane's size) waits for the volume to be opened.
    if (this.#shown.length === 0) return;
    this.#sent.push({ seq, inputMs });
    if (this.#sent.length > MAX_ENTRIES) this.#sent.shift();
  }

  /** The state of `revision` contains our messages up to `seq`. */
  stateConfirmed(seq: number, revision: number): void {
    const contained = this.#sent.filter((sent) => sent.seq <= seq);
    if (contained.length === 0) return;
    this.#sent = this.#sent.filter((sent) => sent.seq > seq);
    for (const { inputMs } of contained) {
      const early = this.#shown.find(
        (shown) => shown.atMs >= inputMs && isAtLeast(shown.revision, revision),
      );
      if (early) this.#sample(inputMs, early.atMs);
      else this.#awaited.push({ revision, inputMs });
    }
    if (this.#awaited.length > MAX_ENTRIES) this.#awaited.splice(0, MAX_ENTRIES / 2);
  }

  /** A picture of `revision` is on the screen. */
  pictureShown(revision: number, nowMs: number): void {
    this.#shown.push({ revision, atMs: nowMs });
    if (this.#shown.length > MAX_ENTRIES) this.#shown.shift();
    const waiting: Awaited[] = [];
    for (const awaited of this.#awaited) {
      if (isAtLeast(revision, awaited.revision)) this.#sample(awaited.inputMs, nowMs);
      else waiting.push(awaited);
    }
    this.#awaited = waiting;
  }

  /** Pictures shown in the last second. */
  displayedFps(nowMs: number): number {
    return this.#shown.filter((shown) => nowMs - shown.atMs <= FPS_WINDOW_MS).length;
  }

  /** Median of the last seconds; 0 if nothing was measured in them. */
  latencyMs(nowMs: number): number {
    this.#samples = this.#samples.filter((sample) => nowMs - sample.atMs <= WINDOW_MS);
    const sorted = this.#samples.map((sample) => sample.latencyMs).sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }

  /** Forget what was sent over a connection that is gone. */
  reset(): void {
    this.#sent = [];
    this.#awaited = [];
  }

  #sample(inputMs: number, shownMs: number): void {
    const latencyMs = shownMs - inputMs;
    if (latencyMs > TOO_LATE_MS) return;
    this.#samples.push({ atMs: shownMs, latencyMs });
    if (this.#samples.length > MAX_ENTRIES) this.#samples.shift();
  }
}
