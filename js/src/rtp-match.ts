/** Brings pictures of a video track together with their headers, which come another way. */
import type { FrameHeader } from "./protocol";
import type { Frame } from "./session";

/** Headers that wait for their picture. */
const MAX_HEADERS = 64;

/**
 * Headers usually come first. A picture whose header is not there yet waits for it; the next picture
 * replaces it, so that no picture is ever shown under the name of another. Both carry the RTP timestamp.
 */
export class RtpMatch {
  readonly #show: (frame: Frame) => void;
  readonly #headers = new Map<number, FrameHeader>();
  #newest: FrameHeader | null = null;
  #waiting: (Omit<Frame, "header"> & { rtpTimestamp: number }) | null = null;

  constructor(show: (frame: Frame) => void) {
    this.#show = show;
  }

  header(header: FrameHeader): void {
    this.#newest = header;
    const waiting = this.#waiting;
    if (waiting?.rtpTimestamp === header.timestamp_90k) {
      this.#waiting = null;
      this.#show({ header, image: waiting.image, thereMs: waiting.thereMs });
      return;
    }
    this.#headers.set(header.timestamp_90k, header);
    if (this.#headers.size <= MAX_HEADERS) return;
    for (const oldest of this.#headers.keys()) {
      this.#headers.delete(oldest);
      break;
    }
  }

  /** Takes the image. Without a timestamp, where the browser tells none, the last header is its. */
  picture(image: Frame["image"], rtpTimestamp: number | undefined, thereMs?: number): void {
    this.clear();
    const header =
      rtpTimestamp === undefined ? this.#newest : (this.#headers.get(rtpTimestamp) ?? null);
    if (header) {
      this.#headers.delete(header.timestamp_90k);
      this.#show({ header, image, thereMs });
    } else if (rtpTimestamp !== undefined) {
      this.#waiting = { image, rtpTimestamp, thereMs };
    } else {
      image.close();
    }
  }

  /** Let go of a picture that waits. */
  clear(): void {
    this.#waiting?.image.close();
    this.#waiting = null;
  }
}
