/**
 * Puts frames into the order in which they were sent.
 *
 * A frame of which a packet was lost is complete a round trip later than those after it, and each
 * builds on the one before. Decoded as they come, the picture would fall apart.
 */

/** As many as come in half a second; with more missing, a keyframe is quicker. */
const MAX_WAITING = 30;
/** A browser asks ten times for a packet, and never again: then it does not come. */
const MAX_WAIT_MS = 500;
export const COUNTS = 1 << 14;

export interface Counted {
  /** One more with each frame, modulo `COUNTS`. */
  readonly count: number;
  readonly isKey: boolean;
}

export class FrameOrder<F extends Counted> {
  readonly #pass: (frame: F) => void;
  readonly #giveUp: () => void;
  readonly #waiting = new Map<number, F>();
  #last: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `pass` gets frames in their order; `giveUp` hears that what is missing did not come in time. */
  constructor(pass: (frame: F) => void, giveUp: () => void) {
    this.#pass = pass;
    this.#giveUp = giveUp;
  }

  add(frame: F): void {
    if (this.#last === null || (frame.isKey && this.#isAfter(frame.count, this.#last))) {
      // A keyframe needs none before it.
      this.#take(frame);
      for (const count of [...this.#waiting.keys()]) {
        if (!this.#isAfter(count, frame.count)) this.#waiting.delete(count);
      }
    } else if (frame.count === (this.#last + 1) % COUNTS) {
      this.#take(frame);
    } else if (this.#isAfter(frame.count, this.#last)) {
      this.#waiting.set(frame.count, frame);
    }
    this.#takeWaiting();
    if (this.#waiting.size > MAX_WAITING) this.#drop();
    else if (this.#waiting.size === 0) this.#stopTimer();
    else this.#timer ??= setTimeout(() => this.#drop(), MAX_WAIT_MS);
  }

  #drop(): void {
    this.#stopTimer();
    this.#waiting.clear();
    this.#giveUp();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #takeWaiting(): void {
    while (this.#last !== null) {
      const next = this.#waiting.get((this.#last + 1) % COUNTS);
      if (!next) return;
      this.#waiting.delete(next.count);
      this.#take(next);
    }
  }

  #take(frame: F): void {
    this.#last = frame.count;
    this.#pass(frame);
  }

  #isAfter(count: number, other: number): boolean {
    const ahead = (count - other + COUNTS) % COUNTS;
    return ahead > 0 && ahead < COUNTS / 2;
  }
}
