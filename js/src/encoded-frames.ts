/**
 * Encoded frames from a browser's WebRTC receiver, taken before its own decoder, decoded here.
 *
 * The browser's way from the network to the page is made for conversations: it has a jitter buffer
 * and a clock of its own. Here each frame is decoded as soon as it and those before it are there,
 * and its header, which lies behind it, cannot get lost or be taken for that of another. Runs in a
 * worker: a receiver hands its frames to no other place.
 */
import { type Counted, FrameOrder } from "./frame-order";
import {
  FrameFlags,
  type FrameHeader,
  HEADER_BYTES,
  PANE_HEADER_BYTES,
  unpackHeader,
} from "./protocol";
import type { Frame } from "./session";
import { VideoPictures } from "./video-pictures";

/** What the worker tells the page. */
export type WorkerMessage =
  | (Frame & { readonly kind: "picture"; readonly image: VideoFrame })
  | { readonly kind: "want-keyframe" }
  | { readonly kind: "unusable"; readonly reason: string };

export type Tell = (message: WorkerMessage, transfer: Transferable[]) => void;

/** As much of RTCEncodedVideoFrame as is needed. */
export interface Encoded {
  readonly data: ArrayBuffer;
  /** Not in all browsers, and not with the same entries. */
  getMetadata?(): { readonly receiveTime?: number };
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
  readonly #thereMs = new WeakMap<FrameHeader, number>();

  constructor(tell: Tell) {
    this.#order = new FrameOrder<Arrived>(
      ({ header, unit }) => this.#video.push(header, unit),
      () => tell({ kind: "want-keyframe" }, []),
    );
    this.#video = new VideoPictures({
      picture: ({ header, image }) => {
        const picture = image as VideoFrame;
        const thereMs = this.#thereMs.get(header);
        tell({ kind: "picture", header, image: picture, thereMs }, [picture]);
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
      this.take(value);
    }
  }

  /** An access unit, and behind it its header and its count. */
  take(frame: Encoded): void {
    const { data } = frame;
    const before = data.byteLength - COUNT_BYTES;
    if (before <= HEADER_BYTES) return;
    const bytes = headerBytes(new Uint8Array(data, 0, before));
    const size = before - bytes.length;
    const header = unpackHeader(new DataView(bytes.buffer));
    if (size <= 0 || !header) return;
    this.#thereMs.set(header, receivedMs(frame));
    const isKey = (header.flags & FrameFlags.KEY) !== 0;
    const [high = 0, low = 0] = new Uint8Array(data, before);
    const count = ((high & 127) << 7) | (low & 127);
    this.#order.add({ header, unit: new Uint8Array(data, 0, size), count, isKey });
  }
}

/**
 * When the frame's last packet came. The browser's network process knows best, and says so where it
 * can: this worker may wait for a processor, which is no sign of a slow link.
 */
function receivedMs(frame: Encoded): number {
  const nowMs = performance.now();
  return Math.min(frame.getMetadata?.().receiveTime ?? nowMs, nowMs);
}

/** The header as it stands in front of a frame elsewhere: here its panes come before it. */
function headerBytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const own = data.slice(-HEADER_BYTES);
  const n_panes = own[HEADER_BYTES - 1] ?? 0; // the header's last byte
  const whole = new Uint8Array(HEADER_BYTES + n_panes * PANE_HEADER_BYTES);
  if (data.length <= whole.length) return own;
  whole.set(own);
  whole.set(data.subarray(data.length - whole.length, data.length - HEADER_BYTES), HEADER_BYTES);
  return whole;
}
