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
    if (!this.#gate.pass(frame.header)) {
      frame.image.close();
      return false;
    }
    const last = this.#frame;
    this.#frame = frame;
    this.listeners.emit(frame);
    last?.image.close();
    this.#meter.pictureShown(frame.header.revision, performance.now());
    return true;
  }

  /** Pictures of another connection come: their numbers have nothing to do with those before. */
  restart(): void {
    this.#gate.reset();
  }
}
