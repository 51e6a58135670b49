/** Fences: picked point by point on a horizontal slice, shown there as a line whose nodes can be dragged. */
import { css, html, nothing, svg, type TemplateResult } from "lit";
import type { Point } from "../geometry";
import { paneState } from "../panes";
import { FENCE_MAX_NODES, type PaneState, type ViewPatch, type ViewState } from "../protocol";
import { horizontalAxes, type Vector, verticalAxis } from "../sections";
import type { ViewContext } from "./context";
import { clamp } from "./format";
import { pixelOf, placeAt, type Scene } from "./scene";

/** Indices along the two horizontal axes. */
export type Node = readonly [number, number];

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** Nodes nearer than this, in voxels, are one. */
const APART = 0.01;

export const fenceStyles = css`
  .fence {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    overflow: visible;
    pointer-events: none;
    forced-color-adjust: none;
  }
  .fence .halo {
    stroke: rgba(12, 14, 17, 0.6);
    stroke-width: 4;
  }
  .fence .line {
    stroke: #fff;
    stroke-width: 1.5;
  }
  .fence polyline {
    fill: none;
    stroke-linejoin: round;
  }
  .fence text {
    fill: #fff;
    stroke: rgba(12, 14, 17, 0.8);
    stroke-width: 3;
    paint-order: stroke;
    font-size: 11px;
    font-weight: 600;
  }
  .node {
    position: absolute;
    left: -9px;
    top: -9px;
    width: 18px;
    height: 18px;
    padding: 0;
    border: 0;
    background: none;
    cursor: move;
    touch-action: none;
    z-index: 1;
    forced-color-adjust: none;
  }
  .node::before {
    content: "";
    position: absolute;
    inset: 4px;
    border: 2px solid #fff;
    background: rgba(12, 14, 17, 0.7);
    box-shadow: 0 0 0 1px rgba(12, 14, 17, 0.7);
  }
  .node:hover::before,
  .node:focus-visible::before {
    inset: 2px;
  }
  .fencing {
    left: 50%;
    bottom: 12px;
    transform: translateX(-50%);
    height: 28px;
    pointer-events: auto;
  }
  .fencing button {
    color: inherit;
    font: inherit;
    font-weight: 600;
    height: 100%;
    padding: 0 6px;
  }
  .fencing button:disabled {
    opacity: 0.5;
  }
  @media (pointer: coarse) {
    .node {
      left: -22px;
      top: -22px;
      width: 44px;
      height: 44px;
    }
    .node::before,
    .node:hover::before,
    .node:focus-visible::before {
      inset: 16px;
    }
    .fencing {
      height: 44px;
    }
  }
`;

/** Can the points of a fence be picked on this picture? */
export function isHorizontal({ volume, base, grid }: Scene): boolean {
  return grid === null && base === verticalAxis(volume);
}

/** Number of the pane that shows a fence; -1: none does. */
function fencePane(panes: readonly PaneState[]): number {
  return panes.findIndex(({ section }) => section?.kind === "fence");
}

/** Take in hand, or put away, the tool that picks a fence. */
export function startFence(context: ViewContext): void {
  context.set({ fence: [] });
  context.ask("focus");
  context.say("Fence: click its points on a time slice, then Enter");
}

/** A click while a fence is picked. */
export function addNode(context: ViewContext, at: Point): void {
  const scene = context.labelled();
  const nodes = context.ui.fence ?? [];
  if (!scene || !isHorizontal(scene)) {
    context.note("The points of a fence are picked on a horizontal slice.");
    return;
  }
  const node = nodeAt(scene, at);
  if (nodes.some((other) => isSame(other, node))) return;
  if (nodes.length >= FENCE_MAX_NODES) {
    context.note(`A fence has at most ${FENCE_MAX_NODES} points.`);
    return;
  }
  context.set({ fence: [...nodes, node] });
  context.say(`Point ${nodes.length + 1}`);
}

/** Show the fence that was picked, unrolled. */
export function finishFence(context: ViewContext): void {
  const points = context.ui.fence ?? [];
  const { info } = context.session;
  if (!info) return;
  if (points.length < 2) {
    context.note("A fence needs two points.", "Click them on a horizontal slice.");
    return;
  }
  context.set({ fence: null, tool: "navigate" });
  const [first] = horizontalAxes(info);
  context.actions.patch(fencePatch(context.whole, points, first, verticalAxis(info)));
  context.say(`Fence with ${points.length} points`);
}

/**
 * In the pane that has a fence; else in the first that shows no horizontal slice; a pane that is alone
 * gets one beside it.
 */
export function fencePatch(
  state: ViewState,
  points: readonly Node[],
  axis: number,
  vertical: number,
): ViewPatch {
  const shown = { section: { kind: "fence", points }, zoom: 1, pan: [0.5, 0.5] } as const;
  const panes = state.panes.map((_, index) => paneState(state, index));
  if (panes.length === 0) {
    const map = paneState(state, 0);
    return { layout: "1x2", linked: true, active: 0, panes: [map, { ...map, axis, ...shown }] };
  }
  const found = fencePane(panes);
  const upright = panes.findIndex((pane) => pane.axis !== vertical);
  const other = panes.findIndex((_, index) => index !== state.active);
  const index = [found, upright, other].find((candidate) => candidate >= 0) ?? 0;
  return { panes: panes.map((pane, i) => (i === index ? { ...pane, ...shown } : pane)) };
}

/** Keys while a fence is picked; false: none of its own. */
export function fenceKey(context: ViewContext, { key }: KeyboardEvent): boolean {
  const { fence, tool } = context.ui;
  if (tool !== "fence" || (key !== "Enter" && key !== "Backspace")) return false;
  if (key === "Enter") finishFence(context);
  else context.set({ fence: (fence ?? []).slice(0, -1) });
  return true;
}

function isSame(a: Node, b: Node): boolean {
  return Math.hypot(a[0] - b[0], a[1] - b[1]) < APART;
}

/** Where in the volume a point of the pane lies, as a node inside it. */
function nodeAt(scene: Scene, at: Point): Node {
  const place = placeAt(scene, at, 0);
  const [x, y] = horizontalAxes(scene.volume).map((axis) =>
    clamp(place[axis as 0] ?? 0, 0, (scene.volume.axes[axis]?.n ?? 1) - 1),
  );
  return [x ?? 0, y ?? 0];
}

function pixelOfNode(scene: Scene, node: Node): Point {
  const [x, y] = horizontalAxes(scene.volume);
  const place: [number, number, number] = [0, 0, 0];
  place[x as 0] = node[0];
  place[y as 0] = node[1];
  return pixelOf(scene, place as Vector);
}

/** The line and nodes of the fence over a pane's picture. */
export class FenceMarks {
  private dragged: number | null = null;

  constructor(
    private readonly context: ViewContext,
    private readonly atEvent: (event: PointerEvent) => Point,
  ) {}

  render(scene: Scene): TemplateResult | typeof nothing {
    if (scene.grid?.section.kind === "fence") return uprights(scene);
    if (!isHorizontal(scene)) return nothing;
    const { fence } = this.context.ui;
    if (fence) return html`${line(scene, fence, false)}${this.bar(fence)}`;
    const { panes } = this.context.whole;
    const section = panes[fencePane(panes)]?.section;
    if (section?.kind !== "fence") return nothing;
    return html`${line(scene, section.points, true)}
    ${section.points.map((node, i) => this.node(scene, section.points, node, i))}`;
  }

  private bar(nodes: readonly Node[]): TemplateResult {
    const { context } = this;
    const count = nodes.length === 1 ? "1 point" : `${nodes.length} points`;
    return html`<div class="label fencing" part="fencing">
      Fence: ${count}
      <button ?disabled=${nodes.length < 2} @click=${() => finishFence(context)} title="Show it (Enter)">
        Done
      </button>
      <button @click=${() => context.pick("navigate")} title="Cancel (Esc)">Cancel</button>
    </div>`;
  }

  private node(
    scene: Scene,
    points: readonly Node[],
    node: Node,
    index: number,
  ): TemplateResult | typeof nothing {
    if (!this.context.actions.canDrive) return nothing;
    const { x, y } = pixelOfNode(scene, node);
    const words = `Node ${index + 1} of the fence`;
    return html`<button
      class="node"
      tabindex="-1"
      part="node"
      aria-label=${words}
      title="${words}: drag, or arrows. Del takes it out."
      style="transform:translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)"
      @pointerdown=${(e: PointerEvent) => {
        if (e.button !== 0) return;
        (e.currentTarget as Element).setPointerCapture(e.pointerId);
        this.dragged = index;
      }}
      @pointermove=${(e: PointerEvent) => {
        if (this.dragged !== index) return;
        e.stopPropagation(); // with Shift, the crosshair would follow
        this.put(points, index, nodeAt(scene, this.atEvent(e)));
      }}
      @pointerup=${() => this.release()}
      @pointercancel=${() => this.release()}
      @keydown=${(e: KeyboardEvent) => this.key(e, scene, points, index)}
    ></button>`;
  }

  private release(): void {
    this.dragged = null;
  }

  private key(event: KeyboardEvent, scene: Scene, points: readonly Node[], index: number): void {
    const by = ARROWS[event.key];
    const isOut = event.key === "Delete" || event.key === "Backspace";
    const node = points[index];
    if ((!by && !isOut) || !node) return;
    event.preventDefault();
    event.stopPropagation();
    if (by) {
      const { x, y } = pixelOfNode(scene, node);
      const next = pixelOfNode(scene, [node[0] + 1, node[1] + 1]);
      const [wide, high] = [Math.abs(next.x - x), Math.abs(next.y - y)];
      this.put(points, index, nodeAt(scene, { x: x + by[0] * wide, y: y + by[1] * high }));
    } else if (points.length > 2) this.show(points.filter((_, i) => i !== index));
    else this.context.note("A fence needs two points.");
  }

  private put(points: readonly Node[], index: number, node: Node): void {
    if (points.some((other, i) => i !== index && isSame(other, node))) return;
    this.show(points.map((other, i) => (i === index ? node : other)));
  }

  private show(points: readonly Node[]): void {
    const { whole, actions } = this.context;
    const panes = whole.panes.map((_, index) => paneState(whole, index));
    const index = fencePane(panes);
    const section = { kind: "fence", points } as const;
    actions.patch({ panes: panes.map((pane, i) => (i === index ? { ...pane, section } : pane)) });
  }
}

function line(scene: Scene, nodes: readonly Node[], numbered: boolean): TemplateResult {
  const pixels = nodes.map((node) => pixelOfNode(scene, node));
  const points = pixels.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return html`<svg class="fence" part="fence" aria-hidden="true">
    ${svg`<polyline class="halo" points=${points}></polyline><polyline class="line" points=${points}></polyline>`}
    ${pixels.map(({ x, y }, i) =>
      numbered
        ? svg`<text x=${(x + 10).toFixed(1)} y=${(y - 8).toFixed(1)}>${i + 1}</text>`
        : svg`<circle cx=${x.toFixed(1)} cy=${y.toFixed(1)} r="4" class="line"></circle>`,
    )}
  </svg>`;
}

/** Where the nodes are on the unrolled fence. */
function uprights({ grid, placement, fit }: Scene): TemplateResult | typeof nothing {
  if (!grid) return nothing;
  const at = (column: number, row: number): Point => {
    const isTurned = placement.plane.columnAxis > placement.plane.rowAxis;
    const { x, y } = isTurned ? placement.toPixel(row, column) : placement.toPixel(column, row);
    return { x: fit.x + x * fit.scale, y: fit.y + y * fit.scale };
  };
  return html`<svg class="fence" part="fence" aria-hidden="true">
    ${grid.nodes.map((column, i) => {
      const [top, end] = [at(column, -0.5), at(column, grid.nRows - 0.5)];
      const [x1, y1, x2, y2] = [top.x, top.y, end.x, end.y].map((v) => v.toFixed(1));
      const words = [(top.x + 4).toFixed(1), (Math.max(top.y, 0) + 80).toFixed(1)];
      return svg`<line class="halo" x1=${x1} y1=${y1} x2=${x2} y2=${y2}></line>
        <line class="line" x1=${x1} y1=${y1} x2=${x2} y2=${y2}></line>
        <text x=${words[0]} y=${words[1]}>${i + 1}</text>`;
    })}
  </svg>`;
}
