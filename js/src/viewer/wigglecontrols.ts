/** In the side panel: colours or wiggles, and how these are drawn. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { EXCURSION_MAX, EXCURSION_MIN } from "../protocol";
import type { ViewContext } from "./context";
import { clamp, parseNumber } from "./format";
import { DISPLAY_CHOICES, type Display, hasWiggles, nextDisplay, noWiggleReason } from "./wiggle";

/** As seismic viewers step it. */
const EXCURSION_STEP = 0.25;

/** More excursion, or less, by a quarter of the distance between wiggles. */
export function excurse(context: ViewContext, by: 1 | -1): void {
  setExcursion(context, context.session.state.wiggle_excursion + by * EXCURSION_STEP);
}

function setExcursion({ actions }: ViewContext, wanted: number): void {
  actions.patch({ wiggle_excursion: clamp(wanted, EXCURSION_MIN, EXCURSION_MAX) });
}

/** On to the next display, and say which it is; or why there is none but colours. */
export function cycleDisplay(context: ViewContext): void {
  const { info, state } = context.session;
  if (!info) return;
  const reason = noWiggleReason(info, state);
  if (reason) {
    context.note(`No wiggles: ${reason}.`);
    return;
  }
  const display = nextDisplay(state.display);
  context.actions.patch({ display });
  context.sayDone(DISPLAY_CHOICES.find(([name]) => name === display)?.[1] ?? display);
}

export function wiggleControls(context: ViewContext): TemplateResult | typeof nothing {
  const { actions, session } = context;
  const { info, state } = session;
  if (info?.kind !== "seismic") return nothing;
  const reason = noWiggleReason(info, state);
  return html`
    <div class="row">
      <label class="name quiet" for="display">Display</label>
      <select
        id="display"
        title=${reason ? `Density: ${reason}` : "Density or wiggles (Shift + W)"}
        ?disabled=${reason !== ""}
        @change=${(e: Event) =>
          actions.patch({ display: (e.target as HTMLSelectElement).value as Display })}
      >
        ${DISPLAY_CHOICES.map(
          ([display, words]) =>
            html`<option
              value=${display}
              .selected=${live(reason ? display === "density" : display === state.display)}
            >
              ${words}
            </option>`,
        )}
      </select>
    </div>
    ${hasWiggles(info, state) ? wiggleRows(context) : nothing}
  `;
}

function wiggleRows(context: ViewContext): TemplateResult {
  const { actions, session } = context;
  const { state } = session;
  return html`
    <div class="row" role="group" aria-label="Excursion of the wiggles">
      <label class="name quiet" for="excursion">Excursion</label>
      <button class="tool" aria-label="Less excursion" title="Less" @click=${() => excurse(context, -1)}>
        −
      </button>
      <input
        id="excursion"
        type="text"
        inputmode="decimal"
        autocomplete="off"
        .value=${String(state.wiggle_excursion)}
        aria-describedby="excursion-unit"
        @change=${(e: Event) => {
          const field = e.target as HTMLInputElement;
          const wanted = parseNumber(field.value);
          if (wanted === null) context.note(`“${field.value}” is not a number.`);
          else setExcursion(context, wanted);
          field.value = String(session.state.wiggle_excursion);
        }}
      />
      <button class="tool" aria-label="More excursion" title="More" @click=${() => excurse(context, 1)}>
        +
      </button>
      <span id="excursion-unit" class="cut">wiggles</span>
    </div>
    <label
      ><input
        type="checkbox"
        .checked=${state.wiggle_fill}
        @change=${(e: Event) =>
          actions.patch({ wiggle_fill: (e.target as HTMLInputElement).checked })}
      />Fill peaks</label
    >
    <label
      ><input
        type="checkbox"
        .checked=${state.wiggle_polarity === "reverse"}
        @change=${(e: Event) =>
          actions.patch({
            wiggle_polarity: (e.target as HTMLInputElement).checked ? "reverse" : "normal",
          })}
      />Reverse polarity</label
    >
  `;
}
