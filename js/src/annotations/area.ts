/**
 * The part of a pane that a drawing needs: a canvas that is no larger costs the page no more than that.
 *
 * Where the page is put together without a graphics card, a canvas costs by its area, with every change:
 * a shape that is dragged would cost a whole pane sixty times a second.
 */
import type { Point } from "../geometry";

/** CSS pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Places and sizes come in these steps: whole device pixels at every usual ratio, and few sizes. */
const STEP_PX = 64;

/** Grows with what has to fit in. */
export class Cover {
  private x0 = Number.POSITIVE_INFINITY;
  private y0 = Number.POSITIVE_INFINITY;
  private x1 = Number.NEGATIVE_INFINITY;
  private y1 = Number.NEGATIVE_INFINITY;

  /** A point, and what is drawn around it. */
  add({ x, y }: Point, reach: number): void {
    this.x0 = Math.min(this.x0, x - reach);
    this.y0 = Math.min(this.y0, y - reach);
    this.x1 = Math.max(this.x1, x + reach);
    this.y1 = Math.max(this.y1, y + reach);
  }

  addArea({ x, y, width, height }: Area, reach: number): void {
    this.add({ x, y }, reach);
    this.add({ x: x + width, y: y + height }, reach);
  }

  /** Within a pane; null: nothing of it is in sight. */
  within(pane: { readonly width: number; readonly height: number }): Area | null {
    const [x, y] = [this.x0, this.y0].map((v) => Math.floor(Math.max(v, 0) / STEP_PX) * STEP_PX);
    if (x === undefined || y === undefined) return null;
    const right = Math.min(this.x1, pane.width);
    const bottom = Math.min(this.y1, pane.height);
    if (!(right > x && bottom > y)) return null;
    const [width, height] = [right - x, bottom - y].map((v) => Math.ceil(v / STEP_PX) * STEP_PX);
    return { x, y, width: width ?? 0, height: height ?? 0 };
  }
}

/** Bring a canvas over an area and wipe it; drawing on it is in the pane's own pixels. */
export function lay(brush: CanvasRenderingContext2D, area: Area, pixelRatio: number): void {
  const { canvas } = brush;
  const size = [area.width, area.height].map((v) => Math.ceil(v * pixelRatio));
  const [wide = 0, high = 0] = size;
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${wide / pixelRatio}px`;
    canvas.style.height = `${high / pixelRatio}px`;
  } else {
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.clearRect(0, 0, wide, high);
  }
  brush.setTransform(pixelRatio, 0, 0, pixelRatio, -area.x * pixelRatio, -area.y * pixelRatio);
  const transform = `translate(${area.x}px, ${area.y}px)`;
  if (canvas.style.transform !== transform) canvas.style.transform = transform;
}
