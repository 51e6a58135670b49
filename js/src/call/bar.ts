/** Over the picture while this page takes part in a call: who does, who speaks, and what one can do. */
import { css, html, nothing, type TemplateResult } from "lit";
import type { CallMember, SharedPerson } from "../protocol";
import type { ViewContext } from "../viewer/context";
import { icon } from "../viewer/icons";
import { define, Part } from "../viewer/part";
import { avatar, avatarStyles } from "../viewer/sharebutton";
import { shared } from "../viewer/styles";
import { deviceChoices } from "./devices";
import { TALK_KEY } from "./keys";

/** A press that is longer is held to talk; a shorter one switches. */
const HELD_MS = 400;
/** Width of most of what is said over the picture. */
const TOAST_PX = 320;
const DEVICES = "Microphone, camera, speaker";
const BY_SERVER = "Voices and pictures go through a server (an SFU)";

export class CallBar extends Part {
  static override styles = [
    shared,
    avatarStyles,
    css`
      :host {
        position: absolute;
        z-index: 3;
        top: 36px; /* below the ruler */
        right: 12px;
        max-width: min(480px, calc(100% - 24px));
        padding: 4px;
        box-sizing: border-box;
        border-radius: 8px;
        background: rgb(12 14 17 / 0.9);
        color: #fff;
        font-size: 12px;
        forced-color-adjust: none;
        --ok: #6fd08c;
      }
      :host([hidden]) {
        display: none;
      }
      .row,
      .people {
        display: flex;
        align-items: center;
        gap: 4px;
      }
      .row + .row {
        margin-top: 4px;
      }
      .people {
        flex-wrap: wrap;
        justify-content: flex-end;
        min-width: 0;
        max-height: 236px; /* three rows of pictures */
        overflow: auto;
        padding: 4px;
      }
      .who {
        position: relative;
        display: inline-flex;
      }
      .who .icon {
        position: absolute;
        right: -4px;
        bottom: -4px;
        width: 14px;
        height: 14px;
        padding: 1px;
        border-radius: 50%;
        background: #0c0e11;
      }
      .who.far {
        opacity: 0.5;
      }
      .who i,
      button i {
        width: 10px;
        height: 10px;
        border-radius: 50%;
        background: #ff5d57;
      }
      .who i {
        position: absolute;
        right: -3px;
        top: -3px;
        box-shadow: 0 0 0 2px #0c0e11;
      }
      .off i {
        background: none;
        box-shadow: inset 0 0 0 2px #fff;
      }
      video {
        width: 96px;
        height: 72px;
        object-fit: cover;
        border-radius: 4px;
        background: #000;
        display: block;
      }
      .own video {
        transform: scaleX(-1);
      }
      .speaking video {
        outline: 2px solid var(--ok);
        outline-offset: -2px;
      }
      .who .name {
        position: absolute;
        left: 4px;
        bottom: 4px;
        max-width: 74px;
        padding: 0 4px;
        border-radius: 3px;
        background: rgb(12 14 17 / 0.72);
        font-size: 11px;
        line-height: 14px;
      }
      button {
        height: 28px;
        min-width: 28px;
        padding: 0 6px;
        border-radius: 4px;
        display: inline-flex;
        align-items: center;
        justify-content: center;
        gap: 6px;
        color: #fff;
        background: rgb(255 255 255 / 0.16);
        white-space: nowrap;
        flex: none;
        user-select: none;
        -webkit-touch-callout: none;
      }
      button:hover {
        background: rgb(255 255 255 / 0.28);
      }
      button.on {
        background: #1e7d3c;
      }
      button.leave {
        background: #c5221f;
      }
      button:focus-visible {
        outline: 2px solid #fff;
        outline-offset: -2px;
      }
      p {
        margin: 4px;
        max-width: 320px;
        line-height: 16px;
      }
      label {
        display: grid;
        grid-template-columns: 80px minmax(0, 1fr);
        align-items: center;
        gap: 8px;
        margin: 4px;
      }
      select {
        min-width: 0;
        height: 28px;
        padding: 0 4px;
        border: 0;
        border-radius: 4px;
        color: #fff;
        background: #2a2e34;
      }
      @media (pointer: coarse) {
        button,
        select {
          height: 44px;
          min-width: 44px;
        }
      }
      @container (max-width: 560px) {
        :host {
          top: 72px; /* the slice's name stays in sight, and the ruler */
          max-width: calc(100% - 64px);
        }
        .row {
          flex-wrap: wrap;
          justify-content: flex-end;
        }
        .people {
          flex: 1 1 auto;
        }
        /* Pictures have a row of their own: the buttons stay together. */
        .row:has(video) .people {
          flex-basis: 100%;
        }
      }
    `,
  ];

  private pressedMs: number | null = null;
  private showsDevices = false;

  constructor(context: ViewContext) {
    super(context);
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Call");
  }

  protected override shows(): readonly unknown[] {
    const { call, people } = this.context.session;
    return [call.revision, people.all];
  }

  protected override firstUpdated(): void {
    const watch = new ResizeObserver(() => this.makeRoom());
    watch.observe(this);
    this.context.signal.addEventListener("abort", () => watch.disconnect(), { once: true });
  }

  /** What is said over the picture lies beside the bar, or below it; in the middle, if both have room. */
  private makeRoom(): void {
    const stage = this.parentElement;
    if (!stage) return;
    const { offsetWidth: width, offsetHeight: height, offsetTop: top } = this; // 0 while it is hidden
    const beside = stage.clientWidth - width - 24;
    const isTight = width > 0 && stage.clientWidth < 2 * (width + 24) + TOAST_PX;
    const isBeside = isTight && beside > TOAST_PX;
    const put = (name: string, px: number, isSet: boolean): void =>
      stage.style.setProperty(`--toast-${name}`, isSet ? `${px}px` : "");
    put("left", beside / 2, isBeside);
    put("width", beside - 48, isBeside);
    put("top", top + height - 16, isTight && !isBeside);
  }

  protected override updated(): void {
    const { call } = this.context.session;
    for (const member of call.members) {
      const video = this.find<HTMLVideoElement>(`[data-seat="${member.seat}"] video`);
      const stream = call.videoOf(member);
      if (video && video.srcObject !== stream) video.srcObject = stream;
    }
  }

  protected override focusLost(): void {
    const next = this.find("[part=mute]") ?? this.find("button");
    if (next) next.focus();
    else this.context.ask("focus");
  }

  protected override render(): TemplateResult | typeof nothing {
    const { call } = this.context.session;
    this.toggleAttribute("hidden", call.phase === "out" && !call.trouble);
    this.setAttribute("data-way", call.isRelayed ? "server" : "browsers");
    return html`${this.trouble()}${this.question()}${call.phase === "out" ? nothing : this.call()}`;
  }

  private trouble(): TemplateResult | typeof nothing {
    const { call, people } = this.context.session;
    if (!call.trouble) return nothing;
    const { message, hint } = call.trouble;
    const mayListen = call.phase === "out" && people.mayCall;
    return html`<p role="alert">${message} ${hint}</p>
      <div class="row">
        <span class="grow"></span>
        ${mayListen ? html`<button part="talk-again" @click=${() => void call.join()}>Try again</button><button part="listen" @click=${() => void call.join(true)}>Listen only</button>` : nothing}
        <button part="dismiss" @click=${() => call.dismiss()}>Close</button>
      </div>`;
  }

  /** Asked once while a recording runs; nothing is sent before somebody says yes. */
  private question(): TemplateResult | typeof nothing {
    const { voice } = this.context.session.call;
    if (!voice.isAsked || ["yes", "no", "never"].includes(voice.answer)) return nothing;
    if (voice.answer !== "open") {
      const why = voice.reason || "it has no coder for sound";
      return html`<p role="alert">This session is being recorded. This browser cannot record your voice: ${why}.</p>
        <div class="row"><span class="grow"></span><button part="dismiss-voice" @click=${() => voice.dismiss()}>Close</button></div>`;
    }
    return html`<p role="alert">This session is being recorded. Record your voice too?</p>
      <div class="row">
        <span class="grow"></span>
        <button part="voice-yes" @click=${() => voice.agree(true)}>Yes</button>
        <button part="voice-no" @click=${() => voice.agree(false)}>No</button>
      </div>`;
  }

  /** Takes the answer back, or gives it after all. */
  private voiceButton(): TemplateResult | typeof nothing {
    const { voice } = this.context.session.call;
    const isOn = voice.answer === "yes";
    if (!voice.isAsked || !(isOn || voice.answer === "no")) return nothing;
    const label = isOn ? "Your voice is recorded: stop that" : "Record your voice too";
    return html`<button part="voice" class=${isOn ? "" : "off"} aria-label=${label} title=${label} @click=${() => voice.agree(!isOn)}><i></i></button>`;
  }

  private call(): TemplateResult {
    const { call } = this.context.session;
    if (!call.isIn) {
      const words = call.phase === "asking" ? "The browser asks for the microphone" : "Joining";
      return html`<div class="row"><span class="cut" role="status">${words}…</span>${this.leaveButton()}</div>`;
    }
    return html`<div class="row">
      <div class="people grow" title=${call.isRelayed ? BY_SERVER : nothing}>${call.members.map((member) => this.member(member))}</div>
      ${this.voiceButton()} ${call.hasMicrophone ? this.muteButton() : nothing} ${this.cameraButton()}
      <button part="call-devices" aria-label=${DEVICES} title=${DEVICES} aria-expanded=${this.showsDevices ? "true" : "false"} @click=${() => this.toggleDevices()}>${icon("gear")}</button>
      ${this.leaveButton()}
    </div>
    ${this.showsDevices ? deviceChoices(call) : nothing}`;
  }

  private toggleDevices(): void {
    this.showsDevices = !this.showsDevices;
    this.requestUpdate();
  }

  private member(member: CallMember): TemplateResult | typeof nothing {
    const { call, people } = this.context.session;
    const person = people.all.find(({ id }) => id === member.person);
    if (!person) return nothing;
    const { recorded } = member;
    const isOwn = member.seat === call.seat;
    const speaks = call.speaking.has(person.id);
    const muted = isOwn ? call.isMuted : member.muted;
    const state = call.stateOf(member);
    const video = call.videoOf(member);
    const words = wordsOf(person, { isOwn, muted, speaks, recorded, state });
    const classes = [
      "who",
      isOwn ? "own" : "",
      speaks ? "speaking" : "",
      state === "connected" ? "" : "far",
    ];
    return html`<span class=${classes.join(" ")} part="talks" data-seat=${member.seat} data-state=${state} role="img" aria-label=${words} title=${words}>
      ${video ? html`<video autoplay playsinline .muted=${true}></video><span class="name cut"><bdi>${person.name}</bdi></span>` : avatar(person, speaks)}
      ${muted ? icon("muted") : nothing}${recorded ? html`<i></i>` : nothing}
    </span>`;
  }

  // ------------------------------------------------------------ what one can do

  private muteButton(): TemplateResult {
    const { call } = this.context.session;
    const label = call.isMuted ? "Unmute" : "Mute";
    const title = `${label}; hold to talk (${TALK_KEY})`;
    return html`<button
      part="mute"
      class=${call.isMuted ? "" : "on"}
      aria-label=${label}
      title=${title}
      @pointerdown=${(event: PointerEvent) => this.pressed(event)}
      @pointerup=${() => this.released()}
      @pointercancel=${() => this.released()}
      @contextmenu=${(event: Event) => event.preventDefault()}
      @click=${(event: MouseEvent) => this.clicked(event)}
    >
      ${icon(call.isMuted ? "muted" : "microphone")}
    </button>`;
  }

  /** Who is muted is heard at once, and stays so after a short press. */
  private pressed(event: PointerEvent): void {
    const { call } = this.context.session;
    if (event.button !== 0 || !call.isMuted) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    this.pressedMs = performance.now();
    call.hold(true);
  }

  private released(): void {
    if (this.pressedMs === null) return;
    const { call } = this.context.session;
    if (performance.now() - this.pressedMs < HELD_MS) call.setMuted(false);
    call.hold(false);
  }

  private clicked(event: MouseEvent): void {
    const { call } = this.context.session;
    const wasPressed = this.pressedMs !== null;
    this.pressedMs = null;
    if (!wasPressed || event.detail === 0) call.setMuted(!call.isMuted);
  }

  private cameraButton(): TemplateResult {
    const { call } = this.context.session;
    const label = call.hasCamera ? "Camera off" : "Camera on";
    return html`<button part="camera" class=${call.hasCamera ? "on" : ""} aria-label=${label} title=${label} @click=${() => void call.setCamera(!call.hasCamera)}>${icon("video")}</button>`;
  }

  private leaveButton(): TemplateResult {
    const { call } = this.context.session;
    return html`<button part="leave-call" class="leave" aria-label="Leave the call" title="Leave the call" @click=${() => call.leave()}>${icon("hangup")}</button>`;
  }
}

interface Manner {
  readonly isOwn: boolean;
  readonly muted: boolean;
  readonly speaks: boolean;
  readonly recorded: boolean;
  readonly state: string;
}

function wordsOf(
  { name }: SharedPerson,
  { isOwn, muted, speaks, recorded, state }: Manner,
): string {
  const words = [isOwn ? `${name} (you)` : name];
  if (state === "connecting") words.push("is being connected");
  else if (state === "failed") words.push("cannot be reached from here");
  else if (muted) words.push("muted");
  else if (speaks) words.push("speaks");
  if (recorded) words.push("voice recorded");
  return words.join(", ");
}

define("blustream-call-bar", CallBar);
