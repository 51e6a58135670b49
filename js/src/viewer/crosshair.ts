/** The crosshair: where the slices across the two other axes cut the shown one. Drawn over the picture. */
import { css, html, type TemplateResult } from "lit";
import type { Point } from "../geometry";
import type { Place } from "../pointing";
import { planeColour, positionText, type Voxel } from "./axes";
import { offSection, pixelOf, type Scene } from "./scene";

/** Free of lines about the point, so that the voxel is seen. */
export const GAP_PX = 14;

/** Of a line that stands for no slice. */
const NO_AXIS = "#fff";

export interface Crosshair {
  /** CSS pixels in the pane. */
  readonly at: Point;
  /** Each line has the colour of the plane that it stands for. */
  readonly vertical: string;
  readonly horizontal: string;
  readonly words: string;
}

/** Where the lines of `voxel` lie in a pane that shows `scene`. */
export function crosshairOf(scene: Scene, voxel: Voxel): Crosshair {
  const { volume, placement, grid } = scene;
  const { columnAxis, rowAxis } = placement.plane;
  const colour = (axis: number): string => (grid ? NO_AXIS : planeColour(volume, axis));
  return {
    at: pixelOf(scene, voxel),
    vertical: colour(columnAxis),
    horizontal: colour(rowAxis),
    words: `Crosshair at ${positionText(volume, voxel)}`,
  };
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
`;

/** The lines; `pixelRatio` keeps them on whole device pixels. */
export function crosshairLines(crosshair: Crosshair, pixelRatio: number): TemplateResult {
  const { at, vertical, horizontal, words } = crosshair;
  const whole = (px: number): number => Math.floor(px * pixelRatio) / pixelRatio;
  return html`<div
    class="crosshair"
    part="crosshair"
    role="img"
    aria-label=${words}
    style="transform:translate(${whole(at.x)}px, ${whole(at.y)}px)"
  >
    <i class="up" style="background:${vertical}"></i><i class="down" style="background:${vertical}"></i>
    <i class="left" style="background:${horizontal}"></i><i class="right" style="background:${horizontal}"></i>
  </div>`;
}

/** Where the pointer of a linked viewer is; paler where its place lies on another slice. */
export function linkedPointer(
  scene: Scene,
  place: NonNullable<Place>,
  slice: number,
): TemplateResult {
  const { x, y } = pixelOf(scene, place);
  const isOff = scene.grid
    ? Math.abs(offSection(scene, place)) > scene.grid.columnStep / 2
    : Math.abs((place[scene.axis] ?? 0) - slice) > 0.5;
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
  { at, vertical, horizontal }: Crosshair,
  width: number,
  height: number,
): void {
  const [x, y, half] = [Math.floor(at.x) + 0.5, Math.floor(at.y) + 0.5, GAP_PX / 2];
  const lines = [
    [vertical, x, 0, x, y - half],
    [vertical, x, y + half, x, height],
    [horizontal, 0, y, x - half, y],
    [horizontal, x + half, y, width, y],
  ] as const;
  for (const halo of [true, false]) {
    brush.lineWidth = halo ? 3 : 1;
    for (const [colour, x0, y0, x1, y1] of lines) {
      brush.strokeStyle = halo ? "rgba(12, 14, 17, 0.5)" : colour;
      brush.beginPath();
      brush.moveTo(x0, y0);
      brush.lineTo(x1, y1);
      brush.stroke();
    }
  }
  brush.lineWidth = 1;
}
