/** H.264 through WebCodecs: access units in, newest picture out. On the page, or in a worker. */
import { FrameFlags, type FrameHeader } from "./protocol";
import type { Frame } from "./session";

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

export const BASELINE = "avc1.42E01F";

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

export class VideoPictures {
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
