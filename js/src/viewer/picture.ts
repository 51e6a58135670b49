/**
 * The picture of a pane: shows frames as they come, and until the next one comes moves the last one
 * under a newer zoom or pan and gives it the newer colours, so that the hand never waits for the network.
 */
import { placeSlice } from "../geometry";
import type { FrameHeader } from "../protocol";
import type { Frame } from "../session";
import { fitPicture, isSamePlane, type Pane, pictureSize, shiftBetween, viewOf } from "./camera";
import type { ViewContext } from "./context";
import { Painter } from "./painter";
import { Recolouring } from "./recolouring";
import { isSameView } from "./scrolling";
import { VideoSurface } from "./video-surface";

export class Picture {
  /** Holds everything that can show the picture; it is moved, its parts lie where it lies. */
  readonly element = document.createElement("div");
  readonly canvas = document.createElement("canvas");
  private readonly recolouring: Recolouring;
  private readonly painter: Painter | null;
  private readonly video: VideoSurface | null;
  private shownBy: HTMLElement = this.canvas;
  private last: FrameHeader | null = null;

  constructor(private readonly context: ViewContext) {
    const brush = this.canvas.getContext("2d", { alpha: false, desynchronized: true });
    this.painter = brush && new Painter(brush);
    this.recolouring = new Recolouring(context, () => this.place());
    const { session, signal } = context;
    this.video = VideoSurface.open(signal);
    this.element.className = "picture";
    if (this.video) this.element.append(this.video.element);
    this.element.append(this.canvas, this.recolouring.element);
    session.onFrame((frame) => this.draw(frame), signal);
    session.onState(() => this.place(), signal);
    const last = session.lastFrame();
    if (last) this.draw(last);
  }

  /** What shows the picture now, to be drawn elsewhere. */
  get source(): HTMLCanvasElement | HTMLVideoElement {
    return this.video && this.shownBy === this.video.element ? this.video.element : this.canvas;
  }

  /**
   * A picture of another slice goes by the video, which is cheapest. Everything else goes by the
   * canvas: stills for their exactness; zoom, pan, window and size, because the page moves or tints
   * the last picture for them, and must take that back in the very refresh that shows the new one.
   */
  private draw(frame: Frame): void {
    const { header, image } = frame;
    const { last, video } = this;
    this.last = header;
    if (video && last && isVideo(image) && isSameView(last, header)) {
      if (video.shows(last) && video.show(frame)) {
        this.painter?.cancel();
        this.shown(video.element, header);
        return;
      }
      video.prepare(frame, last);
    }
    this.painter?.paint(frame, () => this.shown(this.canvas, header));
  }

  private shown(by: HTMLElement, header: FrameHeader): void {
    if (this.shownBy !== by) {
      this.shownBy = by;
      // The canvas lies on the video and hides it.
      this.canvas.style.visibility = by === this.canvas ? "" : "hidden";
    }
    this.context.set({ shown: header });
    this.place();
  }

  /** Lay the drawn picture where the newest state wants it. */
  place(): void {
    const { session, ui } = this.context;
    const { info, state } = session;
    const shown = ui.shown;
    if (!info || !shown) return;
    const from = viewOf(shown, state);
    const samePlane = isSamePlane(shown, state);
    const fit = fitPicture(samePlane ? state : from, ui.pane);
    const style = this.element.style;
    set(style, "left", `${fit.x}px`);
    set(style, "top", `${fit.y}px`);
    set(style, "width", `${shown.width_px * fit.scale}px`);
    set(style, "height", `${shown.height_px * fit.scale}px`);
    const placed = placeSlice(info, shown.axis, from);
    const shift = samePlane ? shiftBetween(placed, placeSlice(info, state.axis, state)) : null;
    const moved = shift
      ? `translate(${shift.x * fit.scale}px, ${shift.y * fit.scale}px) scale(${shift.scaleX}, ${shift.scaleY})`
      : "none";
    set(style, "transform", moved);
    if (this.recolouring.update()) this.recolouring.clip(placed, shown);
  }
}

function isVideo(image: Frame["image"]): image is VideoFrame {
  return typeof VideoFrame !== "undefined" && image instanceof VideoFrame;
}

/** Writing a style, even the same again, makes the page look for what it changes. */
function set(
  style: CSSStyleDeclaration,
  name: "left" | "top" | "width" | "height" | "transform",
  value: string,
): void {
  if (style[name] !== value) style[name] = value;
}

/** What the browser says, unless it is of another density: one that emulates a screen tells its own. */
function devicePixels(entry: ResizeObserverEntry, ratio: number): ResizeObserverSize | undefined {
  const box = entry.devicePixelContentBoxSize?.[0];
  const { width, height } = entry.contentRect;
  const isOf = (told: number, css: number): boolean => Math.abs(told - css * ratio) < 2;
  return box && isOf(box.inlineSize, width) && isOf(box.blockSize, height) ? box : undefined;
}

/**
 * Watches the pane's size and asks the server for pictures of it, once it has stood still.
 *
 * In device pixels, where the browser tells them: they are a whole number where CSS pixels are not.
 */
export class PaneSize {
  private size: Pane = { width: 0, height: 0, pixelRatio: 1 };
  private timer = 0;

  constructor(
    private readonly pane: HTMLElement,
    private readonly context: ViewContext,
    private readonly resized: () => void,
    private readonly settleMs = 100,
  ) {
    const observer = new ResizeObserver((entries) => this.measure(entries.at(-1)));
    try {
      observer.observe(pane, { box: "device-pixel-content-box" });
    } catch {
      observer.observe(pane); // Safari
    }
    context.signal.addEventListener("abort", () => {
      observer.disconnect();
      clearTimeout(this.timer);
    });
    context.session.onInfo(() => this.claim(), context.signal);
  }

  private measure(entry?: ResizeObserverEntry): void {
    const pixelRatio = window.devicePixelRatio || 1;
    const box = entry && devicePixels(entry, pixelRatio);
    const size = {
      width: box ? box.inlineSize / pixelRatio : this.pane.clientWidth,
      height: box ? box.blockSize / pixelRatio : this.pane.clientHeight,
      pixelRatio,
    };
    if (size.width < 1 || size.height < 1) return; // hidden, for example another tab of the notebook
    const first = this.size.width === 0;
    this.size = size;
    this.context.set({ pane: size });
    this.resized();
    clearTimeout(this.timer);
    if (first) this.claim();
    else this.timer = window.setTimeout(() => this.claim(), this.settleMs);
  }

  /** Ask for pictures of this pane's size: views share one stream, the one in use decides. */
  claim(): void {
    const { session, actions } = this.context;
    if (this.size.width === 0 || !session.info) return;
    const wanted = pictureSize(this.size);
    const { width_px, height_px } = session.state;
    const isOther = wanted.width_px !== width_px || wanted.height_px !== height_px;
    // Who follows takes pictures of the shown view's size.
    if (isOther && actions.canDrive) actions.patch(wanted);
  }
}
