/** Where the pane's own words lie over the picture: labels of annotations keep off them. */
import type { Pane } from "../viewer/camera";
import type { Box } from "./chips";

const WORDS = ".slice, .back, .remark, .scale, .bar, .bar span, .letter";
const GAP_PX = 2;

export class WordRoom {
  /** Counts how often the words have moved. */
  revision = 0;
  boxes: readonly Box[] = [];
  private seen = "";

  /** Look where they are now; says whether that has changed. Layout is asked for only then. */
  look(view: HTMLElement, { width, height }: Pane): boolean {
    const words = [...view.querySelectorAll<HTMLElement>(WORDS)];
    // Digits are equally wide: a number that counts moves nothing.
    const looks = words.map((el) => `${el.className}${el.style.right}${el.textContent?.length}`);
    const seen = [width, height, ...looks].join();
    if (seen === this.seen) return false;
    this.seen = seen;
    this.measure(view, words);
    return true;
  }

  private measure(view: HTMLElement, words: readonly HTMLElement[]): void {
    const from = view.getBoundingClientRect();
    this.revision++;
    this.boxes = words.map((el) => {
      const { left, top, width, height } = el.getBoundingClientRect();
      const [x, y] = [left - from.left - GAP_PX, top - from.top - GAP_PX];
      return { x, y, width: width + 2 * GAP_PX, height: height + 2 * GAP_PX };
    });
  }
}
