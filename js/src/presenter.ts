/**
 * One picture for each refresh of the display.
 *
 * Pictures come in bursts: a busy machine delivers two within one refresh and none in the next.
 * Drawn at once, the first of them is never seen, and drawing it was for nothing. So a picture that
 * finds the refresh taken waits for the next one; if a third comes before that, the waiting one is
 * old and goes. A picture after a pause, which is every single step, never waits.
 */
import { isOlder } from "./frame-gate";
import type { Frame } from "./session";

export class Presenter {
  readonly #present: (frame: Frame) => void;
  readonly #afterPaint: (run: () => void) => void;
  #isTaken = false;
  #next: Frame | null = null;

  /**
   * @param present draws a picture and takes its image
   * @param afterPaint calls back once, when the page was painted next
   */
  constructor(present: (frame: Frame) => void, afterPaint: (run: () => void) => void) {
    this.#present = present;
    this.#afterPaint = afterPaint;
  }

  offer(frame: Frame): void {
    if (this.#isTaken) {
      const isLate = this.#next !== null && isOlder(frame.header, this.#next.header);
      const old = isLate ? frame : this.#next;
      if (!isLate) this.#next = frame;
      old?.image.close();
      return;
    }
    this.#isTaken = true;
    this.#afterPaint(() => {
      this.#isTaken = false;
      const next = this.#next;
      this.#next = null;
      if (next) this.offer(next);
    });
    this.#present(frame);
  }

  /** What waits is of another connection or nobody's any more. */
  clear(): void {
    this.#next?.image.close();
    this.#next = null;
  }
}

const paints: (() => void)[] = [];
let channel: MessageChannel | undefined;

/** Call back after the page's next paint; soon, where a hidden page paints nothing. */
export function afterPaint(run: () => void): void {
  if (document.visibilityState === "hidden") {
    setTimeout(run, 0);
    return;
  }
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => {
      for (const paint of paints.splice(0)) paint();
    };
  }
  const { port2 } = channel;
  // An animation frame runs before its paint, a message posted in it after.
  requestAnimationFrame(() => {
    paints.push(run);
    port2.postMessage(0);
  });
}
