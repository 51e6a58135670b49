/** Below the picture while a recording happens again in the view: where it is, and who drives, drives it. */
import { html, nothing, type TemplateResult } from "lit";
import type { ViewContext } from "../viewer/context";
import { icon } from "../viewer/icons";
import { define } from "../viewer/part";
import { byWidth, shared } from "../viewer/styles";
import { PlayControls } from "./controls";
import { playBarStyles } from "./playbar.styles";
import type { Replayed } from "./replayed";
import type { Voices } from "./voices";

export class ReplayBar extends PlayControls {
  static override styles = [shared, byWidth, playBarStyles];

  private wasOn = false;

  constructor(
    context: ViewContext,
    protected override readonly playback: Replayed,
  ) {
    super(context, playback);
    const { signal } = context;
    this.className = "slim";
    this.setAttribute("role", "region");
    this.addEventListener("keydown", (event) => this.key(event), { signal });
    playback.onChange(() => this.turned(), signal);
  }

  protected override shows(): readonly unknown[] {
    return [this.playback.isOn, this.playback.mayDrive, this.playback.isLost];
  }

  protected override get voices(): Voices | null {
    return this.playback.voices;
  }

  protected override get keys(): Readonly<Record<string, () => void>> {
    const keys = this.playback.mayDrive ? super.keys : {};
    return this.opened ? { ...keys, Escape: () => this.open("") } : keys;
  }

  private turned(): void {
    const { isOn, name } = this.playback;
    if (isOn === this.wasOn) return;
    this.wasOn = isOn;
    this.opened = "";
    this.context.say(isOn ? `Replay of ${name}` : "The replay has ended");
  }

  /** With the last replay its bar goes: keys are meant for the picture. */
  protected override focusLost(): void {
    if (this.playback.isOn) super.focusLost();
    else this.context.ask("focus");
  }

  protected override render(): TemplateResult | typeof nothing {
    const { isOn, name, mayDrive, waits, isLost } = this.playback;
    this.toggleAttribute("hidden", !isOn);
    if (!isOn) return nothing;
    this.setAttribute("aria-label", `Replay of ${name}`);
    const title = mayDrive || isLost ? "" : "Whoever drives the view drives its replay";
    return html`<div class="row" role="toolbar" aria-label="Replay" title=${title}>
      <span class="quiet medium">Replay</span>
      ${this.playButton(" (Space, while the bar has the focus)")} ${this.seekBar("Time of the replay")} ${this.time()}
      <i class="turn"></i>
      ${waits ? html`<span class="waits cut" part="state" role="status"><span class="dot"></span>Waiting for the notebook's kernel</span>` : nothing}
      ${this.speeds()} ${this.chaptersButton()} ${this.voicesButton()}
      ${
        mayDrive
          ? html`<button class="tool" part="end" aria-label="End the replay" title="End the replay" @click=${() => this.playback.end()}>
            ${icon("close")}
          </button>`
          : nothing
      }
    </div>
    ${this.lists()}`;
  }
}

define("blustream-replay-bar", ReplayBar);
