/** Pictures from the socket: H.264 through WebCodecs, JPEG and lossless stills through ImageBitmap. */
import { FrameFlags, type FrameHeader } from "./protocol";
import type { Frame } from "./session";

export type Picture = "h264" | "jpeg";

export interface DecoderEvents {
  /** A picture is ready; who gets it closes its image. */
  picture(frame: Frame): void;
  /** The frame left the decoder, shown or overtaken: the worker may send another. */
  consumed(header: FrameHeader): void;
  /** Nothing can be decoded before the next keyframe. */
  wantKeyframe(): void;
  /** H.264 does not work in this browser after all. */
  unusable(reason: string): void;
}

/** More waiting chunks than this: drop them all and start again at a keyframe. */
const MAX_QUEUE = 8;
/** Errors in a row, without a decoded picture between them, that mean "this does not work here". */
const MAX_ERRORS = 3;

const BASELINE = "avc1.42E01F";

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

/** Codec string of an Annex B keyframe: avc1.PPCCLL from its sequence parameter set; null without one. */
export function codecOf(annexB: Uint8Array): string | null {
  const end = Math.min(annexB.length - 6, 256);
  for (let i = 0; i <= end; i++) {
    if (annexB[i] !== 0 || annexB[i + 1] !== 0 || annexB[i + 2] !== 1) continue;
    if (((annexB[i + 3] ?? 0) & 31) !== 7) continue;
    const bytes = [...annexB.subarray(i + 4, i + 7)];
    return `avc1.${bytes.map((b) => b.toString(16).padStart(2, "0")).join("")}`;
  }
  return null;
}

/** H.264 in, newest picture out. */
class VideoPictures {
  readonly #events: DecoderEvents;
  readonly #headers = new Map<number, FrameHeader>();
  #decoder: VideoDecoder | null = null;
  #config = "";
  #timestamp = 0;
  #needsKey = true;
  #askedForKey = false;
  #errors = 0;

  constructor(events: DecoderEvents) {
    this.#events = events;
  }

  push(header: FrameHeader, payload: Uint8Array): void {
    const isKey = (header.flags & FrameFlags.KEY) !== 0;
    const waiting = this.#decoder?.decodeQueueSize ?? 0;
    if (waiting > MAX_QUEUE && !isKey) this.reset();
    if (this.#needsKey && !isKey) {
      this.#askForKey();
      this.#events.consumed(header);
      return;
    }
    if (isKey && !this.#configure(header, payload)) return;
    this.#needsKey = false;
    this.#askedForKey = false;
    // The decoder only carries the timestamp through: a count finds the header again.
    this.#timestamp += 1000;
    this.#headers.set(this.#timestamp, header);
    try {
      this.#decoder?.decode(
        new EncodedVideoChunk({
          type: isKey ? "key" : "delta",
          timestamp: this.#timestamp,
          data: payload,
        }),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Drop what is under way; the next picture must be a keyframe. */
  reset(): void {
    this.#needsKey = true;
    this.#askedForKey = false;
    this.#config = "";
    for (const header of this.#headers.values()) this.#events.consumed(header);
    this.#headers.clear();
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = null;
  }

  #configure(header: FrameHeader, payload: Uint8Array): boolean {
    const codec = codecOf(payload) ?? BASELINE;
    const config = `${codec} ${header.width_px}x${header.height_px}`;
    if (config === this.#config && this.#decoder?.state === "configured") return true;
    try {
      if (!this.#decoder || this.#decoder.state === "closed") this.#decoder = this.#create();
      this.#decoder.configure({
        codec,
        codedWidth: header.width_px,
        codedHeight: header.height_px,
        optimizeForLatency: true,
      });
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.#config = config;
    return true;
  }

  #create(): VideoDecoder {
    const decoder: VideoDecoder = new VideoDecoder({
      output: (image) => this.#output(decoder, image),
      error: (error) => {
        if (decoder === this.#decoder) this.#fail(error);
      },
    });
    return decoder;
  }

  #output(decoder: VideoDecoder, image: VideoFrame): void {
    const header = this.#headers.get(image.timestamp);
    this.#headers.delete(image.timestamp);
    if (!header || decoder !== this.#decoder) {
      image.close();
      return;
    }
    this.#errors = 0;
    this.#events.picture({ header, image });
    this.#events.consumed(header);
  }

  #fail(error: unknown): void {
    this.#errors += 1;
    this.reset();
    if (this.#errors >= MAX_ERRORS) {
      this.#events.unusable(`The video decoder failed: ${String(error)}`);
      return;
    }
    this.#askForKey();
  }

  #askForKey(): void {
    if (this.#askedForKey) return;
    this.#askedForKey = true;
    this.#events.wantKeyframe();
  }
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
