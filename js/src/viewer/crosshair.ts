/** The crosshair: where the slices across the two other axes cut the shown one. Drawn over the picture. */
import { css, html, type TemplateResult } from "lit";
import type { Point } from "../geometry";
import type { Place } from "../pointing";
import { cross, dot, normalOf, type Oblique, toIndex, unit } from "../sections";
import { planeColour, positionText, type Voxel } from "./axes";
import { type PlaneBeside, planeOfScene, planesBeside } from "./planes";
import { offSection, pixelOf, type Scene } from "./scene";

/** Free of lines about the point, so that the voxel is seen. */
export const GAP_PX = 14;

export interface CrosshairLine {
  readonly colour: string;
  /** Degrees clockwise from the screen's x, 0 to 180. */
  readonly angle: number;
  /** Number of the pane whose plane it stands for; null: of none that is shown. */
  readonly pane: number | null;
}

/** Of a line that stands for no plane. */
const NO_PLANE = "#fff";
const UPRIGHT: readonly CrosshairLine[] = [
  { colour: NO_PLANE, angle: 90, pane: null },
  { colour: NO_PLANE, angle: 0, pane: null },
];

export interface Crosshair {
  /** CSS pixels in the pane. */
  readonly at: Point;
  /** Each has the colour of the plane that it stands for. */
  readonly lines: readonly CrosshairLine[];
  readonly words: string;
}

/**
 * Where the lines of `voxel` lie in a pane that shows `scene`; null: on a fence, off its line.
 *
 * `others` are the planes that cut the shown one, those of its base axis left out.
 */
export function crosshairOf(
  scene: Scene,
  voxel: Voxel,
  others: readonly PlaneBeside[] = planesBeside(scene, voxel),
): Crosshair | null {
  const { volume, grid } = scene;
  const at = pixelOf(scene, voxel);
  const words = `Crosshair at ${positionText(volume, voxel)}`;
  if (grid?.section.kind === "fence") {
    return offSection(scene, voxel) > grid.columnStep ? null : { at, lines: UPRIGHT, words };
  }
  const lines = others.flatMap(({ plane, axis, pane }) => {
    const angle = angleOf(scene, voxel, at, plane);
    return angle === null ? [] : [{ colour: planeColour(volume, axis), angle, pane }];
  });
  return { at, lines, words };
}

/** Angle of the line where a plane cuts the shown one; null: it does not. */
function angleOf(scene: Scene, voxel: Voxel, at: Point, plane: Oblique): number | null {
  const along = cross(normalOf(planeOfScene(scene, voxel)), normalOf(plane));
  if (dot(along, along) < 1e-9) return null;
  const by = toIndex(scene.volume, unit(along));
  // As far as a voxel: lines of flat voxels are as exact as others.
  const step = 1 / Math.sqrt(dot(by, by));
  const next = pixelOf(scene, [
    voxel[0] + by[0] * step,
    voxel[1] + by[1] * step,
    voxel[2] + by[2] * step,
  ]);
  const degrees = (Math.atan2(next.y - at.y, next.x - at.x) * 180) / Math.PI;
  // A line that is upright but for the last bits is drawn on whole pixels.
  return (Math.round(((degrees + 360) % 180) * 1e6) / 1e6) % 180;
}

export const crosshairStyles = css`
  .crosshair {
    position: absolute;
    left: 0;
    top: 0;
    width: 1px;
    height: 1px;
    pointer-events: none;
    forced-color-adjust: none;
  }
  .linked {
    position: absolute;
    left: -7px;
    top: -7px;
    width: 14px;
    height: 14px;
    box-sizing: border-box;
    border: 2px solid #fff;
    border-radius: 50%;
    outline: 1px solid rgba(12, 14, 17, 0.8);
    box-shadow: inset 0 0 0 1px rgba(12, 14, 17, 0.8);
    pointer-events: none;
    forced-color-adjust: none;
  }
  .linked.off {
    opacity: 0.5;
    border-style: dotted;
  }
  .crosshair i {
    position: absolute;
    box-shadow: 0 0 0 1px rgba(12, 14, 17, 0.5);
  }
  .crosshair .up,
  .crosshair .down {
    left: 0;
    width: 1px;
    height: 8192px;
  }
  .crosshair .left,
  .crosshair .right {
    top: 0;
    height: 1px;
    width: 8192px;
  }
  .crosshair .up {
    bottom: 8px;
  }
  .crosshair .down {
    top: 8px;
  }
  .crosshair .left {
    right: 8px;
  }
  .crosshair .right {
    left: 8px;
  }
  .crosshair .slant {
    left: 8px;
    top: 0;
    height: 1px;
    width: 8192px;
    transform-origin: -7.5px 0.5px;
  }
`;

/** The lines; `pixelRatio` keeps them on whole device pixels. */
export function crosshairLines(crosshair: Crosshair, pixelRatio: number): TemplateResult {
  const { at, lines, words } = crosshair;
  const whole = (px: number): number => Math.floor(px * pixelRatio) / pixelRatio;
  return html`<div
    class="crosshair"
    part="crosshair"
    role="img"
    aria-label=${words}
    style="transform:translate(${whole(at.x)}px, ${whole(at.y)}px)"
  >
    ${lines.map(halves)}
  </div>`;
}

function halves({ colour, angle }: CrosshairLine): TemplateResult {
  const background = `background:${colour}`;
  if (angle === 90) {
    return html`<i class="up" style=${background}></i><i class="down" style=${background}></i>`;
  }
  if (angle === 0) {
    return html`<i class="left" style=${background}></i><i class="right" style=${background}></i>`;
  }
  const half = (degrees: number): TemplateResult =>
    html`<i class="slant" style="${background};transform:rotate(${degrees.toFixed(3)}deg)"></i>`;
  return html`${half(angle)}${half(angle + 180)}`;
}

/** Whether a place lies on another slice than the shown one, or off the shown section. */
export function isOffSlice(scene: Scene, place: NonNullable<Place>, slice: number): boolean {
  return scene.grid
    ? Math.abs(offSection(scene, place)) > scene.grid.columnStep / 2
    : Math.abs((place[scene.axis] ?? 0) - slice) > 0.5;
}

/** Where the pointer of a linked viewer is; paler where its place lies on another slice. */
export function linkedPointer(
  scene: Scene,
  place: NonNullable<Place>,
  slice: number,
): TemplateResult {
  const { x, y } = pixelOf(scene, place);
  const isOff = isOffSlice(scene, place, slice);
  return html`<div
    class="linked${isOff ? " off" : ""}"
    part="linked-pointer"
    aria-hidden="true"
    style="transform:translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)"
  ></div>`;
}

/** The same lines for a saved picture of `width` x `height` CSS pixels. */
export function drawCrosshair(
  brush: CanvasRenderingContext2D,
  { at, lines }: Crosshair,
  width: number,
  height: number,
): void {
  const [x, y, half] = [Math.floor(at.x) + 0.5, Math.floor(at.y) + 0.5, GAP_PX / 2];
  const far = width + height + Math.abs(x) + Math.abs(y);
  for (const halo of [true, false]) {
    brush.lineWidth = halo ? 3 : 1;
    for (const { colour, angle } of lines) {
      brush.strokeStyle = halo ? "rgba(12, 14, 17, 0.5)" : colour;
      for (const degrees of [angle, angle + 180]) {
        const radians = (degrees * Math.PI) / 180;
        // Not the cosine of a right angle, which is not quite 0.
        const [right, down] = [Math.cos(radians), Math.sin(radians)].map((v) =>
          Math.abs(v) < 1e-12 ? 0 : v,
        ) as [number, number];
        brush.beginPath();
        brush.moveTo(x + right * half, y + down * half);
        brush.lineTo(x + right * far, y + down * far);
        brush.stroke();
      }
    }
  }
  brush.lineWidth = 1;
}
