/** The picture on screen: lets only newer ones through, keeps the last, counts what was shown. */
import { FrameGate } from "./frame-gate";
import type { LatencyMeter } from "./latency";
import { Listeners } from "./listeners";
import { FrameFlags } from "./protocol";
import type { Frame } from "./session";

export class Screen {
  readonly listeners = new Listeners<Frame>();
  readonly #meter: LatencyMeter;
  readonly #gate = new FrameGate();
  #frame: Frame | null = null;
  /** Revision whose exact still is shown; null while something else is. */
  #exactRevision: number | null = null;

  constructor(meter: LatencyMeter) {
    this.#meter = meter;
  }

  get frame(): Frame | null {
    return this.#frame;
  }

  /** Lossless pixels of full detail are shown. */
  get isExact(): boolean {
    const exactStill = FrameFlags.STILL | FrameFlags.EXACT;
    return ((this.#frame?.header.flags ?? 0) & exactStill) === exactStill;
  }

  /** Show a picture, unless a newer one is shown already; takes its image. True if it was shown. */
  show(frame: Frame): boolean {
    if (this.#isRepetition(frame) || !this.#gate.pass(frame.header)) {
      frame.image.close();
      return false;
    }
    const last = this.#frame;
    this.#frame = frame;
    this.#exactRevision = this.isExact ? frame.header.revision : null;
    this.listeners.emit(frame);
    last?.image.close();
    this.#meter.pictureShown(frame.header.revision, performance.now());
    return true;
  }

  /** Pictures of another connection come: their numbers have nothing to do with those before. */
  restart(): void {
    this.#gate.reset();
    this.#exactRevision = null;
  }

  /** A keyframe that somebody asked for at rest shows what is shown already, less exactly. */
  #isRepetition({ header }: Frame): boolean {
    const isKeyframe =
      (header.flags & (FrameFlags.KEY | FrameFlags.STILL | FrameFlags.JPEG)) === FrameFlags.KEY;
    return isKeyframe && header.revision === this.#exactRevision;
  }
}
