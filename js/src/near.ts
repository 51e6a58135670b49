/**
 * Who decodes WebRTC's pictures: this page, or on a near link the browser itself.
 *
 * Chromium hands encoded frames to a page only on a clock of 64 ticks a second; pictures that it
 * decodes itself come 8 ms earlier. But there a frame behind a lost one waits, and when a frame came
 * is not known before it is decoded. So the browser decodes only where that hardly matters: nothing
 * gets lost, and an answer takes no time.
 */
import { givesPictures } from "./decoded-frames";
import type { Welcome } from "./protocol";

/** A link whose answers take less is near. */
export const NEAR_MS = 8;
/** Longer than this for so many answers in a row, of which one comes every few seconds: near no more. */
const FAR_MS = 25;
const FAR_ANSWERS = 2;
/** A packet may get lost once: a busy machine has no room for it. So many at once, or again so soon… */
const LOSS_MAX = 0.02;
const LOSS_AGAIN_LOOKS = 10;

/**
 * Whether a link may be near at all: neither a kernel nor a relay carries what goes by it, and this
 * browser gives out what it has decoded, each picture with its RTP timestamp.
 */
export function mayBeNear({ via, ice_relay_only }: Welcome): boolean {
  const tells = typeof VideoFrame !== "undefined" && "metadata" in VideoFrame.prototype;
  return via !== "kernel" && !ice_relay_only && givesPictures() && tells;
}

/** Looks once a second, while pictures come, whether a link stays near. */
export class NearWatch {
  #farAnswers = 0;
  #looksSinceLoss = Number.POSITIVE_INFINITY;

  /** Why it is near no more; "" while it is. `loss` is a share, `roundTripMs` null without news. */
  look(loss: number, roundTripMs: number | null): string {
    const isAgain = this.#looksSinceLoss < LOSS_AGAIN_LOOKS;
    this.#looksSinceLoss = loss > 0 ? 0 : this.#looksSinceLoss + 1;
    if (loss > LOSS_MAX || (loss > 0 && isAgain)) return "packets get lost";
    if (roundTripMs !== null) this.#farAnswers = roundTripMs > FAR_MS ? this.#farAnswers + 1 : 0;
    return this.#farAnswers >= FAR_ANSWERS ? "answers take long" : "";
  }
}
