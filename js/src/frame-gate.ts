/** Lets a picture pass only if nothing newer was shown: pictures come by three ways, each in its time. */
import type { FrameHeader } from "./protocol";

const FRAME_NO_MODULUS = 0x80000000;
/** Numbers that are further behind than this belong to a server that began to count again. */
const MAX_LATE = 4096;

/** Whether the picture `a` was made before the picture `b` of the same server. */
export function isOlder(
  a: Pick<FrameHeader, "frame_no">,
  b: Pick<FrameHeader, "frame_no">,
): boolean {
  const behind = (b.frame_no - a.frame_no + FRAME_NO_MODULUS) % FRAME_NO_MODULUS;
  return behind > 0 && behind <= MAX_LATE;
}

export class FrameGate {
  #newest: FrameHeader | null = null;

  /** True if this picture is newer than all that passed; it is then the newest. */
  pass(header: FrameHeader): boolean {
    if (this.#newest && isOlder(header, this.#newest)) return false;
    this.#newest = header;
    return true;
  }

  /** Another server or session: its numbers have nothing to do with those before. */
  reset(): void {
    this.#newest = null;
  }
}
