/** Lets a picture pass only if nothing newer was shown: pictures come by three ways, each in its time. */
import type { FrameHeader } from "./protocol";

const FRAME_NO_MODULUS = 0x80000000;
/** Numbers that are further behind than this belong to a server that began to count again. */
const MAX_LATE = 4096;

export class FrameGate {
  #newest: number | null = null;

  /** True if this picture is newer than all that passed; it is then the newest. */
  pass(header: FrameHeader): boolean {
    if (this.#newest !== null) {
      const behind = (this.#newest - header.frame_no + FRAME_NO_MODULUS) % FRAME_NO_MODULUS;
      if (behind > 0 && behind <= MAX_LATE) return false;
    }
    this.#newest = header.frame_no;
    return true;
  }

  /** Another server or session: its numbers have nothing to do with those before. */
  reset(): void {
    this.#newest = null;
  }
}
