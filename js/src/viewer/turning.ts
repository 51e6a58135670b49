/** Handles at the ends of the crosshair's lines, by which the planes of the other panes are turned. */
import { css, html, nothing, type TemplateResult } from "lit";
import type { Point } from "../geometry";
import type { ViewState } from "../protocol";
import { cross, toIndex, type Vector } from "../sections";
import type { Voxel } from "./axes";
import type { ViewContext } from "./context";
import type { Crosshair, CrosshairLine } from "./crosshair";
import { planeOfScene, turnedPanes, uprightPanes } from "./planes";
import { pixelOf, type Scene } from "./scene";

/** Of the shorter side of the pane, from the crosshair. */
const REACH = 0.35;
const STEP = Math.PI / 180;
/** With Shift. */
const STEPS = 15 * STEP;

export const turningStyles = css`
  .turn {
    position: absolute;
    left: -10px;
    top: -10px;
    width: 20px;
    height: 20px;
    padding: 0;
    border: 0;
    border-radius: 50%;
    background: none;
    cursor: grab;
    touch-action: none;
    z-index: 1;
    forced-color-adjust: none;
  }
  .turn:active {
    cursor: grabbing;
  }
  .turn::before {
    content: "";
    position: absolute;
    inset: 4px;
    border-radius: 50%;
    border: 2px solid currentColor;
    background: rgba(12, 14, 17, 0.6);
    box-shadow: 0 0 0 1px rgba(12, 14, 17, 0.6);
  }
  .turn:hover::before,
  .turn:focus-visible::before {
    inset: 2px;
  }
  @media (pointer: coarse) {
    .turn {
      left: -22px;
      top: -22px;
      width: 44px;
      height: 44px;
    }
    .turn::before,
    .turn:hover::before,
    .turn:focus-visible::before {
      inset: 14px;
    }
  }
`;

/** A drag in progress: the panes as they were, and where the line lay. */
interface Drag {
  readonly scene: Scene;
  readonly voxel: Voxel;
  readonly whole: ViewState;
  readonly centre: Point;
  /** World angles in the pane's plane, from right towards down. */
  readonly from: number;
  readonly line: number;
}

export class Turning {
  private drag: Drag | null = null;

  constructor(
    private readonly context: ViewContext,
    private readonly atEvent: (event: PointerEvent) => Point,
  ) {}

  /** Handles of the lines that stand for planes of other panes; none where they cannot be turned. */
  handles(scene: Scene, voxel: Voxel, crosshair: Crosshair): TemplateResult | typeof nothing {
    const { context } = this;
    const { linked, maximised } = context.whole;
    const isFence = scene.grid?.section.kind === "fence";
    if (!linked || maximised || isFence || !context.actions.canDrive) return nothing;
    const { width, height } = context.ui.pane;
    const reach = REACH * Math.min(width, height);
    return html`${crosshair.lines
      .filter(({ pane }) => pane !== null)
      .flatMap((line) => [
        this.handle(scene, voxel, crosshair, line, reach),
        this.handle(scene, voxel, crosshair, line, -reach),
      ])}`;
  }

  private handle(
    scene: Scene,
    voxel: Voxel,
    { at }: Crosshair,
    { angle, colour }: CrosshairLine,
    reach: number,
  ): TemplateResult {
    const radians = (angle * Math.PI) / 180;
    const place = { x: at.x + reach * Math.cos(radians), y: at.y + reach * Math.sin(radians) };
    const words = "Turn the other planes";
    return html`<button
      class="turn"
      tabindex="-1"
      part="turn"
      aria-label=${words}
      title="${words}: drag, or ← →. Shift: by 15°. Double click or Esc: back to the slices."
      style="color:${colour};transform:translate(${place.x.toFixed(1)}px, ${place.y.toFixed(1)}px)"
      @pointerdown=${(e: PointerEvent) => this.grab(e, scene, voxel, at, place)}
      @pointermove=${(e: PointerEvent) => this.move(e)}
      @pointerup=${() => this.release()}
      @pointercancel=${() => this.release()}
      @dblclick=${() => this.reset()}
      @keydown=${(e: KeyboardEvent) => this.key(e, scene, voxel)}
    ></button>`;
  }

  private grab(event: PointerEvent, scene: Scene, voxel: Voxel, centre: Point, line: Point): void {
    if (event.button !== 0) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    const { whole } = this.context;
    const angle = (at: Point): number => worldAngle(scene, voxel, centre, at);
    const from = angle(this.atEvent(event));
    this.drag = { scene, voxel, whole, centre, from, line: angle(line) };
  }

  private move(event: PointerEvent): void {
    const { drag } = this;
    if (!drag) return;
    event.stopPropagation(); // with Shift, the crosshair would follow
    let by = worldAngle(drag.scene, drag.voxel, drag.centre, this.atEvent(event)) - drag.from;
    if (event.shiftKey) by = Math.round((drag.line + by) / STEPS) * STEPS - drag.line;
    this.turn(drag.scene, drag.voxel, drag.whole, by);
  }

  private turn(scene: Scene, voxel: Voxel, from: ViewState, radians: number): void {
    const { right, down } = planeOfScene(scene, voxel);
    const panes = turnedPanes(scene.volume, from, scene.base, cross(right, down), radians);
    this.context.take(() => this.context.actions.patch({ panes }));
  }

  private release(): void {
    this.drag = null;
  }

  private reset(): void {
    this.release();
    this.context.actions.patch({ panes: uprightPanes(this.context.whole) });
    this.context.say("Planes back to the slices");
  }

  private key(event: KeyboardEvent, scene: Scene, voxel: Voxel): void {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (way === undefined && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (way === undefined) this.reset();
    else this.turn(scene, voxel, this.context.whole, way * (event.shiftKey ? STEPS : STEP));
  }
}

/** Angle of a direction on the screen in the world, in the shown plane, from right towards down. */
function worldAngle(scene: Scene, voxel: Voxel, centre: Point, at: Point): number {
  const { right, down } = planeOfScene(scene, voxel);
  const [r, d] = [right, down].map((direction) => {
    const by = toIndex(scene.volume, direction);
    const end: Vector = [voxel[0] + by[0], voxel[1] + by[1], voxel[2] + by[2]];
    const { x, y } = pixelOf(scene, end);
    return { x: x - centre.x, y: y - centre.y };
  }) as [Point, Point];
  const [x, y] = [at.x - centre.x, at.y - centre.y];
  const area = r.x * d.y - r.y * d.x;
  return Math.atan2((r.x * y - r.y * x) / area, (x * d.y - y * d.x) / area);
}
