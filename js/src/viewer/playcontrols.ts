/** What the bars of slices and of time have in common: how quickly they play, and their sliders' keys. */
import { html, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { type Cine, SPEEDS } from "./cine";
import { icon } from "./icons";

const PAGE = 10;

/** What a bar plays: "Slices", and where it turns round: "the end". */
export interface PlayWords {
  readonly what: string;
  readonly end: string;
}

/** Speed, and what is done at the end; shown while it plays. */
export function playControls(cine: Cine, { what, end }: PlayWords): TemplateResult {
  const bounce = cine.end === "bounce";
  return html`<select
      aria-label="${what} per second"
      title="${what} per second (, slower . faster)"
      @change=${(e: Event) => {
        cine.framesPerSecond = Number((e.target as HTMLSelectElement).value);
      }}
    >
      ${SPEEDS.map(
        (speed) =>
          html`<option value=${speed} .selected=${live(speed === cine.framesPerSecond)}>${speed}/s</option>`,
      )}
    </select>
    <button
      class="tool medium"
      aria-label="At ${end}, turn round"
      title=${bounce ? `Turns round at ${end}` : `Starts again at ${end}`}
      aria-pressed=${bounce ? "true" : "false"}
      @click=${() => cine.setEnd(bounce ? "loop" : "bounce")}
    >
      ${icon(bounce ? "bounce" : "loop")}
    </button>`;
}

/** How far a key moves a slider of `count` places; the browser's own goes back for "down". */
export function sliderSteps(event: KeyboardEvent, count: number): number | null {
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowRight: 1,
    ArrowUp: -1,
    ArrowLeft: -1,
    PageDown: PAGE,
    PageUp: -PAGE,
    Home: -count,
    End: count,
  };
  const by = steps[event.key];
  if (by === undefined || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) {
    return null;
  }
  event.preventDefault();
  return by;
}
