/** Connects the session while somebody can see one of its views, and lets it rest while nobody can. */
import type { Session } from "./session";

interface Resting extends Pick<Session, "setVisible"> {
  start(): void;
  stop(): void;
}

/** A cell that is run again removes its view and adds another: the connection survives that. */
const LEAVE_MS = 1000;
/** Views that are about to be scrolled into sight already get pictures. */
const MARGIN = "200px";

export class Audience {
  readonly #session: Resting;
  readonly #inSight = new Map<Element, boolean>();
  readonly #observer: IntersectionObserver;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Resting, signal: AbortSignal) {
    this.#session = session;
    this.#observer = new IntersectionObserver((entries) => this.#moved(entries), {
      rootMargin: MARGIN,
    });
    signal.addEventListener("abort", () => this.#end(), { once: true });
    document.addEventListener("visibilitychange", () => this.#refresh(), { signal });
    window.addEventListener("pagehide", () => session.stop(), { signal });
    window.addEventListener(
      "pageshow",
      ({ persisted }) => {
        if (persisted && this.#inSight.size > 0) session.start();
      },
      { signal },
    );
  }

  /** A view was added; it is there until the signal ends. */
  join(view: Element, signal: AbortSignal): void {
    clearTimeout(this.#timer);
    this.#inSight.set(view, true);
    this.#observer.observe(view);
    this.#session.start();
    this.#refresh();
    signal.addEventListener("abort", () => this.#leave(view), { once: true });
  }

  #leave(view: Element): void {
    this.#observer.unobserve(view);
    this.#inSight.delete(view);
    if (this.#inSight.size > 0) this.#refresh();
    else this.#timer = setTimeout(() => this.#session.stop(), LEAVE_MS);
  }

  #moved(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (this.#inSight.has(target)) this.#inSight.set(target, isIntersecting);
    }
    this.#refresh();
  }

  #refresh(): void {
    const isSeen = [...this.#inSight.values()].some(Boolean);
    this.#session.setVisible(isSeen && document.visibilityState !== "hidden");
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#observer.disconnect();
    this.#session.stop();
  }
}
