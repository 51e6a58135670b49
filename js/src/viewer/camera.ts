/** Zoom, pan and the pane's own pixels: pure arithmetic on views of one slice. */
import { type PaneView, type Placement, type Point, placeSlice, type Turn } from "../geometry";
import type { FrameHeader, ViewState, VolumeInfo } from "../protocol";
import { MIN_VOXELS_SHOWN, PANE_MAX_PIXELS, PANE_MAX_PX, PANE_MIN_PX, ZOOM_MAX } from "../protocol";
import type { Section } from "../sections";
import { clamp } from "./format";

/** Smallest zoom that gestures reach: a picture smaller than that is lost, not overviewed. */
const GESTURE_ZOOM_MIN = 0.25;

/** The part of the page that shows the picture, in CSS pixels. */
export interface Pane {
  readonly width: number;
  readonly height: number;
  /** Device pixels per CSS pixel. */
  readonly pixelRatio: number;
}

/** What of the state a zoom or pan changes. */
export interface Camera {
  readonly zoom: number;
  readonly pan: readonly [number, number];
}

/**
 * Where pictures of one size lie in the pane: CSS pixels = offset + scale * picture pixels.
 *
 * A pane whose size is not that of the picture (a second view of the same stream) shows it whole,
 * with borders.
 */
export interface Fit {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export function fitPicture(picture: PaneView, pane: Pane): Fit {
  const own = pictureSize(pane);
  const atFullSize = own.width_px >= Math.round(pane.width * pane.pixelRatio);
  if (picture.width_px === own.width_px && picture.height_px === own.height_px && atFullSize) {
    // One picture pixel is one device pixel; the last one may be cut, the sizes being even.
    return { scale: 1 / pane.pixelRatio, x: 0, y: 0 };
  }
  const scale = Math.min(pane.width / picture.width_px, pane.height / picture.height_px);
  return {
    scale,
    x: (pane.width - picture.width_px * scale) / 2,
    y: (pane.height - picture.height_px * scale) / 2,
  };
}

/** Even picture size in device pixels for a pane, within what the server accepts. */
export function pictureSize(pane: Pane): { width_px: number; height_px: number } {
  const wide = pane.width * pane.pixelRatio;
  const high = pane.height * pane.pixelRatio;
  const shrink = Math.min(
    1,
    Math.sqrt(PANE_MAX_PIXELS / (wide * high)),
    PANE_MAX_PX / wide,
    PANE_MAX_PX / high,
  );
  const even = (length: number): number => {
    const pairs =
      shrink < 1 ? Math.floor((length * shrink) / 2) : Math.ceil(Math.round(length) / 2);
    return clamp(pairs * 2, PANE_MIN_PX, PANE_MAX_PX);
  };
  return { width_px: even(wide), height_px: even(high) };
}

interface WithSection {
  readonly section: Section | null;
}

/** Bits of `FrameHeader.turn`. */
const WIGGLES_DRAWN = 16;
const SECTION_CODES = { oblique: 32, fence: 64 } as const;

/** The view that a frame shows; which section that is, the state says. */
export function viewOf(
  header: FrameHeader,
  { section }: WithSection = { section: null },
): PaneView {
  return {
    section: section?.kind === sectionKind(header) ? section : null,
    zoom: header.zoom,
    pan: [header.pan_x, header.pan_y],
    stretch: header.stretch,
    width_px: header.width_px,
    height_px: header.height_px,
    north_up: header.is_north_up !== 0,
    rotation: (header.turn & 3) * 90,
    flip_x: (header.turn & 4) !== 0,
    flip_y: (header.turn & 8) !== 0,
  };
}

/** How a view turns its slice, as a frame's header says it; and whether that is a section. */
export function turnCode({ rotation, flip_x, flip_y, section }: Turn & WithSection): number {
  const turn = rotation / 90 + (flip_x ? 4 : 0) + (flip_y ? 8 : 0);
  return turn + (section ? SECTION_CODES[section.kind] : 0);
}

/** What kind of section a frame shows, if any. */
export function sectionKind(header: FrameHeader): Section["kind"] | null {
  if (header.turn & SECTION_CODES.oblique) return "oblique";
  return header.turn & SECTION_CODES.fence ? "fence" : null;
}

/** Is the frame of the plane that the state wants, laid on the screen as it wants it? */
export function isSamePlane(header: FrameHeader, state: ViewState): boolean {
  return (
    header.axis === state.axis &&
    (header.is_north_up !== 0) === state.north_up &&
    (header.turn & ~WIGGLES_DRAWN) === turnCode(state)
  );
}

/** Largest zoom that still shows a few voxels. */
export function zoomLimit(info: VolumeInfo, axis: number, view: PaneView): number {
  const whole = placeSlice(info, axis, { ...view, zoom: 1 });
  const columns = (whole.nColumns * view.width_px) / whole.width;
  const rows = (whole.nRows * view.height_px) / whole.height;
  return clamp(Math.max(columns, rows) / MIN_VOXELS_SHOWN, 1, ZOOM_MAX);
}

function keepInSight(fraction: number): number {
  return clamp(fraction, 0, 1);
}

/** Zoom by `factor` so that what lies under `at` (picture pixels) stays there. */
export function zoomAt(info: VolumeInfo, state: ViewState, factor: number, at: Point): Camera {
  const before = placeSlice(info, state.axis, state);
  const limit = zoomLimit(info, state.axis, state);
  const zoom = clamp(state.zoom * factor, Math.min(GESTURE_ZOOM_MIN, state.zoom), limit);
  const grown = zoom / state.zoom;
  const u = (at.x - before.x0) / before.width;
  const v = (at.y - before.y0) / before.height;
  return {
    zoom,
    pan: [
      keepInSight(u - (at.x - state.width_px / 2) / (before.width * grown)),
      keepInSight(v - (at.y - state.height_px / 2) / (before.height * grown)),
    ],
  };
}

/** Pan so that the slice moves by (dx, dy) picture pixels with the hand. */
export function panBy(info: VolumeInfo, state: ViewState, dx: number, dy: number): Camera {
  const placed = placeSlice(info, state.axis, state);
  return {
    zoom: state.zoom,
    pan: [
      keepInSight(state.pan[0] - dx / placed.width),
      keepInSight(state.pan[1] - dy / placed.height),
    ],
  };
}

/** CSS transform that carries a picture drawn for `from` to where `to` wants it; null = as it is. */
export interface Shift {
  readonly x: number;
  readonly y: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

export function shiftBetween(from: Placement, to: Placement): Shift | null {
  const scaleX = to.width / from.width;
  const scaleY = to.height / from.height;
  const x = to.x0 - from.x0 * scaleX;
  const y = to.y0 - from.y0 * scaleY;
  // The header carries 32-bit floats: what is less than a twentieth of a pixel is rounding.
  const far = Math.abs(from.x0) + from.width + Math.abs(from.y0) + from.height;
  const noise = Math.max(0.05, far * 2e-6);
  const still =
    Math.abs(x) < noise &&
    Math.abs(y) < noise &&
    Math.abs(scaleX - 1) * from.width < noise &&
    Math.abs(scaleY - 1) * from.height < noise;
  return still ? null : { x, y, scaleX, scaleY };
}
