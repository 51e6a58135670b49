/** The way of a picture from the link to the screen, and what is said back about it. */
import { AckPace } from "./ack-pace";
import { PictureDecoder } from "./decoder";
import type { LatencyMeter } from "./latency";
import { Presenter } from "./presenter";
import {
  type Ack,
  FrameFlags,
  type FrameHeader,
  HEADER_BYTES,
  type Keyframe,
  MessageType,
  PANE_HEADER_BYTES,
  unpackHeader,
} from "./protocol";
import { Screen } from "./screen";
import type { Frame } from "./session";
import { StillParts } from "./still-parts";

export interface PicturePathOptions {
  readonly meter: LatencyMeter;
  send(message: Ack | Keyframe): void;
  /** A header came whose picture comes another way. */
  header(header: FrameHeader): void;
  /** Another picture is on screen. */
  shown(): void;
  /** Video cannot be decoded here after all. */
  unusable(reason: string): void;
  /** Calls back once, after the next paint. */
  afterPaint(run: () => void): void;
}

export class PicturePath {
  readonly screen: Screen;
  readonly #options: PicturePathOptions;
  readonly #decoder: PictureDecoder;
  readonly #presenter: Presenter;
  readonly #stillParts = new StillParts();
  readonly #thereMs = new WeakMap<FrameHeader, number>();
  readonly #acks = new AckPace((ack) => this.#options.send(ack));

  constructor(options: PicturePathOptions) {
    this.#options = options;
    this.screen = new Screen(options.meter);
    this.#presenter = new Presenter((frame) => {
      if (this.screen.show(frame)) options.shown();
    }, options.afterPaint);
    this.#decoder = new PictureDecoder({
      picture: (frame) => this.#presenter.offer(frame),
      consumed: (header) => this.#acknowledge(header),
      wantKeyframe: () => options.send({ type: MessageType.KEYFRAME }),
      unusable: (reason) => options.unusable(reason),
    });
  }

  /** Take a binary message of the link. */
  received(data: DataView): void {
    const header = unpackHeader(data);
    if (!header) return;
    if (header.flags & FrameFlags.HEADER_ONLY) {
      this.#options.header(header);
      return;
    }
    this.#thereMs.set(header, performance.now());
    const length = HEADER_BYTES + header.n_panes * PANE_HEADER_BYTES;
    const start = data.byteOffset + length;
    const payload = new Uint8Array(data.buffer as ArrayBuffer, start, data.byteLength - length);
    if (!(header.flags & FrameFlags.PART)) {
      this.#stillParts.clear();
      this.#decoder.push(header, payload);
      return;
    }
    this.#acknowledge(header);
    const whole = this.#stillParts.add(header, payload);
    if (whole) this.#decoder.push(whole.header, whole.payload);
  }

  /** Take a picture that WebRTC brought: one of the link may be newer, the numbers tell. */
  offer(frame: Frame): void {
    this.#presenter.offer(frame);
  }

  /** Acknowledge at most so often from now on; 0: each frame. */
  pace(everyMs: number): void {
    this.#acks.pace(everyMs);
  }

  /** What is being decoded is of no use any more. */
  reset(): void {
    this.#decoder.reset();
  }

  /** Likewise, and what waits to be shown. */
  clear(): void {
    this.#decoder.reset();
    this.#presenter.clear();
  }

  /** The connection is gone: nobody waits for what was to be acknowledged. */
  lost(): void {
    this.#acks.forget();
    this.#acks.pace(0);
    this.clear();
  }

  #acknowledge(header: FrameHeader): void {
    const there_ms = this.#thereMs.get(header) ?? 0;
    const ack: Ack = { type: MessageType.ACK, frame_no: header.frame_no, there_ms };
    if (header.flags & FrameFlags.STILL) this.#options.send(ack);
    else this.#acks.came(ack);
  }
}
