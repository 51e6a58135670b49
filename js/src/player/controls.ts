/** What the bars of a recording and of a replay share: where it is, its chapters, play, speed, who is heard. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { isOurs } from "../viewer/bindings";
import type { ViewContext } from "../viewer/context";
import { icon } from "../viewer/icons";
import { CALM_MS, Part } from "../viewer/part";
import { RateLimit } from "../viewer/rate";
import { SPEEDS } from "./playback";
import type { Chapter } from "./timeline";
import type { Voices } from "./voices";
import { timeText } from "./words";

/** What is driven: a recording in its player, or one that happens again in the view. */
export interface Playable {
  /** Seconds since the first picture. */
  readonly t: number;
  readonly duration: number;
  readonly playing: boolean;
  readonly chapters: readonly Chapter[];
  /** Whether this page may drive it, or only sees where it is. */
  readonly mayDrive: boolean;
  speed: number;
  toggle(): void;
  seek(t: number): void;
  faster(by: 1 | -1): void;
  chapter(by: 1 | -1): void;
  onChange(listener: () => void, signal: AbortSignal): void;
}

/** How far the arrows go, in seconds. */
const ARROW_S = 5;
/** Half of the thumb, in CSS pixels: the bar's ends are where its middle can be. */
const THUMB_PX = 7;

export abstract class PlayControls extends Part {
  protected opened = "";

  constructor(
    context: ViewContext,
    protected readonly playback: Playable,
  ) {
    super(context, CALM_MS);
    const { signal } = context;
    const rate = new RateLimit(CALM_MS, () => this.requestUpdate());
    playback.onChange(() => this.isConnected && rate.request(), signal);
    signal.addEventListener("abort", () => rate.cancel(), { once: true });
    const outside = (event: Event): void => {
      if (this.opened && !event.composedPath().includes(this)) this.open("");
    };
    window.addEventListener("pointerdown", outside, { signal, capture: true, passive: true });
  }

  /** Who can be heard, and each switched off; null where nobody is. */
  protected abstract get voices(): Voices | null | undefined;

  // ------------------------------------------------------------ keys

  /** Keys while it has the focus; what is no key of ours is left to the page. */
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

  protected get keys(): Readonly<Record<string, () => void>> {
    const { playback } = this;
    const by = (seconds: number) => (): void => playback.seek(playback.t + seconds);
    return {
      " ": () => playback.toggle(),
      k: () => playback.toggle(),
      ArrowLeft: by(-ARROW_S),
      ArrowRight: by(ARROW_S),
      ArrowDown: by(-ARROW_S),
      ArrowUp: by(ARROW_S),
      "<": () => playback.faster(-1),
      ">": () => playback.faster(1),
      Home: () => playback.seek(0),
      End: () => playback.seek(playback.duration),
      PageUp: () => playback.chapter(-1),
      PageDown: () => playback.chapter(1),
    };
  }

  // ------------------------------------------------------------ lists

  /** Whoever chose something in a list goes on where the list was opened from. */
  protected open(what: string): void {
    const opener = this.find<HTMLElement>(`[data-opens="${this.opened}"]`);
    const isLeft = Boolean(this.shadowRoot?.activeElement?.closest(".list"));
    this.opened = what;
    this.requestUpdate();
    if (what) void this.updateComplete.then(() => this.focusList());
    else if (isLeft) opener?.focus();
  }

  private focusList(): void {
    this.find<HTMLElement>('.list [aria-current="true"], .list button')?.focus();
  }

  /** Into the list, or where it goes on: behind "Hear the voices" the choice of them. */
  protected override focusLost(): void {
    if (this.opened) this.focusList();
    else this.find<HTMLElement>('[data-opens="voices"]')?.focus();
    if (this.shadowRoot?.activeElement) return;
    this.find<HTMLElement>('[part="play"]')?.focus();
    if (!this.shadowRoot?.activeElement) this.context.ask("focus");
  }

  /** A button that opens a list of its name. */
  protected opener(what: string, label: string, title: string, inside: unknown): TemplateResult {
    return html`<button
      class="tool wide"
      data-opens=${what}
      part=${what}
      aria-label=${label}
      title=${title}
      aria-haspopup="true"
      aria-expanded=${this.opened === what}
      @click=${() => this.open(this.opened === what ? "" : what)}
    >
      ${inside}
    </button>`;
  }

  protected lists(): TemplateResult | typeof nothing {
    if (this.opened === "chapters") return this.chapterList();
    return this.opened === "voices" ? this.voiceList() : nothing;
  }

  // ------------------------------------------------------------ the parts of a bar

  /** Where a time lies on the bar, as CSS. */
  private placeOf(t: number): string {
    const share = this.playback.duration > 0 ? Math.min(t / this.playback.duration, 1) : 0;
    return `calc(${THUMB_PX}px + (100% - ${2 * THUMB_PX}px) * ${share.toFixed(5)})`;
  }

  protected seekBar(label: string): TemplateResult {
    const { playback } = this;
    const { t, duration, mayDrive } = playback;
    return html`<div class="seek" part="seek">
      <input
        type="range"
        min="0"
        max=${duration}
        step="any"
        aria-label=${label}
        aria-valuetext="${timeText(t)} of ${timeText(duration)}"
        style="--done:${this.placeOf(t)}"
        ?disabled=${!mayDrive}
        .value=${live(String(t))}
        @input=${(event: Event) => playback.seek(Number((event.target as HTMLInputElement).value))}
      />
      ${
        // The beginning needs no mark.
        playback.chapters.slice(1).map(
          (chapter) => html`<button
          class="mark"
          part="mark"
          tabindex="-1"
          style="left:${this.placeOf(chapter.t)}"
          aria-label="${chapter.title}, ${timeText(chapter.t)}"
          title="${chapter.title} · ${timeText(chapter.t)}"
          ?disabled=${!mayDrive}
          @click=${() => playback.seek(chapter.t)}
        ></button>`,
        )
      }
    </div>`;
  }

  protected playButton(keys = " (Space)"): TemplateResult {
    const { playback } = this;
    const words = playback.playing ? "Pause" : "Play";
    return html`<button class="tool" part="play" aria-label=${words} title="${words}${keys}" ?disabled=${!playback.mayDrive} @click=${() => playback.toggle()}>
      ${icon(playback.playing ? "pause" : "play")}
    </button>`;
  }

  protected time(): TemplateResult {
    const { t, duration } = this.playback;
    return html`<span class="time" part="time"><b>${timeText(t)}</b><span class="quiet"> / ${timeText(duration)}</span></span>`;
  }

  protected speeds(): TemplateResult {
    const { playback } = this;
    const { speed } = playback;
    const all = [...new Set([...SPEEDS, speed])].sort((a, b) => a - b);
    return html`<select aria-label="Speed" title="Speed (< slower, > faster)" ?disabled=${!playback.mayDrive} @change=${(
      event: Event,
    ) => {
      playback.speed = Number((event.target as HTMLSelectElement).value);
    }}>
      ${all.map((each) => html`<option value=${each} .selected=${live(each === speed)}>${each}×</option>`)}
    </select>`;
  }

  protected chaptersButton(): TemplateResult | typeof nothing {
    if (this.playback.chapters.length < 2) return nothing;
    const inside = html`<span>Chapters</span>${icon("down", "caret")}`;
    return this.opener("chapters", "Chapters", "Chapters (Page Up, Page Down)", inside);
  }

  private chapterList(): TemplateResult {
    const { playback } = this;
    const { chapters } = playback;
    const now = chapters.findLast((chapter) => chapter.t <= playback.t + 1e-3);
    return html`<div class="list chapters floating" part="chapter-list" role="group" aria-label="Chapters">
      ${chapters.map(
        (chapter) => html`<button
          aria-current=${chapter === now ? "true" : "false"}
          ?disabled=${!playback.mayDrive}
          @click=${() => {
            playback.seek(chapter.t);
            this.open("");
          }}
        >
          <span class="quiet">${timeText(chapter.t)}</span><span class="cut">${chapter.title}</span>
        </button>`,
      )}
    </div>`;
  }

  protected voicesButton(): TemplateResult | typeof nothing {
    const { voices } = this;
    if (!voices?.speakers.length) return nothing;
    if (voices.isHeldBack) {
      const title = "The browser plays no sound until something is pressed on this page";
      return html`<button class="button small main" part="hear" aria-label="Hear the voices" title=${title} @click=${() => this.hear(voices)}>
        ${icon("speaker")}<span>Hear<span class="medium"> the voices</span></span>
      </button>`;
    }
    const isOn = voices.isHeard && !voices.trouble;
    return this.opener("voices", "Voices", "Voices", icon(isOn ? "microphone" : "muted"));
  }

  private async hear(voices: Voices): Promise<void> {
    if (await voices.allow()) return;
    this.context.note("Sound does not start.", "Connect a speaker or headphones, and try again.");
  }

  private voiceList(): TemplateResult | typeof nothing {
    const { voices } = this;
    if (!voices) return nothing;
    const words = voices.trouble || (voices.isHeard ? "" : "Voices are heard at 0.5 to 2×");
    return html`<div class="list voices floating" part="voice-list" role="group" aria-label="Voices">
      ${words ? html`<p>${words}</p>` : nothing}
      ${voices.speakers.map(({ id, name, color }) => {
        const muted = voices.isMuted(id);
        return html`<button role="switch" aria-checked=${muted ? "false" : "true"} title=${muted ? "Not heard" : "Heard"} @click=${() => voices.setMuted(id, !muted)}>
          <span class="dot" style="background:${color || "currentColor"}"></span><span class="cut grow"><bdi>${name}</bdi></span>${icon(muted ? "muted" : "microphone")}
        </button>`;
      })}
    </div>`;
  }
}
