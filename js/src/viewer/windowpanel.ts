/** Window and colours: histogram, ends, presets, colour map. */
import { css, html, nothing, type TemplateResult } from "lit";
import { COLORMAPS } from "../protocol";
import { colormapTitle, gradient } from "./colours";
import type { ViewContext } from "./context";
import { parseNumber, rangeText, signed } from "./format";
import { Histogram } from "./histogram";
import { icon } from "./icons";
import { CALM_MS, define, Part, rove } from "./part";
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
      .lock {
        height: 28px;
      }
      .rule {
        height: 1px;
        background: var(--line);
        margin: 12px 0;
      }
      .pick {
        width: 100%;
        height: 32px;
        border-radius: 4px;
        padding: 0 8px 0 4px;
        display: flex;
        align-items: center;
        gap: 8px;
        box-shadow: inset 0 0 0 1px var(--line1);
      }
      .swatch {
        width: 112px;
        height: 16px;
        border-radius: 2px;
        flex: none;
        box-shadow: inset 0 0 0 1px rgba(128, 128, 128, 0.45);
        forced-color-adjust: none;
      }
      .maps {
        margin-top: 4px;
        border-radius: 4px;
        box-shadow: inset 0 0 0 1px var(--line);
        padding: 2px;
      }
      .maps button {
        width: 100%;
        height: 28px;
        padding: 0 6px;
        display: flex;
        align-items: center;
        gap: 8px;
        border-radius: 3px;
        text-align: left;
      }
      .maps button:hover {
        background: var(--hover);
      }
      .maps [aria-checked="true"] {
        background: var(--on);
        color: var(--deep);
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
        .pick,
        .maps button,
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
  private mapsOpen = false;

  constructor(context: ViewContext) {
    super(context, CALM_MS);
    this.histogram = new Histogram(context);
  }

  protected override shows(): readonly unknown[] {
    const { session, actions } = this.context;
    const { info, state } = session;
    const { channel, window, level, colormap, reverse, interpolate } = state;
    return [info, channel, window, level, colormap, reverse, interpolate, actions.symmetricLock];
  }

  focusFirst(): void {
    void this.histogram.updateComplete.then(() => {
      const handle = this.histogram.renderRoot.querySelector<HTMLElement>(".end");
      (handle ?? this.find(".pick"))?.focus({ preventScroll: true });
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
      ${this.maps()}
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
        .value=${shown}
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

  private maps(): TemplateResult {
    const { state } = this.context.session;
    return html`<button
        class="pick"
        aria-label="Colour map: ${colormapTitle(state.colormap)}"
        aria-expanded=${this.mapsOpen ? "true" : "false"}
        @click=${() => {
          this.mapsOpen = !this.mapsOpen;
          this.requestUpdate();
        }}
      >
        ${this.swatch(state.colormap, "width:128px;height:24px")}
        <span class="grow cut" style="text-align:left">${colormapTitle(state.colormap)}</span>
        ${icon("down", "caret")}
      </button>
      ${this.mapsOpen ? this.mapList() : nothing}`;
  }

  private swatch(name: string, style: string): TemplateResult {
    const { reverse } = this.context.session.state;
    return html`<span class="swatch" style="background:${gradient(name, reverse, "right")};${style}"></span>`;
  }

  private mapList(): TemplateResult {
    const { actions, session } = this.context;
    const chosen = session.state.colormap;
    return html`<div
      class="maps"
      role="radiogroup"
      aria-label="Colour map"
      @keydown=${(e: KeyboardEvent) => {
        rove(e, [...this.renderRoot.querySelectorAll<HTMLElement>(".maps button")], true);
      }}
    >
      ${COLORMAPS.map(
        (name) => html`<button
          role="radio"
          aria-checked=${name === chosen ? "true" : "false"}
          tabindex=${name === chosen ? "0" : "-1"}
          @focus=${() => actions.setColormap(name)}
          @click=${() => actions.setColormap(name)}
        >
          ${this.swatch(name, "")}<span class="cut">${colormapTitle(name)}</span>
        </button>`,
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
