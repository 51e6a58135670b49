/**
 * Encoded frames from a browser's WebRTC receiver, taken before its own decoder, decoded here.
 *
 * The browser's way from the network to the page is made for conversations: a jitter buffer, a clock
 * of its own, a frame dropped where two come close together. Of 55 pictures it let through 40. Here
 * each frame is decoded as it comes, and its header, which lies behind it, cannot get lost or be
 * taken for that of another. Runs in a worker: a receiver hands its frames to no other place.
 */
import { type FrameHeader, HEADER_BYTES, unpackHeader } from "./protocol";
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

/** Decodes what a receiver gives out, and tells of each picture. */
export class EncodedFrames {
  readonly #video: VideoPictures;

  constructor(tell: Tell) {
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

  /** An access unit, and behind it its header. */
  take(data: ArrayBuffer): void {
    const size = data.byteLength - HEADER_BYTES;
    if (size <= 0) return;
    const header = unpackHeader(new DataView(data, size));
    if (header) this.#video.push(header, new Uint8Array(data, 0, size));
  }
}
