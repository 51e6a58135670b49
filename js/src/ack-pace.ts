import type { Ack } from "./protocol";

/** When frames are acknowledged: each one, or in a large session some; the newest one in the end. */
export class AckPace {
  #everyMs = 0;
  #sentMs = Number.NEGATIVE_INFINITY;
  #pending: Ack | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (ack: Ack) => void) {}

  /** At most so often from now on, as the server wishes; 0: each one. What waits goes now. */
  pace(everyMs: number): void {
    this.#everyMs = everyMs;
    this.#flush();
  }

  came(ack: Ack): void {
    this.#pending = ack;
    // Of a frame that does not tell when it was there, a later message would look like a slow link.
    const isDue = performance.now() - this.#sentMs >= this.#everyMs || !ack.there_ms;
    if (isDue) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), this.#everyMs);
  }

  /** What waits is of no use any more. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending = null;
  }

  #flush(): void {
    const ack = this.#pending;
    this.forget();
    if (!ack) return;
    this.#sentMs = performance.now();
    this.send(ack);
  }
}
