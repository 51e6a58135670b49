/**
 * Finds a way past a connection that has gone silent.
 *
 * After an outage TCP itself waits: it sends again after pauses that have doubled meanwhile, 3 s after
 * an outage of 3 s. A new connection need not. So when something was asked and nothing is heard, one is
 * dialled beside the silent one, again and again; whichever speaks first serves.
 */
import { Dial, type DialEvents } from "./dial";
import type { OpenLink } from "./link";
import type { Hello } from "./protocol";
import type { Reach } from "./reach";

/** Ask again, with a question that is answered at once. */
const ASK_MS = 400;
/** Then dial. A slow link with a full queue answers within this. */
const SILENT_MS = 1000;
/** A connection that is not open by then was asked for while there was no network. */
const OPEN_MS = 600;
const WELCOME_MS = 4000;

export interface RescueOptions {
  readonly open: OpenLink;
  readonly reach?: Reach | undefined;
  hello(): Promise<Hello>;
  /** Ask the silent link something. */
  ask(): void;
  /** For the dial that was welcomed: it takes over. */
  readonly events: DialEvents;
}

export class Rescue {
  readonly #options: RescueOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dial: Dial | null = null;
  #waiting: AbortController | null = null;
  /** Grows with every answer: what was begun before it is not needed any more. */
  #turn = 0;

  constructor(options: RescueOptions) {
    this.#options = options;
  }

  /** Something was asked that the server answers. */
  asked(): void {
    if (this.#timer !== undefined || this.#dial) return;
    this.#timer = setTimeout(() => {
      this.#options.ask();
      this.#timer = setTimeout(() => this.#attempt(), SILENT_MS - ASK_MS);
    }, ASK_MS);
  }

  /** The link lives, or is not wanted any more. */
  stop(): void {
    this.#turn += 1;
    this.#waiting?.abort();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dial?.close();
    this.#dial = null;
  }

  #attempt(): void {
    const { reach, hello } = this.#options;
    if (reach) {
      this.#waiting = new AbortController();
      const { signal } = this.#waiting;
      void reach.wait(signal).then(() => signal.aborted || this.#begin(hello()));
    } else this.#begin(hello());
  }

  #begin(hello: Promise<Hello>): void {
    const turn = this.#turn;
    this.#timer = setTimeout(() => this.#again(), OPEN_MS);
    hello.then(
      (known) => {
        if (turn === this.#turn) this.#open(known);
      },
      () => {},
    );
  }

  #again(): void {
    this.#dial?.close();
    this.#dial = null;
    this.#attempt();
  }

  #open(hello: Hello): void {
    const { open, events } = this.#options;
    const watched: OpenLink = (link) =>
      open({
        ...link,
        opened: () => {
          // There is a network again: this one is not given up for another.
          clearTimeout(this.#timer);
          this.#timer = setTimeout(() => this.#again(), WELCOME_MS);
          link.opened();
        },
      });
    this.#dial = new Dial("websocket", watched, hello, WELCOME_MS, {
      ...events,
      welcomed: (dial, welcome) => {
        this.#dial = null;
        this.stop();
        events.welcomed(dial, welcome);
      },
      // The next attempt comes by itself.
      failed: () => {},
    });
  }
}
