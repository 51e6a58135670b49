/** All panes as they lie on the page, as one picture: what each shows, with its labels, and the values. */
import type { Point } from "../geometry";
import { compose, type Job } from "./screenshot";

/** A pane of the picture, and where its left top lies, in CSS pixels of the whole. */
export interface PaneOfWhole {
  readonly job: Job;
  readonly at: Point;
  readonly width: number;
  readonly height: number;
}

/** What lies on the page now. */
export interface Whole {
  /** In the order in which they lie upon each other. */
  readonly panes: readonly PaneOfWhole[];
  /** A cell of words beside them; null: the layout has none. */
  readonly words: HTMLElement | null;
  /** Holds them all. */
  readonly element: HTMLElement;
  readonly pixelRatio: number;
}

/** The page at its own pixels, or `times` as many each way; labels and rulers are sharp at any. */
export function composeWhole(whole: Whole, times: number): HTMLCanvasElement {
  const { element, panes, words } = whole;
  const ratio = whole.pixelRatio * times;
  const out = document.createElement("canvas");
  const box = element.getBoundingClientRect();
  out.width = Math.round(box.width * ratio);
  out.height = Math.round(box.height * ratio);
  const brush = out.getContext("2d");
  if (!brush) return out;
  const style = getComputedStyle(element);
  const lines = style.getPropertyValue("--line1") || style.color;
  brush.fillStyle = style.getPropertyValue("--bg") || "#fff";
  brush.fillRect(0, 0, out.width, out.height);
  for (const { job, at, width, height } of panes) {
    const picture = compose(job, true, times);
    const [x, y] = [Math.round(at.x * ratio), Math.round(at.y * ratio)];
    brush.fillStyle = lines;
    brush.fillRect(x - times, y - times, width * ratio + 2 * times, height * ratio + 2 * times);
    brush.drawImage(picture, x, y);
  }
  if (words) {
    brush.scale(ratio, ratio);
    brush.translate(-box.left, -box.top);
    drawWords(brush, words);
  }
  return out;
}

/** The texts of an element and what lies in it, where and as they are on the page. */
function drawWords(brush: CanvasRenderingContext2D, element: Element): void {
  for (const child of (element.shadowRoot ?? element).children) {
    if (child instanceof HTMLElement && child.checkVisibility()) drawWords(brush, child);
  }
  const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
  const style = getComputedStyle(element);
  if (element.matches("i")) {
    const { left, top, width, height } = element.getBoundingClientRect();
    brush.fillStyle = style.backgroundColor;
    brush.fillRect(left, top, width, height);
  }
  // The shorthand is empty where figures are tabular.
  brush.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  brush.fillStyle = style.color;
  brush.textAlign = "left";
  brush.textBaseline = "middle";
  for (const node of own) {
    const text = node.textContent?.trim();
    if (!text) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { left, top, height } = range.getBoundingClientRect();
    brush.fillText(text, left, top + height / 2);
  }
}
