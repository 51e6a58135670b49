/**
 * Copies of what a `<video>` shows, each under its own name.
 *
 * A callback of the video comes some time after its frame was presented, and by then the video may
 * hold a newer one: a copy taken in it would go by the name of the frame before. Only the next
 * callback tells: it says when its frame was presented, before or after the copy was taken.
 */
export interface Presented {
  /** Milliseconds, on the clock of `performance.now()`. */
  readonly presentationTime: number;
  readonly presentedFrames: number;
  readonly rtpTimestamp?: number;
}

/** Without a newer frame for so long, a copy is of the frame that was named last. */
const SETTLED_MS = 40;

/**
 * A page that was busy hears of the time before it hears of frames that came meanwhile: those are
 * told when it draws, and a frame that was presented just now only when it draws again.
 */
function afterDrawing(call: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(call));
}

interface Copy<T> {
  readonly of: Presented;
  readonly takenAt: number;
  readonly image: Promise<T>;
}

export class VideoCopies<T extends { close(): void }> {
  readonly #show: (image: T, rtpTimestamp: number | undefined) => void;
  readonly #later: (call: () => void) => void;
  #copy: Copy<T> | null = null;
  #settled: ReturnType<typeof setTimeout> | undefined;

  constructor(
    show: (image: T, rtpTimestamp: number | undefined) => void,
    later: (call: () => void) => void = afterDrawing,
  ) {
    this.#show = show;
    this.#later = later;
  }

  /** A frame was presented, and a copy of what the video holds now was begun at `takenAt`. */
  add(frame: Presented, takenAt: number, image: Promise<T>): void {
    const copy = this.#copy;
    if (copy) this.#hand(copy, nameOf(copy, frame));
    const next = { of: frame, takenAt, image };
    this.#copy = next;
    clearTimeout(this.#settled);
    this.#settled = setTimeout(() => this.#later(() => this.#settle(next)), SETTLED_MS);
  }

  close(): void {
    clearTimeout(this.#settled);
    if (this.#copy) this.#hand(this.#copy, null);
    this.#copy = null;
  }

  #settle(copy: Copy<T>): void {
    if (copy !== this.#copy) return; // a newer frame has told, or the video has ended
    this.#copy = null;
    this.#hand(copy, copy.of);
  }

  #hand({ image }: Copy<T>, name: Presented | null): void {
    image.then(
      (done) => (name ? this.#show(done, name.rtpTimestamp) : done.close()),
      () => {}, // the video has just ended
    );
  }
}

/** The frame that the video held when the copy was taken; null where it cannot be known. */
function nameOf({ of, takenAt }: Copy<unknown>, next: Presented): Presented | null {
  if (next.presentationTime <= takenAt) return next;
  // Between the two there was none: the copy is of the older one.
  return next.presentedFrames === of.presentedFrames + 1 ? of : null;
}
