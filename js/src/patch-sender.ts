/** Sends what the hand changes: at once, at most once a refresh; newest wins, again until acknowledged. */
import type { LatencyMeter } from "./latency";
import type { State, ViewerMessage, ViewPatch, ViewState } from "./protocol";
import { ViewStore } from "./store";

export interface PatchSenderOptions {
  readonly meter: LatencyMeter;
  /** Run once after `waitMs`; 0: when the event that is being handled has changed all that it will. */
  later(flush: () => void, waitMs: number): void;
  /** The quickest way, which may lose a message. False if there is no way at all now. */
  send(message: ViewerMessage): boolean;
  /** The way that loses none. */
  sendReliably(message: ViewerMessage): boolean;
  changed(state: ViewState): void;
}

/** The data channel may lose a message: what is not acknowledged by then goes by the link. */
const RESEND_MS = 150;
/**
 * A display shows 60 pictures a second: messages that follow quicker are joined. A little less than a
 * refresh, because events that come once a refresh come now and then a few milliseconds early.
 */
const APART_MS = 12;
/** A server that is busy opening the volume answers late: ask less and less often. */
const RESEND_MAX_MS = 2000;
/** What the page itself changes, as its panes get room: no hand waits for that. */
const OF_THE_PAGE: ReadonlySet<string> = new Set(["width_px", "height_px", "pane_sizes"]);
/** What the server has not said by then, after the last guess, it will not say. */
const FORESIGHT_MS = 1000;

export class PatchSender {
  readonly #options: PatchSenderOptions;
  readonly #store = new ViewStore();
  /** When the hand made the oldest change that was not sent yet; null: no hand did. */
  #inputMs: number | null = null;
  #flushIsDue = false;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #resendTimer: ReturnType<typeof setTimeout> | undefined;
  #resendMs = RESEND_MS;
  #foresightTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PatchSenderOptions) {
    this.#options = options;
  }

  get state(): ViewState {
    return this.#store.state;
  }

  /** The newest revision that a picture is due for. */
  get pictureRevision(): number {
    return this.#store.pictureRevision;
  }

  patch(patch: ViewPatch): void {
    const inputMs = performance.now();
    if (!this.#store.patch(patch)) return;
    if (!Object.keys(patch).every((field) => OF_THE_PAGE.has(field))) this.#inputMs ??= inputMs;
    this.#options.changed(this.#store.state);
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    const waitMs = Math.max(0, this.#sentAtMs + APART_MS - inputMs);
    this.#options.later(() => {
      this.#flushIsDue = false;
      this.#sentAtMs = performance.now();
      if (this.#store.hasUnsent) this.#flush((message) => this.#options.send(message));
    }, waitMs);
  }

  /** Show what the server will say in a moment, because a linked view was moved. Sends nothing. */
  foresee(patch: ViewPatch): void {
    if (this.#store.foresee(patch)) this.#options.changed(this.#store.state);
    clearTimeout(this.#foresightTimer);
    this.#foresightTimer = setTimeout(() => {
      if (this.#store.forgetForeseen()) this.#options.changed(this.#store.state);
    }, FORESIGHT_MS);
  }

  /** The server's state, with our messages up to `seq` in it. */
  confirmed({ seq, state }: State): void {
    const hasChanged = this.#store.confirm(seq, state);
    this.#options.meter.stateConfirmed(seq, this.#store.pictureRevision);
    this.#resendMs = RESEND_MS;
    if (!this.#store.hasPending) clearTimeout(this.#resendTimer);
    if (hasChanged) this.#options.changed(this.#store.state);
  }

  /** The state by a new connection; what it does not contain is sent again. */
  restart(state: ViewState): void {
    const hasChanged = this.#store.restart(state);
    this.#options.meter.reset();
    if (hasChanged) this.#options.changed(this.#store.state);
    this.#flush((message) => this.#options.sendReliably(message));
  }

  /** The server refused a change: show what it has. */
  refused(): void {
    clearTimeout(this.#resendTimer);
    if (this.#store.discard()) this.#options.changed(this.#store.state);
  }

  stop(): void {
    clearTimeout(this.#foresightTimer);
    this.#store.forgetForeseen();
    clearTimeout(this.#resendTimer);
  }

  #flush(send: (message: ViewerMessage) => boolean): void {
    const message = this.#store.takeMessage();
    if (!message || !send(message)) return;
    if (this.#inputMs !== null && this.#store.awaitsPicture) {
      this.#options.meter.messageSent(message.seq, this.#inputMs);
    }
    this.#inputMs = null;
    clearTimeout(this.#resendTimer);
    this.#resendTimer = setTimeout(() => {
      this.#resendMs = Math.min(this.#resendMs * 2, RESEND_MAX_MS);
      this.#flush((again) => this.#options.sendReliably(again));
    }, this.#resendMs);
  }
}
