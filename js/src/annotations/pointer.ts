/** Mouse, pen and fingers on a pane: what of it is for the annotations. */
import type { Point } from "../geometry";
import { CLICK_PX } from "./draft";
import type { Editor, Surface, Touch } from "./editor";
import { distance } from "./planar";

export interface PointerHost {
  readonly surface: Surface;
  /** A tool of annotations is in hand. */
  readonly isAnnotating: boolean;
  focus(): void;
  /** Take what is being typed. */
  commit(): void;
}

function isControl(event: Event): boolean {
  const [target] = event.composedPath();
  return target instanceof Element && target.closest("button, input, .message") !== null;
}

/**
 * Listen before the pane's own gestures: a press that is ours goes no further.
 *
 * Fingers that draw are seen by the gestures too, which do nothing with one and pinch with two.
 */
export function trackAnnotations(
  pane: HTMLElement,
  editor: Editor,
  host: PointerHost,
  signal: AbortSignal,
): void {
  new Tracker(pane, editor, host).listen(signal);
}

class Tracker {
  private readonly fingers = new Set<number>();
  /** The pointer that draws or drags. */
  private held: number | null = null;
  /** The gestures see it as well: they must see all of it, or they would wait for its end. */
  private isShared = false;
  /** Where a finger came down that may be a tap on an annotation. */
  private tap: { id: number; at: Point } | null = null;

  constructor(
    private readonly pane: HTMLElement,
    private readonly editor: Editor,
    private readonly host: PointerHost,
  ) {}

  listen(signal: AbortSignal): void {
    const on = (type: string, listener: (event: PointerEvent) => void): void =>
      this.pane.addEventListener(type, listener as EventListener, { signal, capture: true });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.moved(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.cancelled(event));
    on("pointerleave", () => this.editor.leave());
    // Not passive, or it could not be kept from the browser.
    const held = { signal, capture: true, passive: false };
    this.pane.addEventListener("touchstart", (event) => this.touched(event), held);
  }

  /**
   * A finger that draws is no gesture of the browser's.
   *
   * It would take a quick stroke for a fling, and the tap after it for what ends the fling: no click
   * then reaches the button that is tapped.
   */
  private touched(event: TouchEvent): void {
    if (this.held !== null && event.cancelable) event.preventDefault();
  }

  private touchOf(event: PointerEvent): Touch {
    const box = this.pane.getBoundingClientRect();
    return {
      at: { x: event.clientX - box.left, y: event.clientY - box.top },
      time: event.timeStamp,
      shift: event.shiftKey,
      alt: event.altKey,
      isFinger: event.pointerType === "touch",
    };
  }

  private down(event: PointerEvent): void {
    if (isControl(event)) return;
    this.host.commit();
    const touch = this.touchOf(event);
    if (touch.isFinger) {
      this.fingers.add(event.pointerId);
      if (this.fingers.size > 1) {
        this.giveUp();
        return;
      }
    }
    if (this.held !== null || event.button !== 0) return;
    this.editor.pen = null;
    if (touch.isFinger && !this.mayTake(touch)) {
      this.tap = { id: event.pointerId, at: touch.at };
      return;
    }
    const { surface, isAnnotating } = this.host;
    if (!this.editor.press(surface, touch, !isAnnotating)) return;
    this.held = event.pointerId;
    this.isShared = touch.isFinger && isAnnotating;
    this.host.focus();
    if (this.pane.isConnected) this.pane.setPointerCapture(event.pointerId);
    if (!this.isShared) event.stopImmediatePropagation();
    if (!touch.isFinger) event.preventDefault();
  }

  /** One finger scrolls; it moves an annotation only with a tool in hand, or one that is chosen. */
  private mayTake(touch: Touch): boolean {
    if (this.host.isAnnotating) return true;
    const hit = this.editor.hitAt(this.host.surface, touch);
    return hit !== null && this.editor.selection.has(hit.id);
  }

  private moved(event: PointerEvent): void {
    const { editor } = this;
    const touch = this.touchOf(event);
    if (this.held !== null && event.pointerId !== this.held) return;
    if (touch.isFinger && this.held === null) return;
    for (const each of this.stepsOf(event)) editor.move(this.host.surface, each);
    // Shift is for straight lines here, and would make the crosshair follow.
    const isBusy = editor.draft !== null || editor.grab !== null;
    const isOurs = this.held !== null && !this.isShared;
    if (isBusy && (touch.shift || isOurs)) event.stopImmediatePropagation();
  }

  /** A stroke wants every place that the hand went through, everything else the newest alone. */
  private stepsOf(event: PointerEvent): Touch[] {
    const isStroke = this.editor.draft?.facts.stroke === true && this.held !== null;
    const all = isStroke ? event.getCoalescedEvents?.() : [];
    return (all?.length ? all : [event]).map((each) => this.touchOf(each));
  }

  private up(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    const touch = this.touchOf(event);
    if (this.tap?.id === event.pointerId) this.tapped(this.tap.at, touch);
    if (this.held !== event.pointerId) return;
    this.held = null;
    this.editor.release(this.host.surface, touch);
    if (!this.isShared) event.stopImmediatePropagation();
  }

  /** A tap chooses what it meets, and lets go of what is chosen where it meets nothing. */
  private tapped(from: Point, touch: Touch): void {
    this.tap = null;
    if (distance(from, touch.at) > CLICK_PX) return;
    const hit = this.editor.hitAt(this.host.surface, touch);
    if (hit) this.editor.selection.pick(hit.id);
    else this.editor.selection.clear();
  }

  private cancelled(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    if (this.held === event.pointerId) this.giveUp();
  }

  /** A second finger came, or the browser took the gesture. */
  private giveUp(): void {
    this.tap = null;
    if (this.held === null) return;
    this.held = null;
    this.editor.drop();
  }
}
