/** Earlier views, for "view back" and "view forward": what was looked at, not how it was coloured. */
import type { ViewState } from "../protocol";

/** Views that rest this long count as looked at. */
const REST_MS = 1000;
const MOST = 50;

export type Look = Pick<
  ViewState,
  | "active"
  | "axis"
  | "slice_idx"
  | "section"
  | "zoom"
  | "pan"
  | "stretch"
  | "rotation"
  | "flip_x"
  | "flip_y"
>;

export function lookOf(state: ViewState): Look {
  const { active, axis, slice_idx, section, zoom, pan, stretch, rotation, flip_x, flip_y } = state;
  return { active, axis, slice_idx, section, zoom, pan, stretch, rotation, flip_x, flip_y };
}

/** Slices that are not shown may differ: a crosshair that moves makes no new view. */
function same(a: Look, b: Look): boolean {
  const shown = ({ axis, slice_idx, ...rest }: Look): string =>
    JSON.stringify([axis, slice_idx[axis], rest]);
  return shown(a) === shown(b);
}

export class ViewHistory {
  private readonly looks: Look[] = [];
  private at = -1;
  private current: Look | null = null;
  private since = 0;

  /** Tell every view that is shown; `now` in ms. Views that were passed through are not kept. */
  visit(state: ViewState, now: number): void {
    const look = lookOf(state);
    if (this.current && same(look, this.current)) return;
    if (this.current && now - this.since >= REST_MS) this.keep(this.current);
    this.current = look;
    this.since = now;
  }

  private keep(look: Look): void {
    const here = this.looks[this.at];
    if (here && same(here, look)) return;
    this.looks.splice(this.at + 1, this.looks.length, look);
    if (this.looks.length > MOST) this.looks.shift();
    this.at = this.looks.length - 1;
  }

  get canGoBack(): boolean {
    const here = this.looks[this.at];
    return (
      here !== undefined && (this.at > 0 || (this.current !== null && !same(here, this.current)))
    );
  }

  get canGoForward(): boolean {
    return this.at + 1 < this.looks.length;
  }

  back(): Look | null {
    if (!this.canGoBack) return null;
    if (this.current) this.keep(this.current);
    return this.jump(this.at - 1);
  }

  forward(): Look | null {
    return this.canGoForward ? this.jump(this.at + 1) : null;
  }

  private jump(to: number): Look | null {
    const look = this.looks[to] ?? null;
    if (look) {
      this.at = to;
      this.current = look;
      this.since = Number.POSITIVE_INFINITY; // it is in the list already
    }
    return look;
  }
}
