/** Keys and gestures, shown by `?`. */
import { css, html, type TemplateResult } from "lit";
import { axisTitle } from "./axes";
import { type HelpRow, helpRows, TOUCH_ROWS } from "./bindings";
import { icon } from "./icons";
import { define, Part } from "./part";
import { byWidth, shared } from "./styles";

export class Help extends Part {
  static override styles = [
    shared,
    byWidth,
    css`
      :host {
        position: absolute;
        inset: 0;
        background: rgba(0, 0, 0, 0.38);
        display: grid;
        place-items: center;
        z-index: 6;
        padding: 8px;
      }
      .dialog {
        width: min(680px, 100%);
        max-height: 100%;
        overflow: auto;
        padding: 16px;
      }
      .head {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      h2 {
        margin: 0;
        font-size: 15px;
        line-height: 20px;
        font-weight: 600;
      }
      h3 {
        margin: 12px 0 0;
        font-size: 12px;
        font-weight: 600;
        color: var(--fg2);
      }
      dl {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(240px, 1fr));
        gap: 2px 32px;
        margin: 8px 0 0;
      }
      dl div {
        display: flex;
        justify-content: space-between;
        align-items: center;
        min-height: 26px;
        gap: 12px;
      }
      dd {
        margin: 0;
        display: flex;
        gap: 4px;
        flex-wrap: wrap;
        justify-content: flex-end;
      }
      .small {
        font-size: 12px;
      }
      @media (pointer: coarse) {
        .tool {
          height: 44px;
          min-width: 44px;
        }
      }
    `,
  ];

  focusFirst(): void {
    this.find("button")?.focus();
  }

  protected override render(): TemplateResult {
    const { context } = this;
    const isByTouch = matchMedia("(pointer: coarse)").matches;
    const [keys, touch] = [this.keys(), this.rows(TOUCH_ROWS)];
    const close = (): void => context.set({ open: "" });
    return html`<div
      class="dialog floating"
      role="dialog"
      aria-modal="true"
      aria-labelledby="title"
      @click=${(e: Event) => e.stopPropagation()}
    >
      <div class="head">
        <h2 id="title" class="grow">Keys and gestures</h2>
        <span class="quiet small medium">only while the viewer has the focus</span>
        <button class="tool" aria-label="Close" title="Close (Esc)" @click=${close}>${icon("close")}</button>
      </div>
      ${isByTouch ? [touch, html`<h3>Keys and mouse</h3>`, keys] : [keys, html`<h3>Touch</h3>`, touch]}
    </div>`;
  }

  private keys(): TemplateResult {
    const { context } = this;
    const { info } = context.session;
    const axes = info?.axes.map(axisTitle) ?? ["Slice direction"];
    const fits = { seismic: info?.kind === "seismic", time: context.time.count > 1 };
    const rows = helpRows(axes, context.settings.now.mouse);
    return this.rows(rows.filter(({ only }) => !only || fits[only]));
  }

  private rows(rows: readonly HelpRow[]): TemplateResult {
    return html`<dl>
      ${rows.map(
        ({ action, keys }) =>
          html`<div>
            <dt>${action}</dt>
            <dd>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dd>
          </div>`,
      )}
    </dl>`;
  }
}

define("blustream-help", Help);
