/**
 * The picture of a pane: draws frames as they come, and until the next one comes moves the last one
 * under a newer zoom or pan and gives it the newer colours, so that the hand never waits for the network.
 */
import { placeSlice } from "../geometry";
import type { Frame } from "../session";
import { fitPicture, isSamePlane, type Pane, pictureSize, shiftBetween, viewOf } from "./camera";
import type { ViewContext } from "./context";
import { Painter } from "./painter";
import { Recolouring } from "./recolouring";

export class Picture {
  readonly recolouring: Recolouring;
  private readonly painter: Painter | null;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly context: ViewContext,
  ) {
    const brush = canvas.getContext("2d", { alpha: false, desynchronized: true });
    this.painter = brush && new Painter(brush);
    this.recolouring = new Recolouring(context, () => this.place());
    const { session, signal } = context;
    session.onFrame((frame) => this.draw(frame), signal);
    session.onState(() => this.place(), signal);
    const last = session.lastFrame();
    if (last) this.draw(last);
  }

  private draw(frame: Frame): void {
    this.painter?.paint(frame, () => {
      this.context.set({ shown: frame.header });
      this.place();
    });
  }

  /** Lay the drawn picture where the newest state wants it. */
  place(): void {
    const { session, ui } = this.context;
    const { info, state } = session;
    const shown = ui.shown;
    if (!info || !shown) return;
    const from = viewOf(shown);
    const samePlane = isSamePlane(shown, state);
    const fit = fitPicture(samePlane ? state : from, ui.pane);
    const placed = placeSlice(info, shown.axis, from);
    const shift = samePlane ? shiftBetween(placed, placeSlice(info, state.axis, state)) : null;
    const transform = shift
      ? `translate(${shift.x * fit.scale}px, ${shift.y * fit.scale}px) scale(${shift.scaleX}, ${shift.scaleY})`
      : "none";
    const isRecoloured = this.recolouring.update();
    if (isRecoloured) this.recolouring.clip(placed, shown);
    for (const { style } of isRecoloured
      ? [this.canvas, this.recolouring.element]
      : [this.canvas]) {
      style.left = `${fit.x}px`;
      style.top = `${fit.y}px`;
      this.setSize(style, shown.width_px * fit.scale, shown.height_px * fit.scale);
      style.transform = transform;
    }
  }

  private setSize(style: CSSStyleDeclaration, width: number, height: number): void {
    const [w, h] = [`${width}px`, `${height}px`];
    if (style.width !== w) style.width = w;
    if (style.height !== h) style.height = h;
  }
}

/** Watches the pane's size and asks the server for pictures of it, once it has stood still. */
export class PaneSize {
  private size: Pane = { width: 0, height: 0, pixelRatio: 1 };
  private timer = 0;

  constructor(
    private readonly pane: HTMLElement,
    private readonly context: ViewContext,
    private readonly resized: () => void,
    private readonly settleMs = 100,
  ) {
    const observer = new ResizeObserver(() => this.measure());
    observer.observe(pane);
    context.signal.addEventListener("abort", () => {
      observer.disconnect();
      clearTimeout(this.timer);
    });
    context.session.onInfo(() => this.claim(), context.signal);
  }

  private measure(): void {
    const { clientWidth: width, clientHeight: height } = this.pane;
    const size = { width, height, pixelRatio: window.devicePixelRatio || 1 };
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
    if (wanted.width_px !== width_px || wanted.height_px !== height_px) actions.patch(wanted);
  }
}
