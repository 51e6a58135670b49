/** Base of the viewer's parts, and how they are registered. */
import { LitElement, type PropertyValues } from "lit";
import type { ViewContext } from "./context";
import { RateLimit } from "./rate";

/**
 * Register a part under its name, or under the next free one.
 *
 * Two copies of this bundle may live on one page (two kernels, two versions); parts are made by their
 * constructors, never by their tags, so each copy keeps its own classes.
 */
export function define(name: string, part: CustomElementConstructor): void {
  let tag = name;
  for (let copy = 2; customElements.get(tag); copy++) tag = `${name}-${copy}`;
  customElements.define(tag, part);
}

/** How often numbers and colours around the picture follow a hand that sets them: 25 times a second. */
export const CALM_MS = 40;
/**
 * How often they follow a picture that scrolls: 12 times a second. Each time costs the page a layout, the
 * search for what now lies under the pointer, and painting, which a full machine takes from the pictures.
 */
export const SCROLL_MS = 80;

/** A part of the view: draws itself anew, once per task, when something that it shows changed. */
export abstract class Part extends LitElement {
  private seen: readonly unknown[] = [];

  /**
   * @param apartMs least time between two drawings for changes of the view; 0 = with every frame.
   *   What is drawn for each frame costs displayed frames.
   */
  constructor(
    protected readonly context: ViewContext,
    apartMs = 0,
  ) {
    super();
    const rate = new RateLimit(apartMs, () => this.requestUpdate());
    const calm = new RateLimit(SCROLL_MS, () => this.requestUpdate());
    context.onChange(() => this.isConnected && this.look(this.mayWait() ? calm : rate));
    const stop = (): void => {
      rate.cancel();
      calm.cancel();
    };
    context.signal.addEventListener("abort", stop, { once: true });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate(); // what changed while it was not on the page
  }

  /** What the part shows; null = too much to list, always draw. Spares work at 60 frames a second. */
  protected shows(): readonly unknown[] | null {
    return null;
  }

  /** Called once for each change: true if it is one of those that may be drawn a moment later. */
  protected mayWait(): boolean {
    return false;
  }

  protected override update(changed: PropertyValues): void {
    const hadFocus = Boolean(this.shadowRoot?.activeElement);
    super.update(changed);
    if (hadFocus && !this.shadowRoot?.activeElement) this.focusLost();
  }

  /** What was pressed is gone with what it did: without a place for the focus, keys go to the page. */
  protected focusLost(): void {}

  private look(rate: RateLimit): void {
    const now = this.shows();
    if (now && this.seen.length === now.length && now.every((v, i) => v === this.seen[i])) return;
    this.seen = now ?? [];
    rate.request();
  }

  /** First focusable thing inside that matches. */
  protected find<E extends HTMLElement>(selector: string): E | null {
    return this.renderRoot.querySelector<E>(selector);
  }
}

/** Arrow keys, Home and End move the focus among `items`; one of them is in the tab order. */
export function rove(event: KeyboardEvent, items: readonly HTMLElement[], vertical = false): void {
  const [before, after] = vertical ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
  const here = items.indexOf(event.target as HTMLElement);
  let to: number;
  if (event.key === after) to = (here + 1) % items.length;
  else if (event.key === before) to = (here - 1 + items.length) % items.length;
  else if (event.key === "Home") to = 0;
  else if (event.key === "End") to = items.length - 1;
  else return;
  event.preventDefault(); // also tells the viewer's own keys that this one is taken
  items[to]?.focus();
}
