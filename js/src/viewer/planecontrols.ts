/** In the side panel: how the slice is turned, and how many slices are reduced to one picture. */
import { css, html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { UPRIGHT } from "../geometry";
import type { ViewContext } from "./context";
import { parseNumber } from "./format";
import { type IconName, icon } from "./icons";
import { modeText, noSlabReason, SLAB_CHOICES, type SlabMode, slabThickness } from "./slab";

/** Slices that a slab begins with, and that a press of a button makes it thicker by: it stays odd. */
const FIRST_SLAB = 9;
const SLAB_STEP = 2;

export const planeControlStyles = css`
  .row {
    display: flex;
    align-items: center;
    gap: 4px;
    min-height: 32px;
    margin-top: 4px;
    font-size: 13px;
  }
  .row > .name {
    width: 76px;
    height: auto;
    margin: 0;
    flex: none;
  }
  .row select,
  .row input {
    height: 28px;
    border: 0;
    border-radius: 4px;
    box-shadow: inset 0 0 0 1px var(--line1);
    background: var(--bg);
    padding: 0 6px;
    min-width: 0;
  }
  .row select {
    flex: 1;
  }
  .row input {
    width: 48px;
    text-align: right;
  }
  .row .tool {
    font-size: 16px;
  }
  @media (pointer: coarse) {
    .row {
      min-height: 44px;
      flex-wrap: wrap;
    }
    .row select,
    .row input {
      height: 44px;
    }
  }
`;

/** Choose how slices are reduced; "" is none but the shown one. */
export function chooseSlab(context: ViewContext, mode: SlabMode | ""): void {
  const { actions } = context;
  const { slab } = context.session.state;
  if (mode === "") {
    actions.setSlab(1);
    return;
  }
  actions.setSlabMode(mode);
  if (slab === 1) actions.setSlab(FIRST_SLAB);
}

/** Thicker by two slices, or thinner: from one slice on. */
export function thicken(context: ViewContext, by: 1 | -1): void {
  context.actions.setSlab(context.session.state.slab + by * SLAB_STEP);
}

function turnButton(
  label: string,
  name: IconName,
  act: () => void,
  isOn: boolean | null = null,
  key = "",
): TemplateResult {
  return html`<button
    class="tool"
    aria-label=${label}
    title=${key ? `${label} (${key})` : label}
    aria-pressed=${isOn === null ? nothing : isOn ? "true" : "false"}
    @click=${act}
  >
    ${icon(name)}
  </button>`;
}

export function turnControls(context: ViewContext): TemplateResult {
  const { actions, session } = context;
  const { flip_x, flip_y } = session.state;
  return html`<div class="row" role="group" aria-label="Orientation">
    <span class="name quiet">Orientation</span>
    ${turnButton("Rotate to the left", "rotateleft", () => actions.rotate(-1))}
    ${turnButton("Rotate to the right", "rotateright", () => actions.rotate(1), null, "R")}
    ${turnButton("Flip left to right", "flipx", () => actions.flip("x"), flip_x, "H")}
    ${turnButton("Flip top to bottom", "flipy", () => actions.flip("y"), flip_y, "T")}
    <button
      class="tool"
      aria-label="Upright again"
      title="Upright again"
      ?disabled=${!actions.isTurned}
      @click=${() => actions.setTurn(UPRIGHT)}
    >
      ${icon("north")}
    </button>
  </div>`;
}

export function slabControls(context: ViewContext): TemplateResult {
  const { info, state } = context.session;
  if (!info) return html``;
  const reason = noSlabReason(info, state);
  const isOn = state.slab > 1 && !reason;
  return html`
    <div class="row">
      <label class="name quiet" for="slab-mode">Slab</label>
      <select
        id="slab-mode"
        title=${reason}
        ?disabled=${reason !== ""}
        @change=${(e: Event) => chooseSlab(context, (e.target as HTMLSelectElement).value as SlabMode | "")}
      >
        <option value="" .selected=${live(!isOn)}>${reason || "One slice"}</option>
        ${SLAB_CHOICES.map(
          ([mode, words]) =>
            html`<option value=${mode} .selected=${live(isOn && mode === state.slab_mode)}>
              ${modeWords(modeText(info, mode), words)}
            </option>`,
        )}
      </select>
    </div>
    ${isOn ? thickness(context) : nothing}
  `;
}

function modeWords(short: string, words: string): string {
  return short.toLowerCase() === words.toLowerCase() ? words : `${words} (${short})`;
}

function thickness(context: ViewContext): TemplateResult {
  const { actions, session } = context;
  const { info, state } = session;
  const text = info ? slabThickness(info, state) : "";
  return html`<div class="row" role="group" aria-label="Thickness of the slab">
    <label class="name quiet" for="slab">Slices</label>
    <button class="tool" aria-label="Thinner slab" title="Thinner" @click=${() => thicken(context, -1)}>
      −
    </button>
    <input
      id="slab"
      type="text"
      inputmode="numeric"
      autocomplete="off"
      .value=${String(state.slab)}
      aria-describedby="slab-thickness"
      @keydown=${(e: KeyboardEvent) => {
        const by = { ArrowUp: 1, ArrowDown: -1 } as const;
        if (e.key !== "ArrowUp" && e.key !== "ArrowDown") return;
        e.preventDefault();
        thicken(context, by[e.key]);
      }}
      @change=${(e: Event) => {
        const field = e.target as HTMLInputElement;
        const slices = parseNumber(field.value);
        if (slices === null) context.note(`“${field.value}” is not a number.`);
        else actions.setSlab(slices);
        field.value = String(session.state.slab);
      }}
    />
    <button class="tool" aria-label="Thicker slab" title="Thicker" @click=${() => thicken(context, 1)}>
      +
    </button>
    <span id="slab-thickness" class="cut">${/(slices|planes|curtains)$/.test(text) ? "" : text}</span>
  </div>`;
}
