/** Measures the round trip of a link: a few pings one after the other, of which the least counts. */

/** A page that is being built answers itself late: it asks when it is idle, and one quick answer tells. */
const PINGS = 5;
const IDLE_MS = 400;
/** No further one after this time: the link serves meanwhile, but not for ever. */
const LAST_MS = 1500;
/** An answer later than this is none; from a link that takes so long a second one is not asked for. */
const GIVE_UP_MS = 1000;
const FAR_MS = 250;

export class RoundTrip {
  readonly #ask: () => number;
  #waiting: { readonly n: number; readonly done: (isAnswered: boolean) => void } | null = null;

  /** `ask` sends a ping and gives its number. */
  constructor(ask: () => number) {
    this.#ask = ask;
  }

  /** The least, ms; Infinity without an answer. No more pings once one took less than `enoughMs`. */
  async measure(enoughMs: number): Promise<number> {
    const begunMs = performance.now();
    let leastMs = Number.POSITIVE_INFINITY;
    for (let n = 0; n < PINGS && performance.now() - begunMs < LAST_MS; n++) {
      await idle();
      const askedMs = performance.now();
      if (!(await this.#answer())) break;
      leastMs = Math.min(leastMs, performance.now() - askedMs);
      if (leastMs < enoughMs || leastMs > FAR_MS) break;
    }
    return leastMs;
  }

  /** The ping with this number was answered. */
  answered(n: number): void {
    if (this.#waiting?.n === n) this.#waiting.done(true);
  }

  #answer(): Promise<boolean> {
    this.#waiting?.done(false);
    return new Promise((resolve) => {
      const done = (isAnswered: boolean): void => {
        clearTimeout(timer);
        this.#waiting = null;
        resolve(isAnswered);
      };
      const timer = setTimeout(done, GIVE_UP_MS, false);
      this.#waiting = { n: this.#ask(), done };
    });
  }
}

/** Until the page has nothing to do, if it tells. */
function idle(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof requestIdleCallback === "undefined") resolve();
    else requestIdleCallback(() => resolve(), { timeout: IDLE_MS });
  });
}
