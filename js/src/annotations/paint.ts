/** Draws annotations on a canvas: lines with a halo, handles, the pointer of the keyboard. */
import type { Point } from "../geometry";
import { gridFor } from "./grids";
import { insertsOf } from "./hit";
import { asSlice, type Presence, type Section } from "./section";
import { handlesOf, helpLineOf, isRegion, type Outline, strokesOf } from "./shape";
import type { Annotation } from "./types";

export interface Look {
  readonly presence: Presence;
  readonly selected: boolean;
  readonly hovered: boolean;
  /** Handles are shown: it may be changed. */
  readonly handles: boolean;
  /** Ring around the handles: the theme's accent. */
  readonly accent: string;
}

const HALO = "rgba(12, 14, 17, 0.62)";
const HALO_PX = 2.5;
const HANDLE_PX = 4.5;
const FAINT = 0.55;

function trace(brush: CanvasRenderingContext2D, { chain, closed }: Outline): void {
  chain.forEach(({ x, y }, i) => {
    if (i === 0) brush.moveTo(x, y);
    else brush.lineTo(x, y);
  });
  if (closed) brush.closePath();
}

function circle(brush: CanvasRenderingContext2D, { x, y }: Point, radius: number): void {
  brush.beginPath();
  brush.arc(x, y, radius, 0, 2 * Math.PI);
}

/** A point: a cross with a gap, so that the voxel is seen. */
function pointStrokes({ x, y }: Point): Outline[] {
  return [
    [x - 9, y, x - 3, y],
    [x + 3, y, x + 9, y],
    [x, y - 9, x, y - 3],
    [x, y + 3, x, y + 9],
  ].map(([x0 = 0, y0 = 0, x1 = 0, y1 = 0]) => ({
    chain: [
      { x: x0, y: y0 },
      { x: x1, y: y1 },
    ],
    closed: false,
  }));
}

function linesOf(item: Annotation, section: Section): readonly Outline[] {
  const [first] = item.points;
  if (item.kind === "point" && first) return pointStrokes(section.toPixel(first));
  if (item.kind === "text") return [];
  return strokesOf(item, section);
}

/** The depth of a followed horizon, on the time slices that it lies on. */
export function drawMap(brush: CanvasRenderingContext2D, item: Annotation, section: Section): void {
  const slice = asSlice(section);
  if (slice?.axis === 2 && slice.presence(item) === "on") gridFor(item)?.paint(brush, slice);
}

/** The lines of an annotation; `look` says how it is seen. */
export function drawItem(
  brush: CanvasRenderingContext2D,
  item: Annotation,
  section: Section,
  look: Look,
): void {
  const lines = linesOf(item, section);
  brush.globalAlpha = look.presence === "near" ? FAINT : 1;
  brush.setLineDash(look.presence === "near" ? [6, 5] : []);
  brush.lineJoin = "round";
  brush.lineCap = "round";
  const emphasis = look.hovered && !look.selected ? 1 : 0;
  brush.beginPath();
  for (const line of lines) trace(brush, line);
  brush.strokeStyle = HALO;
  brush.lineWidth = item.width + HALO_PX + emphasis;
  brush.stroke();
  brush.strokeStyle = item.color;
  brush.lineWidth = item.width + emphasis;
  brush.stroke();
  drawDots(brush, item, section);
  drawHelp(brush, item, section);
  brush.setLineDash([]);
  brush.globalAlpha = 1;
  if (look.handles) drawHandles(brush, item, section, look);
  else if (look.selected) drawLock(brush, item, section, look.accent);
}

/** Picks of a horizon and of a fault are places of their own: they are seen. */
function drawDots(brush: CanvasRenderingContext2D, item: Annotation, section: Section): void {
  const isPicked = item.kind === "horizon" || item.kind === "fault";
  if (!isPicked && item.points.length > 1) return;
  if (item.kind === "text" || item.kind === "point") return;
  for (const place of handlesOf(item, section)) {
    if (!place) continue;
    circle(brush, place, 3 + item.width / 2);
    brush.fillStyle = HALO;
    brush.fill();
    circle(brush, place, 1.5 + item.width / 2);
    brush.fillStyle = item.color;
    brush.fill();
  }
}

function drawHelp(brush: CanvasRenderingContext2D, item: Annotation, section: Section): void {
  const [from, to] = helpLineOf(item, section);
  if (!from || !to) return;
  dotted(brush, from, to, item.color);
}

/** A dotted line, from a label to its shape or between two lines. */
export function dotted(
  brush: CanvasRenderingContext2D,
  from: Point,
  to: Point,
  color: string,
): void {
  brush.setLineDash([2, 4]);
  for (const [style, width] of [
    [HALO, 3],
    [color, 1],
  ] as const) {
    brush.strokeStyle = style;
    brush.lineWidth = width;
    brush.beginPath();
    brush.moveTo(from.x, from.y);
    brush.lineTo(to.x, to.y);
    brush.stroke();
  }
  brush.setLineDash([]);
}

function drawHandles(
  brush: CanvasRenderingContext2D,
  item: Annotation,
  section: Section,
  { accent, selected }: Look,
): void {
  const places = handlesOf(item, section);
  const every = Math.ceil(places.length / 400); // a stroke of thousands of points is not a string of pearls
  brush.lineWidth = 2;
  places.forEach((place, i) => {
    if (!place || i % every > 0) return;
    circle(brush, place, HANDLE_PX + 1.5);
    brush.fillStyle = HALO;
    brush.fill();
    circle(brush, place, HANDLE_PX);
    brush.fillStyle = "#ffffff";
    brush.fill();
    brush.strokeStyle = selected ? accent : item.color;
    brush.stroke();
  });
  for (const place of insertsOf(item, section)) if (place) drawPlus(brush, place);
}

function drawPlus(brush: CanvasRenderingContext2D, { x, y }: Point): void {
  brush.beginPath();
  brush.moveTo(x - 4, y);
  brush.lineTo(x + 4, y);
  brush.moveTo(x, y - 4);
  brush.lineTo(x, y + 4);
  for (const [style, width] of [
    [HALO, 4],
    ["#ffffff", 1.5],
  ] as const) {
    brush.strokeStyle = style;
    brush.lineWidth = width;
    brush.stroke();
  }
}

/** Selected, but not to be changed: squares instead of rings. */
function drawLock(
  brush: CanvasRenderingContext2D,
  item: Annotation,
  section: Section,
  accent: string,
): void {
  for (const place of handlesOf(item, section).slice(0, 100)) {
    if (!place) continue;
    const { x, y } = place;
    brush.fillStyle = HALO;
    brush.fillRect(x - 4.5, y - 4.5, 9, 9);
    brush.fillStyle = accent;
    brush.fillRect(x - 3, y - 3, 6, 6);
  }
}

/** The pointer of the keyboard: a cross over the whole pane would hide the picture. */
export function drawPen(brush: CanvasRenderingContext2D, { x, y }: Point): void {
  brush.beginPath();
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const) {
    brush.moveTo(x + dx * 5, y + dy * 5);
    brush.lineTo(x + dx * 16, y + dy * 16);
  }
  for (const [style, width] of [
    [HALO, 4.5],
    ["#ffffff", 1.5],
  ] as const) {
    brush.strokeStyle = style;
    brush.lineWidth = width;
    brush.stroke();
  }
}

/** The inside of what is chosen, so faint that values below stay readable. */
export function fillRegion(
  brush: CanvasRenderingContext2D,
  item: Annotation,
  section: Section,
): void {
  if (!isRegion(item)) return;
  const [outline] = strokesOf(item, section);
  if (!outline) return;
  brush.beginPath();
  trace(brush, outline);
  brush.globalAlpha = 0.08;
  brush.fillStyle = item.color;
  brush.fill("evenodd");
  brush.globalAlpha = 1;
}
