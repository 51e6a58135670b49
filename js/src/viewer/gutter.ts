/** The line between two panes: dragged by hand or by keys, a double click makes all equal. */
import { html, type TemplateResult } from "lit";
import type { ViewPatch } from "../protocol";
import type { ViewContext } from "./context";
import { dragGutter, gutterAt } from "./layout";

/** What one press of an arrow moves it by, as a share of the whole. */
const KEY_STEP = 0.02;

type Side = "columns" | "rows";

/** Shares while a gutter is held: the panes follow the hand, the server hears of it at the end. */
export interface Held {
  readonly side: Side;
  readonly shares: readonly number[];
}

export class Gutters {
  held: Held | null = null;

  /** @param changed called while a gutter is held */
  constructor(
    private readonly context: ViewContext,
    private readonly changed: () => void,
  ) {}

  /** Elements that lie on the lines between `shares`; `from`: they begin at this share of the whole. */
  render(side: Side, shares: readonly number[], from = 0): readonly TemplateResult[] {
    return shares.slice(1).map((_, k) => {
      const at = gutterAt(shares, k) * 100;
      const isColumn = side === "columns";
      return html`<div
        class="gutter ${side}"
        role="separator"
        tabindex="0"
        aria-orientation=${isColumn ? "vertical" : "horizontal"}
        aria-label=${isColumn ? "Width of the columns" : "Height of the rows"}
        aria-valuenow=${Math.round(at)}
        aria-valuemin="0"
        aria-valuemax="100"
        title="Drag; double click: equal"
        style=${isColumn ? `left:${at}%` : `top:${at}%;left:${from * 100}%`}
        @pointerdown=${(e: PointerEvent) => this.press(e, side, shares, k)}
        @dblclick=${() => this.set(side, [])}
        @keydown=${(e: KeyboardEvent) => this.key(e, side, shares, k)}
      ></div>`;
    });
  }

  private press(event: PointerEvent, side: Side, shares: readonly number[], k: number): void {
    const line = event.currentTarget as HTMLElement;
    const box = line.parentElement?.getBoundingClientRect();
    if (!box || event.button !== 0) return;
    event.preventDefault();
    line.setPointerCapture(event.pointerId);
    const life = new AbortController();
    const { signal } = life;
    const move = ({ clientX, clientY }: PointerEvent): void => {
      const at =
        side === "columns" ? (clientX - box.left) / box.width : (clientY - box.top) / box.height;
      this.held = { side, shares: dragGutter(shares, k, at) };
      this.changed();
    };
    const end = (): void => {
      life.abort();
      const { held } = this;
      this.held = null;
      if (held) this.set(side, held.shares);
    };
    line.addEventListener("pointermove", move, { signal });
    line.addEventListener("pointerup", end, { signal });
    line.addEventListener("lostpointercapture", end, { signal });
  }

  private key(event: KeyboardEvent, side: Side, shares: readonly number[], k: number): void {
    const [less, more] =
      side === "columns" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    const step = event.key === more ? KEY_STEP : event.key === less ? -KEY_STEP : 0;
    if (step) this.set(side, dragGutter(shares, k, gutterAt(shares, k) + step));
    else if (event.key === "Enter") this.set(side, []);
    else return;
    event.preventDefault(); // also tells the viewer's own keys that this one is taken
  }

  private set(side: Side, shares: readonly number[]): void {
    const patch: ViewPatch = side === "columns" ? { columns: shares } : { rows: shares };
    this.context.actions.patch(patch);
    this.changed();
  }
}
