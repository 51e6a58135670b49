/** Pictures from the socket: H.264 through WebCodecs, JPEG and lossless stills through ImageBitmap. */
import { FrameFlags, type FrameHeader } from "./protocol";
import { BASELINE, type DecoderEvents, VideoPictures } from "./video-pictures";

export type Picture = "h264" | "jpeg";

/** What this browser can decode, best first, and why not more. */
export async function supportedPictures(): Promise<{ pictures: Picture[]; reason: string }> {
  if (typeof VideoDecoder === "undefined") {
    const insecure = typeof isSecureContext !== "undefined" && !isSecureContext;
    const reason = insecure
      ? "This page is neither https nor localhost, so the browser gives it no video decoder."
      : "This browser has no WebCodecs.";
    return { pictures: ["jpeg"], reason };
  }
  const { supported } = await VideoDecoder.isConfigSupported({ codec: BASELINE });
  if (supported) return { pictures: ["h264", "jpeg"], reason: "" };
  return { pictures: ["jpeg"], reason: "This browser cannot decode H.264." };
}

/** Whole pictures in (JPEG, PNG), newest out: while one decodes, only the newest waits. */
class StillPictures {
  readonly #events: DecoderEvents;
  readonly #mime: string;
  #busy = false;
  #waiting: { header: FrameHeader; payload: Uint8Array } | null = null;
  #generation = 0;

  constructor(events: DecoderEvents, mime: string) {
    this.#events = events;
    this.#mime = mime;
  }

  push(header: FrameHeader, payload: Uint8Array): void {
    if (!this.#busy) {
      void this.#decode(header, payload);
      return;
    }
    if (this.#waiting) this.#events.consumed(this.#waiting.header);
    this.#waiting = { header, payload };
  }

  /** What is under way will not be shown. */
  reset(): void {
    this.#generation += 1;
    if (this.#waiting) this.#events.consumed(this.#waiting.header);
    this.#waiting = null;
  }

  async #decode(header: FrameHeader, payload: Uint8Array): Promise<void> {
    this.#busy = true;
    const generation = this.#generation;
    const image = await this.#bitmap(payload);
    this.#busy = false;
    if (image && generation === this.#generation) this.#events.picture({ header, image });
    else image?.close();
    this.#events.consumed(header);
    const next = this.#waiting;
    this.#waiting = null;
    if (next) this.push(next.header, next.payload);
  }

  async #bitmap(payload: Uint8Array): Promise<ImageBitmap | null> {
    try {
      const blob = new Blob([payload as Uint8Array<ArrayBuffer>], { type: this.#mime });
      // The picture's numbers are the data's colours: a display profile must not change them.
      return await createImageBitmap(blob, { colorSpaceConversion: "none" });
    } catch {
      // A cut-off picture is skipped; the next one replaces it.
      return null;
    }
  }
}

/** Decodes whatever the server sends and hands out pictures in the order they are ready. */
export class PictureDecoder {
  readonly #video: VideoPictures;
  readonly #jpeg: StillPictures;
  readonly #still: StillPictures;

  constructor(events: DecoderEvents) {
    this.#video = new VideoPictures(events);
    this.#jpeg = new StillPictures(events, "image/jpeg");
    this.#still = new StillPictures(events, "image/png");
  }

  push(header: FrameHeader, payload: Uint8Array): void {
    if (header.flags & FrameFlags.STILL) {
      this.#still.push(header, payload);
      return;
    }
    this.#still.reset();
    if (header.flags & FrameFlags.JPEG) this.#jpeg.push(header, payload);
    else this.#video.push(header, payload);
  }

  /** The connection changed: start again at a keyframe. */
  reset(): void {
    this.#video.reset();
    this.#jpeg.reset();
    this.#still.reset();
  }
}
