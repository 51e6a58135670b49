/**
 * A `<video>` fed with decoded frames.
 *
 * The compositor takes such frames as they are, without the page: nothing is drawn, laid out or
 * painted for them, and a busy page does not hold them up. What it shows changes a moment after it
 * was told, at the next refresh; so it is for pictures that differ from the last in nothing that the
 * page moves at the same time.
 */
import type { FrameHeader } from "../protocol";
import type { Frame } from "../session";
import { isSameView } from "./scrolling";

/** Not in TypeScript's library: Chromium has it, on pages that are https or localhost. */
interface Generator extends MediaStreamTrack {
  readonly writable: WritableStream<VideoFrame>;
}
declare const MediaStreamTrackGenerator: (new (init: { kind: "video" }) => Generator) | undefined;

/** Frames written and not taken: something is wrong, the canvas is quicker. */
const MAX_QUEUE = 4;

export class VideoSurface {
  readonly element = document.createElement("video");
  private readonly writer: WritableStreamDefaultWriter<VideoFrame>;
  /** Header of the newest frame that it was given. */
  private written: FrameHeader | null = null;
  /** What was written while something else covered it has come through. */
  private hasArrived = false;
  private isBroken = false;

  /** Null where the browser cannot. */
  static open(signal: AbortSignal): VideoSurface | null {
    if (typeof MediaStreamTrackGenerator === "undefined") return null;
    try {
      return new VideoSurface(new MediaStreamTrackGenerator({ kind: "video" }), signal);
    } catch {
      return null;
    }
  }

  private constructor(
    private readonly track: Generator,
    signal: AbortSignal,
  ) {
    const { element } = this;
    element.muted = true; // only silent videos may play unasked
    element.playsInline = true;
    element.disablePictureInPicture = true;
    element.tabIndex = -1;
    element.setAttribute("aria-hidden", "true");
    this.writer = track.writable.getWriter();
    this.writer.closed.catch(() => {
      this.isBroken = true;
    });
    signal.addEventListener("abort", () => {
      this.writer.close().catch(() => {});
      track.stop();
      element.srcObject = null;
    });
  }

  /** It shows the picture of `header`, though maybe less exactly: what covers it may go. */
  shows(header: FrameHeader): boolean {
    return !this.isBroken && !this.element.paused && this.hasArrived && this.hasTaken(header);
  }

  /** Show a frame with the next refresh; false if that cannot be. The image stays the caller's. */
  show({ image, header }: Frame): boolean {
    if (this.isBroken || !(image instanceof VideoFrame)) return false;
    if ((this.writer.desiredSize ?? 0) < -MAX_QUEUE) return false;
    this.written = header;
    const given = image.clone();
    this.writer.write(given).catch(() => {
      this.isBroken = true;
      given.close();
    });
    return true;
  }

  /** Take a frame that something else shows, which came after `before`, to be ready for the next. */
  prepare(frame: Frame, before: FrameHeader): void {
    // Not sooner: a page has not loaded before its videos have a first frame.
    this.element.srcObject ??= new MediaStream([this.track]);
    // A notebook takes elements off the page and puts them back; each time the video stops.
    if (this.element.paused) this.play();
    if (!this.hasTaken(before)) this.expect();
    this.show(frame);
  }

  private hasTaken(header: FrameHeader): boolean {
    const { written } = this;
    return (
      written !== null && written.slice_idx === header.slice_idx && isSameView(written, header)
    );
  }

  /** Nothing of what is written from now on has come through yet. */
  private expect(): void {
    this.hasArrived = false;
    this.element.requestVideoFrameCallback(() => {
      this.hasArrived = true;
    });
  }

  private play(): void {
    this.element.play().catch(() => {}); // taken off the page meanwhile; the next frame tries again
    this.expect();
  }
}
