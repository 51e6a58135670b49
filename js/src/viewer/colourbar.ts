/** The colour bar at the right edge of a pane, with its numbers. */
import { html, nothing, type TemplateResult } from "lit";
import { gradient } from "./colours";
import type { ViewContext } from "./context";
import { channelOf, endText, highOf, isSigned, lowOf } from "./range";
import { lookOf } from "./recolour";
import { lettersOf } from "./rulers";
import type { Scene } from "./scene";

/** The bar needs this much room. */
const BAR_MIN_HEIGHT = 160;
const BAR_MIN_WIDTH = 200;

/** CSS pixels right of the bar: a patient's letters have their place there. */
export function barRoom(scene: Scene): number {
  const { length } = lettersOf(scene).letters[1] ?? "";
  return length > 0 ? 20 + 10 * length : 12;
}

/** A tip of the colour bar for what lies beyond it; a square below it for no value. */
function clip(where: string, colour: string | undefined): TemplateResult | typeof nothing {
  return colour ? html`<i class=${where} style="background:${colour}"></i>` : nothing;
}

/** What the colours mean; nothing where the pane is too small, or shows labels. */
export function colourBar(
  { ui, session }: ViewContext,
  scene: Scene,
): TemplateResult | typeof nothing {
  const { state } = session;
  const channel = channelOf(scene.info, ui.shown?.channel ?? state.channel);
  const tooSmall = ui.pane.height < BAR_MIN_HEIGHT || ui.pane.width < BAR_MIN_WIDTH;
  if (channel.is_label || tooSmall) return nothing;
  // The look of the picture on screen: a frame that is late keeps its own, unless it is recoloured.
  const range = ui.recoloured || !ui.shown ? state : lookOf(ui.shown, session);
  const withSign = isSigned(scene.info, channel);
  const ends = [highOf(range), range.level, lowOf(range)].map((v) => endText(v, range, withSign));
  const [high, middle, low] = ends;
  const title = channel.unit || "";
  const background = gradient(range.colormap, range.reverse, "top");
  return html`<div
    class="bar"
    role="img"
    style="right:${barRoom(scene)}px;background:${background}"
    aria-label="Colour scale ${low} to ${high} ${title}"
  >
    ${clip("above", range.above_color)} ${clip("below", range.below_color)}
    ${clip("without", range.no_value_color)}
    <span style="top:0">${high}${title ? html`&nbsp;${title}` : nothing}</span>
    <span style="top:50%">${middle}</span><span style="top:100%">${low}</span>
  </div>`;
}
