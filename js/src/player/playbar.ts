/** The bar of a recording: where it is, its chapters, play, steps, speed, and what is shown, in words. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { positionText } from "../viewer/axes";
import { isOurs } from "../viewer/bindings";
import type { ViewContext } from "../viewer/context";
import { icon } from "../viewer/icons";
import { CALM_MS, define, Part } from "../viewer/part";
import { RateLimit } from "../viewer/rate";
import { isDead, paneStateOf } from "../viewer/states";
import { byWidth, shared } from "../viewer/styles";
import { FILM_KINDS, filmText } from "./film";
import { type Playback, SPEEDS } from "./playback";
import { playBarStyles } from "./playbar.styles";
import type { Chapter } from "./timeline";
import { beganText, timeText, viewText } from "./words";

/** What the bar asks of the viewer around it. */
export interface PlayBarHost {
  toggleFullScreen(): void;
  readonly canFullScreen: boolean;
}

type Opened = "chapters" | "voices" | "film";

/** How far the arrows go, in seconds. */
const ARROW_S = 5;
/** Half of the thumb, in CSS pixels: the bar's ends are where its middle can be. */
const THUMB_PX = 7;

export class PlayBar extends Part {
  static override styles = [shared, byWidth, playBarStyles];

  private opened: Opened | null = null;

  constructor(
    context: ViewContext,
    private readonly playback: Playback,
    private readonly owner: PlayBarHost,
  ) {
    super(context, CALM_MS);
    const { signal } = context;
    const rate = new RateLimit(CALM_MS, () => this.requestUpdate());
    playback.onChange(() => this.isConnected && rate.request(), signal);
    signal.addEventListener("abort", () => rate.cancel(), { once: true });
    const outside = (event: Event): void => {
      if (this.opened && !event.composedPath().includes(this)) this.open(null);
    };
    window.addEventListener("pointerdown", outside, { signal, capture: true, passive: true });
  }

  protected override shows(): readonly unknown[] {
    const { session, ui } = this.context;
    const { info, state, status } = session;
    return [info, state, status, ui.shown === null, ui.fullScreen, this.context.pointed];
  }

  /** Keys of the whole viewer; what is no key of ours is left to the page. */
  key(event: KeyboardEvent): void {
    if (!isOurs(event)) return;
    const target = event.composedPath()[0];
    const isPressable = target instanceof HTMLButtonElement || target instanceof HTMLSelectElement;
    if (isPressable && (event.key === " " || event.key === "Enter")) {
      event.stopPropagation();
      return;
    }
    if (target instanceof HTMLSelectElement) {
      event.stopPropagation();
      return;
    }
    const act = this.keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  private get keys(): Readonly<Record<string, () => void>> {
    const { playback } = this;
    const by = (seconds: number) => (): void => playback.seek(playback.t + seconds);
    return {
      " ": () => playback.toggle(),
      k: () => playback.toggle(),
      ArrowLeft: by(-ARROW_S),
      ArrowRight: by(ARROW_S),
      ArrowDown: by(-ARROW_S),
      ArrowUp: by(ARROW_S),
      ",": () => playback.step(-1),
      ".": () => playback.step(1),
      "<": () => playback.faster(-1),
      ">": () => playback.faster(1),
      Home: () => playback.seek(0),
      End: () => playback.seek(playback.duration),
      PageUp: () => playback.chapter(-1),
      PageDown: () => playback.chapter(1),
      f: () => this.owner.toggleFullScreen(),
      z: () => this.context.ask("maximise"),
      Escape: () => this.escape(),
    };
  }

  private escape(): void {
    if (this.opened) this.open(null);
    else if (this.context.ui.maximised) this.context.ask("maximise");
    else (document.activeElement as HTMLElement | null)?.blur();
  }

  /** Whoever chose something in a list goes on where the list was opened from. */
  private open(what: Opened | null): void {
    const opener = this.find<HTMLElement>(`[data-opens="${this.opened}"]`);
    const isLeft = this.isInList;
    this.opened = what;
    this.requestUpdate();
    if (what) void this.updateComplete.then(() => this.focusList());
    else if (isLeft) opener?.focus();
  }

  private get isInList(): boolean {
    return Boolean(this.shadowRoot?.activeElement?.closest(".list"));
  }

  private focusList(): void {
    this.find<HTMLElement>('.list [aria-current="true"], .list button')?.focus();
  }

  protected override focusLost(): void {
    if (this.opened) this.focusList();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session, ui } = this.context;
    const { info, status } = session;
    if (!info || isDead(paneStateOf(status, true, ui.shown !== null))) return nothing;
    return html`${this.seekBar()} ${this.controls()} ${this.words()}
    ${this.opened === "chapters" ? this.list() : nothing}
    ${this.opened === "voices" ? this.voiceList() : nothing}
    ${this.opened === "film" ? this.filmPanel() : nothing}`;
  }

  // ------------------------------------------------------------ the bar

  /** Where a time lies on the bar, as CSS. */
  private placeOf(t: number): string {
    const share = this.playback.duration > 0 ? Math.min(t / this.playback.duration, 1) : 0;
    return `calc(${THUMB_PX}px + (100% - ${2 * THUMB_PX}px) * ${share.toFixed(5)})`;
  }

  private seekBar(): TemplateResult {
    const { playback } = this;
    const { t, duration } = playback;
    return html`<div class="seek" part="seek">
      <input
        type="range"
        min="0"
        max=${duration}
        step="any"
        aria-label="Time of the recording"
        aria-valuetext="${timeText(t)} of ${timeText(duration)}"
        style="--done:${this.placeOf(t)}"
        .value=${live(String(t))}
        @input=${(event: Event) => playback.seek(Number((event.target as HTMLInputElement).value))}
      />
      ${this.marked.map(
        (chapter) => html`<button
          class="mark"
          part="mark"
          tabindex="-1"
          style="left:${this.placeOf(chapter.t)}"
          aria-label="${chapter.title}, ${timeText(chapter.t)}"
          title="${chapter.title} · ${timeText(chapter.t)}"
          @click=${() => playback.seek(chapter.t)}
        ></button>`,
      )}
    </div>`;
  }

  /** The beginning needs no mark. */
  private get marked(): readonly Chapter[] {
    return this.playback.timeline.chapters.slice(1);
  }

  private controls(): TemplateResult {
    const { playback, context, owner } = this;
    const { t, duration, playing, timeline } = playback;
    const words = playing ? "Pause" : "Play";
    const { fullScreen } = context.ui;
    return html`<div class="row" role="toolbar" aria-label="Playback">
      <button class="tool" part="play" aria-label=${words} title="${words} (Space)" @click=${() => playback.toggle()}>
        ${icon(playing ? "pause" : "play")}
      </button>
      <button class="tool" aria-label="Previous picture" title="Previous picture (,)" ?disabled=${t <= 0} @click=${() => playback.step(-1)}>
        ${icon("previous")}
      </button>
      <button class="tool" aria-label="Next picture" title="Next picture (.)" ?disabled=${t >= duration} @click=${() => playback.step(1)}>
        ${icon("next")}
      </button>
      <span class="time" part="time"><b>${timeText(t)}</b><span class="quiet"> / ${timeText(duration)}</span></span>
      <select aria-label="Speed" title="Speed (< slower, > faster)" @change=${(event: Event) => {
        playback.speed = Number((event.target as HTMLSelectElement).value);
      }}>
        ${SPEEDS.map((speed) => html`<option value=${speed} .selected=${live(speed === playback.speed)}>${speed}×</option>`)}
      </select>
      <i class="turn"></i>
      <span class="looks cut" part="looks">${this.viewWords()}</span>
      ${
        timeline.chapters.length > 1
          ? html`<button
            class="tool wide"
            data-opens="chapters"
            title="Chapters (Page Up, Page Down)"
            aria-label="Chapters"
            aria-haspopup="true"
            aria-expanded=${this.opened === "chapters"}
            @click=${() => this.open(this.opened === "chapters" ? null : "chapters")}
          >
            <span>Chapters</span>${icon("down", "caret")}
          </button>`
          : nothing
      }
      ${this.voicesButton()} ${this.filmButton()}
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

  private list(): TemplateResult {
    const { playback } = this;
    const { chapters } = playback.timeline;
    const now = chapters.findLast((chapter) => chapter.t <= playback.t + 1e-3);
    return html`<div class="list chapters floating" part="chapters" role="group" aria-label="Chapters">
      ${chapters.map(
        (chapter) => html`<button
          aria-current=${chapter === now ? "true" : "false"}
          @click=${() => {
            playback.seek(chapter.t);
            this.open(null);
          }}
        >
          <span class="quiet">${timeText(chapter.t)}</span><span class="cut">${chapter.title}</span>
        </button>`,
      )}
    </div>`;
  }

  // ------------------------------------------------------------ who is heard

  private voicesButton(): TemplateResult | typeof nothing {
    const { voices } = this.context.session;
    if (!voices?.speakers.length) return nothing;
    return html`<button
      class="tool wide"
      data-opens="voices"
      part="voices"
      aria-label="Voices"
      title="Voices"
      aria-haspopup="true"
      aria-expanded=${this.opened === "voices"}
      @click=${() => this.open(this.opened === "voices" ? null : "voices")}
    >
      ${icon(voices.isHeard && !voices.trouble ? "microphone" : "muted")}
    </button>`;
  }

  private voiceList(): TemplateResult | typeof nothing {
    const { voices } = this.context.session;
    if (!voices) return nothing;
    const words = voices.trouble || (voices.isHeard ? "" : "Voices are heard at 0.5 to 2×");
    return html`<div class="list voices floating" part="voice-list" role="group" aria-label="Voices">
      ${words ? html`<p>${words}</p>` : nothing}
      ${voices.speakers.map(({ id, name, color }) => {
        const muted = voices.isMuted(id);
        return html`<button role="switch" aria-checked=${muted ? "false" : "true"} title=${muted ? "Not heard" : "Heard"} @click=${() => voices.setMuted(id, !muted)}>
          <span class="dot" style="background:${color || "currentColor"}"></span><span class="cut grow">${name}</span>${icon(muted ? "muted" : "microphone")}
        </button>`;
      })}
    </div>`;
  }

  // ------------------------------------------------------------ a film of it

  private filmButton(): TemplateResult | typeof nothing {
    const { film } = this.context.session;
    if (!film) return nothing;
    return html`<button
      class="tool wide"
      data-opens="film"
      part="film"
      aria-label="Save as a film"
      title="Save as a film"
      aria-haspopup="true"
      aria-expanded=${this.opened === "film"}
      @click=${() => this.open(this.opened === "film" ? null : "film")}
    >
      ${icon("save")}${film.isOn ? html`<span>${Math.floor(film.state.share * 100)} %</span>` : nothing}
    </button>`;
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
