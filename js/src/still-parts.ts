/** Puts lossless pictures together that come in pieces, because the link is slow. */
import { FrameFlags, type FrameHeader } from "./protocol";

/** Offset of the piece and length of the whole, both uint32, before its bytes. */
const PREFIX_BYTES = 8;

export interface Whole {
  readonly header: FrameHeader;
  readonly payload: Uint8Array;
}

export class StillParts {
  #frameNo = -1;
  #data = new Uint8Array(0);
  #filled = 0;

  /** Take a piece; the picture if it was the last one. Pieces of a newer picture replace an older's. */
  add(header: FrameHeader, part: Uint8Array): Whole | null {
    if (part.length < PREFIX_BYTES) return null;
    const prefix = new DataView(part.buffer, part.byteOffset, PREFIX_BYTES);
    const offset = prefix.getUint32(0, true);
    // A picture may begin again: what was on the way of it had to make way for something.
    if (header.frame_no !== this.#frameNo || offset === 0) {
      this.#frameNo = header.frame_no;
      this.#data = new Uint8Array(prefix.getUint32(4, true));
      this.#filled = 0;
    }
    const bytes = part.subarray(PREFIX_BYTES);
    if (offset !== this.#filled || offset + bytes.length > this.#data.length) return null;
    this.#data.set(bytes, offset);
    this.#filled += bytes.length;
    if (this.#filled < this.#data.length) return null;
    const payload = this.#data;
    this.clear();
    return { header: { ...header, flags: header.flags & ~FrameFlags.PART }, payload };
  }

  /** What was begun is of no use any more. */
  clear(): void {
    this.#frameNo = -1;
    this.#data = new Uint8Array(0);
  }
}
