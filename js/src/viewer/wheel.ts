/** Wheel and trackpad: whose gesture it is, and how many slices or how much zoom it means. */

/** Silence that ends a wheel gesture. */
const GESTURE_END_MS = 150;
/** Trackpad travel of one slice. */
const PIXELS_PER_SLICE = 20;
/** An event of at least this size is a notch of a wheel, not trackpad travel. */
const NOTCH_PX = 100;
const USUAL_NOTCH_PX = 120;
const LINES_PER_NOTCH = 3;
const ZOOM_PER_NOTCH = 1.2;
/** Zoom exponent per pixel of a trackpad pinch, which arrives as ctrl + wheel in small deltas. */
const PINCH_RATE = 0.01;

export interface WheelLike {
  readonly deltaX: number;
  readonly deltaY: number;
  readonly deltaMode: number;
  readonly shiftKey: boolean;
}

/** With Shift some browsers report the vertical wheel as horizontal. */
function deltaOf(event: WheelLike): number {
  return event.deltaY === 0 && event.shiftKey ? event.deltaX : event.deltaY;
}

/** Whole notches of a wheel event, or null if it is trackpad travel. */
function notchesOf(event: WheelLike): number | null {
  const delta = deltaOf(event);
  const size = Math.abs(delta);
  if (delta === 0) return 0;
  if (event.deltaMode === 1)
    return Math.sign(delta) * Math.max(1, Math.round(size / LINES_PER_NOTCH));
  if (event.deltaMode === 2) return Math.sign(delta);
  if (size < NOTCH_PX) return null;
  return Math.sign(delta) * Math.max(1, Math.round(size / USUAL_NOTCH_PX));
}

/** Factor of the zoom that an event with Ctrl held means; up (negative) zooms in. */
export function zoomFactorOf(event: WheelLike): number {
  const notches = notchesOf(event);
  if (notches !== null) return ZOOM_PER_NOTCH ** -notches;
  return Math.exp(-deltaOf(event) * PINCH_RATE);
}

/** Turns wheel events into whole slices, keeping the rest of trackpad travel for the next event. */
export class SliceWheel {
  private travel = 0;

  /** Slices to go forward (down the wheel) or back; ten at a time with Shift. */
  slices(event: WheelLike): number {
    const notches = notchesOf(event);
    if (notches !== null) {
      this.travel = 0;
      return notches * (event.shiftKey ? 10 : 1);
    }
    const delta = deltaOf(event);
    if (this.travel * delta < 0) this.travel = 0; // the fingers turned round
    this.travel += delta;
    const steps = Math.trunc(this.travel / PIXELS_PER_SLICE);
    this.travel -= steps * PIXELS_PER_SLICE;
    return steps * (event.shiftKey ? 10 : 1);
  }

  reset(): void {
    this.travel = 0;
  }
}

/**
 * Decides once per gesture who owns the wheel.
 *
 * A gesture that scrolls the notebook must not turn into slices when the viewer comes under the
 * pointer, nor the other way round.
 */
export class GestureLock {
  private last = Number.NEGATIVE_INFINITY;
  private ours = false;

  /** A wheel event over the viewer at `now` ms; `wanted`: the viewer would take a new gesture. */
  over(now: number, wanted: boolean): boolean {
    if (now - this.last > GESTURE_END_MS) this.ours = wanted;
    this.last = now;
    return this.ours;
  }

  /** A wheel event elsewhere on the page. */
  elsewhere(now: number): void {
    this.last = now;
    this.ours = false;
  }

  /** The user clicked: whatever gesture was going on is over. */
  release(): void {
    this.last = Number.NEGATIVE_INFINITY;
  }
}
