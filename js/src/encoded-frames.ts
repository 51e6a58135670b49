/**
 * Encoded frames from a browser's WebRTC receiver, taken before its own decoder, decoded here.
 *
 * The browser's way from the network to the page is made for conversations: a jitter buffer, a clock
 * of its own, a frame dropped where two come close together. Of 55 pictures it let through 40. Here
 * each frame is decoded as soon as it and those before it are there, and its header, which lies behind it, cannot get lost or be
 * taken for that of another. Runs in a worker: a receiver hands its frames to no other place.
 */
import { type Counted, FrameOrder } from "./frame-order";
import { FrameFlags, type FrameHeader, HEADER_BYTES, unpackHeader } from "./protocol";
import { VideoPictures } from "./video-pictures";

/** What the worker tells the page. */
export type WorkerMessage =
  | { readonly kind: "picture"; readonly header: FrameHeader; readonly image: VideoFrame }
  | { readonly kind: "want-keyframe" }
  | { readonly kind: "unusable"; readonly reason: string };

export type Tell = (message: WorkerMessage, transfer: Transferable[]) => void;

/** As much of RTCEncodedVideoFrame as is needed. */
export interface Encoded {
  readonly data: ArrayBuffer;
}

/** Behind the header: the frame's place in the stream, seven bits a byte. */
const COUNT_BYTES = 2;

interface Arrived extends Counted {
  readonly header: FrameHeader;
  readonly unit: Uint8Array;
}

/** Decodes what a receiver gives out, and tells of each picture. */
export class EncodedFrames {
  readonly #video: VideoPictures;
  readonly #order: FrameOrder<Arrived>;

  constructor(tell: Tell) {
    this.#order = new FrameOrder<Arrived>(
      ({ header, unit }) => this.#video.push(header, unit),
      () => tell({ kind: "want-keyframe" }, []),
    );
    this.#video = new VideoPictures({
      picture: ({ header, image }) => {
        const picture = image as VideoFrame;
        tell({ kind: "picture", header, image: picture }, [picture]);
      },
      consumed: () => {}, // the page acknowledges what reaches it
      wantKeyframe: () => tell({ kind: "want-keyframe" }, []),
      unusable: (reason) => tell({ kind: "unusable", reason }, []),
    });
  }

  /** Read to the end. Nothing is passed on: the browser's own decoder stays idle. */
  async read(frames: ReadableStream<Encoded>): Promise<void> {
    const reader = frames.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.take(value.data);
    }
  }

  /** An access unit, and behind it its header and its count. */
  take(data: ArrayBuffer): void {
    const size = data.byteLength - HEADER_BYTES - COUNT_BYTES;
    if (size <= 0) return;
    const trailer = new DataView(data, size);
    const header = unpackHeader(trailer);
    if (!header) return;
    const isKey = (header.flags & FrameFlags.KEY) !== 0;
    const count =
      ((trailer.getUint8(HEADER_BYTES) & 127) << 7) | (trailer.getUint8(HEADER_BYTES + 1) & 127);
    this.#order.add({ header, unit: new Uint8Array(data, 0, size), count, isKey });
  }
}
