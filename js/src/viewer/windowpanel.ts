/** Window and colours: histogram, ends, presets, colour map. */
import { css, html, nothing, type TemplateResult } from "lit";
import { ClipColours } from "./clipcolours";
import type { ViewContext } from "./context";
import { parseNumber, rangeText, signed } from "./format";
import { Histogram } from "./histogram";
import { icon } from "./icons";
import { MapChooser } from "./mapchooser";
import { CALM_MS, define, Part } from "./part";
import {
  autoRange,
  channelOf,
  highOf,
  isSigned,
  lowOf,
  type Preset,
  presetsOf,
  sameRange,
} from "./range";
import { shared } from "./styles";
import { typed } from "./typed";

export class WindowPanel extends Part {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
        padding: 12px;
      }
      h2 {
        margin: 0;
        white-space: nowrap;
        font-size: 13px;
        line-height: 16px;
        font-weight: 600;
      }
      .head {
        display: flex;
        align-items: baseline;
        gap: 8px;
        margin-bottom: 10px;
        font-size: 12px;
      }
      :host(.beside) .head {
        padding-right: 28px;
      }
      .ends {
        display: grid;
        grid-template-columns: 1fr 1fr 32px;
        gap: 8px;
        margin: 8px 0 12px;
      }
      .field {
        height: 28px;
        border-radius: 4px;
        box-shadow: inset 0 0 0 1px var(--line1);
        display: flex;
        align-items: center;
        padding: 0 6px 0 8px;
        gap: 4px;
        min-width: 0;
        font-size: 12px;
      }
      .field:focus-within {
        box-shadow: inset 0 0 0 2px var(--accent);
      }
      .field input {
        border: 0;
        background: none;
        outline: none;
        padding: 0;
        width: 100%;
        min-width: 0;
        text-align: right;
      }
      @container (max-width: 360px) {
        .field input {
          font-size: 13px !important; /* a number of five digits has no room for more */
        }
      }
      .lock {
        height: 28px;
      }
      .rule {
        height: 1px;
        background: var(--line);
        margin: 12px 0;
      }
      .boxes {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 16px;
        margin-top: 8px;
      }
      .boxes label {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        height: 28px;
        cursor: pointer;
      }
      .boxes input {
        accent-color: var(--solid);
        width: 14px;
        height: 14px;
        margin: 0;
      }
      @media (pointer: coarse) {
        .choice {
          height: 44px;
          border-radius: 22px;
          padding: 0 14px;
        }
        .field,
        .lock,
        .boxes label {
          height: 44px;
        }
        .ends {
          grid-template-columns: 1fr 1fr 44px;
        }
      }
    `,
  ];

  private readonly histogram: Histogram;
  private readonly chooser: MapChooser;
  private readonly clips: ClipColours;

  constructor(context: ViewContext) {
    super(context, CALM_MS);
    this.histogram = new Histogram(context);
    this.chooser = new MapChooser(context);
    this.clips = new ClipColours(context);
  }

  protected override shows(): readonly unknown[] {
    const { session, actions } = this.context;
    const { info, state } = session;
    const { channel, window, level, reverse, interpolate } = state;
    return [info, channel, window, level, reverse, interpolate, actions.symmetricLock];
  }

  focusFirst(): void {
    void this.histogram.updateComplete.then(() => {
      const handle = this.histogram.renderRoot.querySelector<HTMLElement>(".end");
      if (handle) handle.focus({ preventScroll: true });
      else this.chooser.focusFirst();
    });
  }

  protected override render(): TemplateResult | typeof nothing {
    const { info, state } = this.context.session;
    if (!info) return nothing;
    const channel = channelOf(info, state.channel);
    const unit = channel.unit ? ` (${channel.unit})` : "";
    return html`
      <div class="head">
        <h2>Window and colours</h2>
        <span class="grow"></span>
        <span class="quiet cut" title="Of the whole volume">${channel.name}${unit}</span>
      </div>
      ${channel.is_label ? nothing : [this.histogram, this.ends(), this.presets()]}
      ${channel.is_label ? nothing : html`<div class="rule"></div>`}
      ${this.chooser} ${channel.is_label ? nothing : this.clips}
      <div class="boxes">
        ${this.box("Reverse", state.reverse, (on) => this.context.actions.setReverse(on))}
        ${
          channel.is_label
            ? nothing
            : this.box("Smooth between voxels", state.interpolate, (on) =>
                this.context.actions.setInterpolate(on),
              )
        }
      </div>
    `;
  }

  private ends(): TemplateResult {
    const { actions, session } = this.context;
    const { info, state } = session;
    const signedData = info !== null && isSigned(info, channelOf(info, state.channel));
    const [low, high] = [lowOf(state), highOf(state)];
    return html`<div class="ends">
      ${this.field("Low", low, signedData, (v) => actions.setEnds(v, actions.isSymmetric ? -v : high))}
      ${this.field("High", high, signedData, (v) => actions.setEnds(actions.isSymmetric ? -v : low, v))}
      ${signedData ? this.lock() : html`<span></span>`}
      ${this.field("Window", state.window, false, (window) => {
        if (window > 0) actions.setRange({ window, level: state.level });
      })}
      ${this.field("Level", state.level, signedData, (level) => {
        if (level !== 0) actions.symmetricLock = false;
        actions.setRange({ window: state.window, level });
      })}
    </div>`;
  }

  private lock(): TemplateResult {
    const { actions } = this.context;
    return html`<button
      class="tool lock"
      aria-label="Symmetric about zero"
      title="Symmetric about zero"
      aria-pressed=${actions.symmetricLock ? "true" : "false"}
      @click=${() => {
        actions.symmetricLock = !actions.symmetricLock;
        this.requestUpdate();
      }}
    >
      ${icon("link")}
    </button>`;
  }

  private field(
    label: string,
    value: number,
    withSign: boolean,
    change: (value: number) => void,
  ): TemplateResult {
    const text = rangeText(value, this.context.session.state.window);
    const shown = withSign ? signed(text, value) : text;
    return html`<label class="field"
      ><span class="quiet">${label}</span>
      <input
        type="text"
        inputmode="decimal"
        autocomplete="off"
        .value=${typed(shown)}
        @focus=${(e: FocusEvent) => (e.target as HTMLInputElement).select()}
        @change=${(e: Event) => {
          const field = e.target as HTMLInputElement;
          const number = parseNumber(field.value);
          if (number === null) this.context.note(`“${field.value}” is not a number.`);
          else if (field.value !== shown) change(number);
          field.value = shown;
          this.requestUpdate();
        }}
      />
    </label>`;
  }

  private presets(): TemplateResult {
    const { actions, session } = this.context;
    const { info, state } = session;
    if (!info) return html``;
    const channel = channelOf(info, state.channel);
    const auto: Preset = { label: "Auto", ...autoRange(info, channel) };
    const chip = (preset: Preset, key: string, act: () => void): TemplateResult =>
      html`<button
        class="choice"
        title="${preset.label} (${key})"
        aria-pressed=${sameRange(preset, state) ? "true" : "false"}
        @click=${act}
      >
        ${preset.label}
      </button>`;
    return html`<div class="chips" role="group" aria-label="Window presets">
      ${chip(auto, "N", () => actions.autoRange())}
      ${presetsOf(info, channel).map((preset, i) =>
        chip(preset, `Shift+${i + 1}`, () => actions.preset(i)),
      )}
    </div>`;
  }

  private box(label: string, checked: boolean, change: (on: boolean) => void): TemplateResult {
    return html`<label
      ><input
        type="checkbox"
        .checked=${checked}
        @change=${(e: Event) => change((e.target as HTMLInputElement).checked)}
      />${label}</label
    >`;
  }
}

define("blustream-window-panel", WindowPanel);
