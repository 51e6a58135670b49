/** What the lists of segmentations and overlays share: eyes, sliders of opacity. */
import { html, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { ViewContext } from "./context";
import { icon } from "./icons";

/** Shows whether something is drawn, and changes it. */
export function eye(
  context: ViewContext,
  shown: boolean,
  of: string,
  key: string,
  act: (event: MouseEvent) => void,
): TemplateResult {
  const title = `${shown ? "Hide" : "Show"} ${of}${key ? ` (${key})` : ""}`;
  return html`<button
    class="tool"
    aria-label=${`Show ${of}`}
    aria-pressed=${shown ? "true" : "false"}
    title=${title}
    ?disabled=${!context.actions.canDrive}
    @click=${act}
  >
    ${icon(shown ? "eye" : "hidden")}
  </button>`;
}

/** A slider with its percentage behind it. */
export function opacitySlider(
  context: ViewContext,
  name: string,
  opacity: number,
  act: (opacity: number) => void,
): TemplateResult {
  return html`${opacityBar(context, name, opacity, act)}
    <span class="percent">${Math.round(opacity * 100)} %</span>`;
}

/** The slider alone. */
export function opacityBar(
  context: ViewContext,
  name: string,
  opacity: number,
  act: (opacity: number) => void,
): TemplateResult {
  const percent = Math.round(opacity * 100);
  return html`<input
      type="range"
      min="0"
      max="100"
      .value=${live(String(percent))}
      aria-label=${`Opacity of ${name}`}
      aria-valuetext=${`${percent} %`}
      title=${`Opacity ${percent} %`}
      ?disabled=${!context.actions.canDrive}
      @input=${(e: Event) => act(Number((e.target as HTMLInputElement).value) / 100)}
    />`;
}
