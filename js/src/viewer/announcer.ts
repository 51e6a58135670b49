/** Says changes to people who hear the page: at most one message each half second, the last one. */
import type { ViewContext } from "./context";

const APART_MS = 500;

export class Announcer {
  readonly polite = document.createElement("div");
  readonly urgent = document.createElement("div");
  private waiting: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(context: ViewContext) {
    this.polite.setAttribute("aria-live", "polite");
    this.polite.setAttribute("role", "status");
    this.urgent.setAttribute("aria-live", "assertive");
    this.urgent.setAttribute("role", "alert");
    for (const region of [this.polite, this.urgent]) region.className = "unseen";
    context.onSay((text, urgent) => {
      if (urgent) this.urgent.textContent = text;
      else this.say(text);
    });
    context.signal.addEventListener("abort", () => clearTimeout(this.timer), { once: true });
  }

  private say(text: string): void {
    if (this.timer !== undefined) {
      this.waiting = text;
      return;
    }
    this.polite.textContent = text;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const { waiting } = this;
      this.waiting = null;
      if (waiting !== null) this.say(waiting);
    }, APART_MS);
  }
}
