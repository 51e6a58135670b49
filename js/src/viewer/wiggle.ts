/** Wiggles: traces of a section as curves; of which traces there are some, and the words for it. */
import { placeSlice } from "../geometry";
import type { FrameHeader, ViewState, VolumeInfo } from "../protocol";
import { type DISPLAYS, WIGGLE_MIN_PX } from "../protocol";
import { gridOf } from "../sections";
import { channelOf } from "./range";

export type Display = (typeof DISPLAYS)[number];

/** What a section can be drawn as, in the order and words of the menus. */
export const DISPLAY_CHOICES: readonly (readonly [Display, string])[] = [
  ["density", "Variable density"],
  ["wiggle", "Wiggle, variable area"],
  ["wiggle+density", "Wiggle over density"],
];

/** In `FrameHeader.turn`. */
const WIGGLES_DRAWN = 16;

/** Why there can be no wiggles; "" if there can. */
export function noWiggleReason(info: VolumeInfo, state: ViewState): string {
  if (channelOf(info, state.channel).is_label) return "labels have no traces";
  // A section that stands upright is a seismic one; its columns are the traces.
  const isUpright = state.section
    ? gridOf(info, state.section).info.kind === "seismic"
    : info.kind === "seismic" && state.axis !== 2;
  return isUpright ? "" : "no traces in this plane";
}

/** Whether the state asks for wiggles, and there can be some. */
export function hasWiggles(info: VolumeInfo, state: ViewState): boolean {
  return state.display !== "density" && noWiggleReason(info, state) === "";
}

/** Whether ink of wiggles lies over the colours of a picture. */
export function showsWiggles({ turn }: FrameHeader): boolean {
  return (turn & WIGGLES_DRAWN) !== 0;
}

/** Of how many traces one is drawn; as `wiggle_step` of core/wiggle.py. */
export function wiggleStep(info: VolumeInfo, state: ViewState): number {
  const placed = placeSlice(info, state.axis, state);
  const tracePx =
    placed.plane.rowAxis === 2 ? placed.width / placed.nColumns : placed.height / placed.nRows;
  return 2 ** Math.max(0, Math.ceil(Math.log2(WIGGLE_MIN_PX / tracePx)));
}

/** "Wiggle, every 4th trace" where a pane shows wiggles; why not where it should and cannot. */
export function wiggleText(info: VolumeInfo, state: ViewState): string {
  if (state.display === "density") return "";
  const reason = noWiggleReason(info, state);
  if (reason) return `Density: ${reason}`;
  const step = wiggleStep(info, state);
  const polarity = state.wiggle_polarity === "reverse" ? ", reverse polarity" : "";
  return `Wiggle${step === 1 ? "" : `, every ${ordinal(step)} trace`}${polarity}`;
}

/** Of powers of two from 2 on. */
function ordinal(n: number): string {
  const isTeen = n % 100 > 10 && n % 100 < 20;
  return `${n}${n % 10 === 2 && !isTeen ? "nd" : "th"}`;
}

/** What comes after a display, around the circle. */
export function nextDisplay(display: string): Display {
  const at = DISPLAY_CHOICES.findIndex(([name]) => name === display);
  return DISPLAY_CHOICES[(at + 1) % DISPLAY_CHOICES.length]?.[0] ?? "density";
}
