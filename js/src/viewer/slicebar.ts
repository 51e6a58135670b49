/** The bar under the picture: play, previous, slider, next, and the number to type. */
import { css, html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { VolumeInfo } from "../protocol";
import { axisOf, axisTitle, indexOf, numberText, sliceOfText } from "./axes";
import type { ViewContext } from "./context";
import { parseNumber } from "./format";
import { icon } from "./icons";
import { trackOf } from "./loadedtrack";
import { define, Part, SCROLL_MS } from "./part";
import { isInside, parsePlace, voxelAt } from "./places";
import { playControls, sliderSteps } from "./playcontrols";
import { isDead, paneStateOf } from "./states";
import { byWidth, shared } from "./styles";
import { typed } from "./typed";

const PLAYS = { what: "Slices", end: "the end" };

export class SliceBar extends Part {
  static override styles = [
    shared,
    byWidth,
    css`
      :host {
        display: flex;
        align-items: center;
        gap: 4px;
        height: 40px;
        padding: 0 8px;
        border-top: 1px solid var(--line);
        flex: none;
      }
      :host([hidden]) {
        display: none;
      }
      @container (max-width: 560px) {
        :host {
          gap: 0;
          padding: 0 4px;
        }
      }
      input[type="range"] {
        appearance: none;
        flex: 1;
        min-width: 40px;
        height: 24px;
        margin: 0 4px;
        background: none;
        cursor: pointer;
        touch-action: none;
        --track: none;
        --thumb: 16px;
        --loaded: color-mix(in srgb, var(--fg) 52%, transparent);
      }
      input::-webkit-slider-runnable-track {
        height: 4px;
        border-radius: 2px;
        background:
          var(--track),
          color-mix(in srgb, var(--line1) 65%, transparent);
      }
      input::-moz-range-track {
        height: 4px;
        border-radius: 2px;
        background:
          var(--track),
          color-mix(in srgb, var(--line1) 65%, transparent);
      }
      input::-webkit-slider-thumb {
        appearance: none;
        width: 16px;
        height: 16px;
        margin-top: -6px;
        border: 0;
        border-radius: 50%;
        background: var(--solid);
        box-shadow: 0 0 0 3px var(--bg);
      }
      input::-moz-range-thumb {
        width: 16px;
        height: 16px;
        border: 0;
        border-radius: 50%;
        background: var(--solid);
        box-shadow: 0 0 0 3px var(--bg);
      }
      @media (forced-colors: active) {
        input[type="range"] {
          appearance: auto;
        }
      }
      .number {
        height: 28px;
        border-radius: 4px;
        box-shadow: inset 0 0 0 1px var(--line1);
        padding: 0 8px;
        display: inline-flex;
        align-items: center;
        gap: 6px;
        white-space: nowrap;
        margin-left: 4px;
        flex: none;
        cursor: text;
      }
      .number:focus-within {
        box-shadow: inset 0 0 0 2px var(--accent);
      }
      .number input {
        border: 0;
        background: none;
        padding: 0;
        font-weight: 600;
        text-align: right;
        outline: none;
        field-sizing: content;
        min-width: 2ch;
        max-width: 10ch;
      }
      select {
        height: 28px;
        border-radius: 4px;
        border: 1px solid var(--line1);
        background: var(--bg);
        font-size: 12px;
        padding: 0 2px;
      }
      @media (pointer: coarse) {
        :host {
          height: 52px;
        }
        .tool {
          height: 44px;
          min-width: 44px;
        }
        .number {
          height: 44px;
        }
        input[type="range"] {
          height: 44px;
          --thumb: 24px;
        }
        input::-webkit-slider-thumb {
          width: 24px;
          height: 24px;
          margin-top: -10px;
        }
        input::-moz-range-thumb {
          width: 24px;
          height: 24px;
        }
      }
    `,
  ];

  constructor(context: ViewContext) {
    super(context, SCROLL_MS);
  }

  /** Select the number, for key G and a tap on it. */
  focusNumber(): void {
    const field = this.find<HTMLInputElement>(".number input");
    field?.focus();
    field?.select();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { context } = this;
    const { info, state, status } = context.session;
    const dead = !info || isDead(paneStateOf(status, true, context.ui.shown !== null));
    this.toggleAttribute("hidden", dead);
    if (dead) return nothing;
    const { actions, cine } = context;
    const axis = axisOf(info, state.axis);
    const idx = actions.sliceIdx;
    const last = axis.n - 1;
    const step = (by: number) => () => context.scroll(by);
    const playWord = cine.playing ? "Stop" : "Play slices";
    return html`
      <button
        class="tool medium"
        aria-label=${playWord}
        title="${playWord} (Space)"
        aria-pressed=${cine.playing ? "true" : "false"}
        ?disabled=${last < 1}
        @click=${() => cine.toggle()}
      >
        ${icon(cine.playing ? "pause" : "play")}
      </button>
      ${cine.playing ? playControls(cine, PLAYS) : nothing}
      <button class="tool" aria-label="Previous slice" title="Previous slice (↑)" ?disabled=${idx <= 0} @click=${step(-1)}>
        ${icon("previous")}
      </button>
      <input
        type="range"
        min="0"
        max=${last}
        step="1"
        aria-label=${axisTitle(axis)}
        aria-valuetext=${sliceOfText(info, state.axis, idx)}
        style="--track:${trackOf(status.loaded, state.axis, state.channel, last)}"
        .value=${live(String(idx))}
        ?disabled=${last < 1}
        @input=${(e: Event) => context.take(() => actions.goTo(Number((e.target as HTMLInputElement).value)))}
        @keydown=${(e: KeyboardEvent) => this.sliderKey(e)}
      />
      <button class="tool" aria-label="Next slice" title="Next slice (↓)" ?disabled=${idx >= last} @click=${step(1)}>
        ${icon("next")}
      </button>
      <label class="number" title="Go to a number, or to a place: x, y, z (G)">
        <span class="quiet medium">${axisTitle(axis)}</span>
        <input
          type="text"
          inputmode="decimal"
          autocomplete="off"
          spellcheck="false"
          size=${Math.max(2, numberText(axis, idx).length)}
          aria-label="Go to ${axisTitle(axis)}"
          .value=${typed(numberText(axis, idx), state.axis)}
          @focus=${(e: FocusEvent) => (e.target as HTMLInputElement).select()}
          @change=${(e: Event) => this.jump(e.target as HTMLInputElement)}
          @keydown=${(e: KeyboardEvent) => this.numberKey(e)}
          @blur=${() => this.requestUpdate()}
        />
        <span class="quiet medium">of ${numberText(axis, last)}${axis.unit ? ` ${axis.unit}` : ""}</span>
      </label>
    `;
  }

  protected override shows(): readonly unknown[] {
    const { session, ui, cine, actions } = this.context;
    const { playing, framesPerSecond, end } = cine;
    const { info, state, status } = session;
    const film = [playing, framesPerSecond, end];
    const slices = [state.axis, state.channel, actions.sliceIdx, status.loaded];
    return [info, ...slices, status.phase, ui.shown === null, ...film];
  }

  private sliderKey(event: KeyboardEvent): void {
    const by = sliderSteps(event, this.context.actions.sliceCount);
    if (by !== null) this.context.scroll(by);
  }

  private numberKey(event: KeyboardEvent): void {
    if (event.key === "Enter") this.jump(event.target as HTMLInputElement);
    else if (event.key === "Escape") this.requestUpdate();
  }

  private jump(field: HTMLInputElement): void {
    const { info, state } = this.context.session;
    const number = parseNumber(field.value);
    if (!info) return;
    const axis = axisOf(info, state.axis);
    const place = parsePlace(info, field.value, state.slice_idx);
    if (place) this.jumpTo(info, place, field.value);
    else if (number === null) {
      this.context.note(
        `“${field.value}” is not a number.`,
        `Give ${numberText(axis, 0)} to ${numberText(axis, axis.n - 1)}.`,
      );
    } else this.context.take(() => this.context.actions.goTo(indexOf(axis, number)));
    field.value = numberText(axis, this.context.actions.sliceIdx);
    field.select();
  }

  private jumpTo(info: VolumeInfo, place: [number, number, number], text: string): void {
    const { context } = this;
    const voxel = voxelAt(info, place);
    if (voxel && isInside(info, voxel)) context.take(() => context.actions.goToVoxel(voxel));
    else context.note(`“${text}” lies outside the volume.`);
  }
}

define("blustream-slice-bar", SliceBar);
