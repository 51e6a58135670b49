/**
 * Whether the host of the server answers at all, found out without a WebSocket.
 *
 * Chromium and Firefox put off WebSockets to a host after some that failed in a row (Chromium by 1 to 5 s
 * after sixteen), so those that would be in vain are not opened: small requests go out instead, several
 * at a time, for each of them waits longer and longer for a network that is not there. A host that never
 * answered such a request says nothing by its silence.
 */
const EVERY_MS = 700;
const TIMEOUT_MS = 2800;
const SLEPT_MS = 3000;
const LOOK_MS = 1000;

export type Ask = (url: string, signal: AbortSignal) => Promise<unknown>;

/** Any answer is one, an error or a redirect too. */
const askByFetch: Ask = (url, signal) =>
  fetch(url, { cache: "no-store", credentials: "same-origin", redirect: "manual", signal });

export class Reach {
  #hasAnswered = false;

  constructor(
    private readonly url: string,
    private readonly ask: Ask = askByFetch,
  ) {}

  /** There is a connection: find out whether the host answers such requests. */
  learn(): void {
    if (!this.#hasAnswered) void this.#answers();
  }

  /** Resolves when the host answers; at once where that cannot be known. Never fails. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#hasAnswered) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearInterval(timer);
        resolve();
      };
      const attempt = (): void => {
        void this.#answers().then((does) => does && end());
      };
      const timer = setInterval(attempt, EVERY_MS);
      signal.addEventListener("abort", end, { once: true });
      attempt();
    });
  }

  async #answers(): Promise<boolean> {
    try {
      await this.ask(this.url, AbortSignal.timeout(TIMEOUT_MS));
    } catch {
      return false;
    }
    this.#hasAnswered = true;
    return true;
  }
}

/** Calls when there may be a network again: the browser says so, the page is shown, the computer woke. */
export function watchReturn(back: () => void, signal: AbortSignal): void {
  const options = { signal };
  window.addEventListener("online", back, options);
  window.addEventListener("pageshow", back, options);
  document.addEventListener("resume", back, options);
  document.addEventListener("visibilitychange", () => document.hidden || back(), options);
  let lookedMs = Date.now();
  const timer = setInterval(() => {
    const hasSlept = Date.now() - lookedMs > SLEPT_MS;
    lookedMs = Date.now();
    // Hidden pages look rarely; they hear when they are shown.
    if (hasSlept && !document.hidden) back();
  }, LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(timer), options);
}
