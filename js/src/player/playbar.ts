/** The bar of a recording: where it is, its chapters, play, steps, speed, and what is shown, in words. */
import { html, nothing, type TemplateResult } from "lit";
import { positionText } from "../viewer/axes";
import type { ViewContext } from "../viewer/context";
import { icon } from "../viewer/icons";
import { define } from "../viewer/part";
import { isDead, paneStateOf } from "../viewer/states";
import { byWidth, shared } from "../viewer/styles";
import { PlayControls } from "./controls";
import { FILM_KINDS, filmText } from "./film";
import type { Playback } from "./playback";
import { playBarStyles } from "./playbar.styles";
import type { Voices } from "./voices";
import { beganText, viewText } from "./words";

/** What the bar asks of the viewer around it. */
export interface PlayBarHost {
  toggleFullScreen(): void;
  readonly canFullScreen: boolean;
}

export class PlayBar extends PlayControls {
  static override styles = [shared, byWidth, playBarStyles];

  constructor(
    context: ViewContext,
    protected override readonly playback: Playback,
    private readonly owner: PlayBarHost,
  ) {
    super(context, playback);
  }

  protected override shows(): readonly unknown[] {
    const { session, ui } = this.context;
    const { info, state, status } = session;
    return [info, state, status, ui.shown === null, ui.fullScreen, this.context.pointed];
  }

  protected override get voices(): Voices | undefined {
    return this.context.session.voices;
  }

  protected override get keys(): Readonly<Record<string, () => void>> {
    const { playback } = this;
    return {
      ...super.keys,
      ",": () => playback.step(-1),
      ".": () => playback.step(1),
      f: () => this.owner.toggleFullScreen(),
      z: () => this.context.ask("maximise"),
      Escape: () => this.escape(),
    };
  }

  private escape(): void {
    if (this.opened) this.open("");
    else if (this.context.ui.maximised) this.context.ask("maximise");
    else (document.activeElement as HTMLElement | null)?.blur();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session, ui } = this.context;
    const { info, status } = session;
    if (!info || isDead(paneStateOf(status, true, ui.shown !== null))) return nothing;
    return html`${this.seekBar("Time of the recording")} ${this.controls()} ${this.words()}
    ${this.lists()} ${this.opened === "film" ? this.filmPanel() : nothing}`;
  }

  private controls(): TemplateResult {
    const { playback, context, owner } = this;
    const { t, duration } = playback;
    const { fullScreen } = context.ui;
    return html`<div class="row" role="toolbar" aria-label="Playback">
      ${this.playButton()}
      <button class="tool" aria-label="Previous picture" title="Previous picture (,)" ?disabled=${t <= 0} @click=${() => playback.step(-1)}>
        ${icon("previous")}
      </button>
      <button class="tool" aria-label="Next picture" title="Next picture (.)" ?disabled=${t >= duration} @click=${() => playback.step(1)}>
        ${icon("next")}
      </button>
      ${this.time()} ${this.speeds()}
      <i class="turn"></i>
      <span class="looks cut" part="looks">${this.viewWords()}</span>
      ${this.chaptersButton()} ${this.voicesButton()} ${this.filmButton()}
      ${
        owner.canFullScreen
          ? html`<button
            class="tool"
            aria-label=${fullScreen ? "Leave full screen" : "Full screen"}
            title="${fullScreen ? "Leave full screen" : "Full screen"} (F)"
            @click=${() => owner.toggleFullScreen()}
          >
            ${icon(fullScreen ? "small" : "full")}
          </button>`
          : nothing
      }
    </div>`;
  }

  private viewWords(): string {
    const { info, state } = this.context.session;
    return info ? viewText(info, state) : "";
  }

  // ------------------------------------------------------------ a film of it

  private filmButton(): TemplateResult | typeof nothing {
    const { film } = this.context.session;
    if (!film) return nothing;
    const share = film.isOn ? html`<span>${Math.floor(film.state.share * 100)} %</span>` : nothing;
    return this.opener("film", "Save as a film", "Save as a film", html`${icon("save")}${share}`);
  }

  private filmPanel(): TemplateResult | typeof nothing {
    const { film } = this.context.session;
    if (!film) return nothing;
    const { state } = film;
    return html`<div class="list film floating" part="film-panel" role="group" aria-label="Save as a film">
      ${
        film.isOn
          ? html`<p class="cut">${state.name}</p>
            <progress max="1" .value=${state.share} aria-label=${filmText(state)}></progress>
            <button @click=${() => film.cancel()}>Cancel</button>`
          : FILM_KINDS.map(
              ({ label, words }, ending) => html`<button @click=${() => film.begin(ending)}>
                <span>${label}</span><span class="quiet cut">${words}</span>
              </button>`,
            )
      }
    </div>`;
  }

  private words(): TemplateResult {
    const { context, playback } = this;
    const { info, status } = context.session;
    const { timeline } = playback;
    const at = context.pointed?.voxel;
    const began = beganText(timeline.beganMs);
    const state = this.stateWords();
    return html`<div class="words">
      <span class="name cut">${info?.name}</span>
      <span class="cut">${info && at ? positionText(info, at) : ""}</span>
      <span class="grow"></span>
      ${status.reason ? html`<span class="cut roomy" title=${status.reason}>Pictures come as JPEG</span>` : nothing}
      ${status.exact ? html`<span class="medium">Exact pixels</span>` : nothing}
      ${began ? html`<span class="medium">Recorded ${began}</span>` : nothing}
      ${state ? html`<span part="state"><span class="dot" style="background:${state[0]}"></span>${state[1]}</span>` : nothing}
    </div>`;
  }

  /** A colour and a word for what is not as it should be; null if all is. */
  private stateWords(): readonly [string, string] | null {
    const { playback } = this;
    const { timeline } = playback;
    if (playback.isKernelBusy) return ["var(--warn)", "Waiting for the notebook's kernel"];
    if (timeline.isGrowing) return ["var(--err)", "Still recorded"];
    return timeline.isFinished ? null : ["var(--warn)", "Cut off"];
  }
}

define("blustream-play-bar", PlayBar);
