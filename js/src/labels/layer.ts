/** Brush and strokes over one pane, drawn at once; and the hand that draws them. */
import { css, html, nothing, svg, type TemplateResult } from "lit";
import { styleMap } from "lit/directives/style-map.js";
import type { SliceSection as Section } from "../annotations/section";
import type { Point } from "../geometry";
import { factsOf } from "./catalogue";
import type { LabelDesk, Preview } from "./desk";

/** What the layer needs of its pane. */
export interface LabelPane {
  readonly signal: AbortSignal;
  readonly section: Section | null;
  /** CSS colour of a label of the edited segmentation. */
  colourOf(label: number): string;
  /** 0 to 1, of a stroke of such a label. */
  opacityOf(label: number): number;
  focus(): void;
  request(): void;
}

export const labelStyles = css`
  .brushes {
    position: absolute;
    inset: 0;
    overflow: hidden;
    pointer-events: none;
  }
  .brushes svg {
    position: absolute;
    width: 100%;
    height: 100%;
  }
  .brush {
    position: absolute;
    left: 0;
    top: 0;
    box-sizing: border-box;
    border: 1px solid #fff;
    border-radius: 50%;
    outline: 1px solid rgba(0, 0, 0, 0.7);
  }
`;

/** The other end of a pen: `PointerEvent.button`, and its bit in `buttons`. */
const PEN_ERASER = 5;
const PEN_ERASER_HELD = 32;

export class LabelLayer {
  private at: Point | null = null;
  /** The pointer that draws. */
  private held: number | null = null;
  private readonly fingers = new Set<number>();

  constructor(
    private readonly desk: LabelDesk,
    private readonly pane: LabelPane,
  ) {
    desk.onChange(() => pane.request(), pane.signal);
  }

  /**
   * Listen before annotations and the pane's own gestures: a press that is ours goes no further.
   *
   * Fingers are seen by the gestures too, which do nothing with one and pinch with two.
   */
  attach(view: HTMLElement): void {
    const options = { signal: this.pane.signal, capture: true };
    view.addEventListener("pointerdown", (event) => this.down(view, event), options);
    view.addEventListener("pointermove", (event) => this.moved(view, event), options);
    view.addEventListener("pointerup", (event) => this.up(event), options);
    view.addEventListener("pointercancel", (event) => this.cancelled(event), options);
    view.addEventListener("pointerleave", () => this.hover(null), options);
    const held = { ...options, passive: false };
    view.addEventListener("touchstart", (e) => this.held !== null && e.preventDefault(), held);
    view.addEventListener("wheel", (event) => this.wheeled(event), held);
  }

  private down(view: HTMLElement, event: PointerEvent): void {
    const { section } = this.pane;
    const [target] = event.composedPath();
    const isControl = target instanceof Element && target.closest("button, input, .message");
    if (!this.desk.isInHand || !section || isControl) return;
    const isFinger = event.pointerType === "touch";
    if (isFinger && this.joins(event)) return;
    const isEraser = isPenEraser(event);
    if ((event.button !== 0 && !isEraser) || this.held !== null) {
      if (this.held !== null) event.stopImmediatePropagation(); // a palm beside a pen, too
      return;
    }
    this.held = event.pointerId;
    this.at = placeOf(view, event);
    if (view.isConnected) view.setPointerCapture(event.pointerId);
    this.pane.focus();
    this.desk.press(section, this.at, isEraser);
    if (isFinger) return;
    event.stopImmediatePropagation();
    event.preventDefault();
  }

  /** A finger beside another one: both pan and zoom, and what one has drawn is given up. */
  private joins(event: PointerEvent): boolean {
    const isPen = this.held !== null && !this.fingers.has(this.held);
    if (isPen) return false;
    this.fingers.add(event.pointerId);
    if (this.fingers.size < 2) return false;
    this.giveUp();
    return true;
  }

  private moved(view: HTMLElement, event: PointerEvent): void {
    if (!this.desk.isInHand && this.held === null) return;
    const { section } = this.pane;
    const isFinger = event.pointerType === "touch";
    if (this.held === event.pointerId && section) {
      const steps = event.getCoalescedEvents?.() ?? [];
      for (const one of steps.length ? steps : [event]) this.desk.move(section, placeOf(view, one));
      if (!isFinger) event.stopImmediatePropagation();
    }
    this.hover(isFinger && this.held !== event.pointerId ? null : placeOf(view, event));
  }

  private up(event: PointerEvent): void {
    const isFinger = this.fingers.delete(event.pointerId);
    if (this.held !== event.pointerId) return;
    this.held = null;
    this.desk.release(event.shiftKey);
    if (isFinger) this.hover(null);
    else event.stopImmediatePropagation();
  }

  private cancelled(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    if (this.held === event.pointerId) this.giveUp();
  }

  private giveUp(): void {
    this.held = null;
    this.at = null;
    this.desk.draft = null;
    this.pane.request();
  }

  private wheeled(event: WheelEvent): void {
    const { desk } = this;
    if (!event.shiftKey || !desk.isInHand || factsOf(desk.tool).gesture !== "brush") return;
    const delta = event.deltaY || event.deltaX; // with Shift some browsers say it is horizontal
    if (delta !== 0) desk.resize(delta < 0);
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  private hover(at: Point | null): void {
    this.at = at;
    if (this.desk.isInHand) this.pane.request();
  }

  /** The pointer over the picture; "" where it is not ours. */
  get cursor(): string {
    if (!this.desk.isInHand) return "";
    const { gesture } = factsOf(this.desk.tool);
    if (gesture === "apply") return "default";
    return gesture === "brush" ? "none" : "crosshair";
  }

  render(): TemplateResult | typeof nothing {
    const { desk } = this;
    const { section } = this.pane;
    const strokes = desk.draft ? [...desk.previews, desk.draft] : desk.previews;
    const here = strokes.filter(({ axis }) => axis === section?.axis);
    if (!section || (!desk.isInHand && here.length === 0)) return nothing;
    return html`<div class="brushes" aria-hidden="true">
      ${here.length > 0 ? html`<svg>${here.map((one) => this.stroke(one, section))}</svg>` : nothing}
      ${this.brush(section)}
    </div>`;
  }

  private stroke(one: Preview, section: Section): TemplateResult | typeof nothing {
    if (Math.round(one.points[0]?.[one.axis] ?? 0) !== section.slice) return nothing;
    const { gesture } = factsOf(one.tool);
    if (gesture === "click") return nothing;
    const [wide, high] = [
      this.desk.spacing(section.columnAxis),
      this.desk.spacing(section.rowAxis),
    ];
    // In world units: a round brush is drawn as the ellipse that it is on a stretched picture.
    const scale = `matrix(${section.scaleX / wide},0,0,${section.scaleY / high},${section.offsetX},${section.offsetY})`;
    const places = one.points.map((point) => {
      const { x, y } = section.planeOf(point);
      return `${x * wide},${y * high}`;
    });
    if (gesture === "outline") {
      return svg`<g transform=${scale}><polygon points=${places.join(" ")} fill="rgba(255,255,255,0.2)"
        stroke="#fff" vector-effect="non-scaling-stroke"></polygon></g>`;
    }
    const isEraser = one.tool === "erase";
    const colour = isEraser ? "rgba(255,255,255,0.35)" : this.pane.colourOf(one.label);
    const opacity = isEraser ? 0.5 : this.pane.opacityOf(one.label);
    const line = places.length > 1 ? places : [...places, ...places];
    return svg`<g transform=${scale} opacity=${opacity}><polyline points=${line.join(" ")} fill="none"
      stroke=${colour} stroke-width=${2 * one.radius} stroke-linecap="round"
      stroke-linejoin="round"></polyline></g>`;
  }

  private brush(section: Section): TemplateResult | typeof nothing {
    const { at, desk } = this;
    if (!at || !desk.isInHand || factsOf(desk.tool).gesture !== "brush") return nothing;
    const [rx, ry] = this.radii(section);
    const colour = desk.tool === "erase" ? "transparent" : this.pane.colourOf(desk.label);
    const place = styleMap({
      width: `${2 * rx}px`,
      height: `${2 * ry}px`,
      transform: `translate(${at.x - rx}px, ${at.y - ry}px)`,
      background: `color-mix(in srgb, ${colour} 25%, transparent)`,
    });
    return html`<div class="brush" style=${place}></div>`;
  }

  private radii(section: Section): [number, number] {
    const { desk } = this;
    return [
      Math.abs((desk.radius / desk.spacing(section.columnAxis)) * section.scaleX),
      Math.abs((desk.radius / desk.spacing(section.rowAxis)) * section.scaleY),
    ];
  }
}

function isPenEraser({ pointerType, button, buttons }: PointerEvent): boolean {
  return pointerType === "pen" && (button === PEN_ERASER || (buttons & PEN_ERASER_HELD) !== 0);
}

function placeOf(view: HTMLElement, event: PointerEvent): Point {
  const box = view.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}
