/** The bar of a series, over that of the slices: play, previous, slider, next, and the time. */
import { css, html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { ViewContext } from "./context";
import { icon } from "./icons";
import { CALM_MS, define, Part } from "./part";
import { playControls, sliderSteps } from "./playcontrols";
import { sliderStyles } from "./slider.styles";
import { isDead, paneStateOf } from "./states";
import { byWidth, shared } from "./styles";
import { stepText, timeText, timeTitle } from "./timeplay";

const PLAYS = { what: "Steps", end: "the last step" };

export class TimeBar extends Part {
  static override styles = [
    shared,
    byWidth,
    sliderStyles,
    css`
      :host {
        display: flex;
        align-items: center;
        gap: 4px;
        height: 32px;
        padding: 0 8px;
        border-top: 1px solid var(--line);
        flex: none;
      }
      :host([hidden]) {
        display: none;
      }
      input[type="range"] {
        flex: 1;
        min-width: 40px;
        height: 24px;
        margin: 0 4px;
        appearance: none;
        background: none;
        cursor: pointer;
        touch-action: none;
      }
      input::-webkit-slider-runnable-track {
        height: 4px;
        border-radius: 2px;
        background: color-mix(in srgb, var(--line1) 65%, transparent);
      }
      input::-moz-range-track {
        height: 4px;
        border-radius: 2px;
        background: color-mix(in srgb, var(--line1) 65%, transparent);
      }
      .time {
        white-space: nowrap;
        margin-left: 4px;
        flex: none;
        max-width: 45%;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      select {
        height: 26px;
        border-radius: 4px;
        border: 1px solid var(--line1);
        background: var(--bg);
        font-size: 12px;
        padding: 0 2px;
      }
      @media (pointer: coarse) {
        :host {
          height: 48px;
        }
        .tool {
          height: 44px;
          min-width: 44px;
        }
        input[type="range"] {
          height: 44px;
        }
      }
    `,
  ];

  constructor(context: ViewContext) {
    super(context, CALM_MS);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session, time, ui } = this.context;
    const { info, status } = session;
    const isHidden =
      !info || time.count < 2 || isDead(paneStateOf(status, true, ui.shown !== null));
    this.toggleAttribute("hidden", isHidden);
    if (isHidden) return nothing;
    const { cine, idx } = time;
    const last = time.count - 1;
    const words = `${cine.playing ? "Stop" : "Play"} ${timeTitle(info).toLowerCase()}`;
    return html`
      <button
        class="tool"
        aria-label=${words}
        title="${words} (\\)"
        aria-pressed=${cine.playing ? "true" : "false"}
        @click=${() => this.context.playTime()}
      >
        ${icon(cine.playing ? "pause" : "play")}
      </button>
      ${cine.playing ? playControls(cine, PLAYS) : nothing}
      <button class="tool" aria-label="Previous step" title="Previous step (<)" ?disabled=${idx <= 0} @click=${() => time.step(-1)}>
        ${icon("previous")}
      </button>
      <input
        type="range"
        min="0"
        max=${last}
        step="1"
        aria-label=${timeTitle(info)}
        aria-valuetext=${stepText(info, idx)}
        .value=${live(String(idx))}
        @input=${(e: Event) => time.goTo(Number((e.target as HTMLInputElement).value))}
        @keydown=${(e: KeyboardEvent) => this.sliderKey(e)}
      />
      <button class="tool" aria-label="Next step" title="Next step (>)" ?disabled=${idx >= last} @click=${() => time.step(1)}>
        ${icon("next")}
      </button>
      <span class="time" part="time">
        <span class="quiet medium">${timeTitle(info)}</span> <b>${timeText(info, idx)}</b>
        <span class="quiet medium">${idx + 1} of ${time.count}</span>
      </span>
    `;
  }

  protected override shows(): readonly unknown[] {
    const { session, ui, time } = this.context;
    const { playing, framesPerSecond, end } = time.cine;
    const { info, status } = session;
    return [info, time.idx, status.phase, ui.shown === null, playing, framesPerSecond, end];
  }

  private sliderKey(event: KeyboardEvent): void {
    const by = sliderSteps(event, this.context.time.count);
    if (by !== null) this.context.time.step(by);
  }
}

define("blustream-time-bar", TimeBar);
