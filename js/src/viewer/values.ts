/** The fourth place of a "quad": where the planes meet, what is there, and what is shown. */
import { css, html, nothing, type TemplateResult } from "lit";
import { channelText, planeColour, sliceText } from "./axes";
import type { ViewContext } from "./context";
import { type Fact, viewFacts } from "./facts";
import { labelsText } from "./legend";
import { define, Part, SCROLL_MS } from "./part";
import { channelOf } from "./range";
import { shared } from "./styles";

/** Facts that the other lines here say already. */
const SAID = new Set(["Crosshair", "Comes by", "Encoder", "Viewers"]);

const WORDS = {
  pointer: "at the pointer",
  link: "at the pointer of a linked viewer",
  crosshair: "at the crosshair",
} as const;

export class ValuesPane extends Part {
  static override styles = [
    shared,
    css`
      :host {
        flex: 1;
        min-width: 0;
        display: flex;
        flex-direction: column;
        justify-content: center;
        gap: 16px;
        padding: 16px 20px;
        overflow: hidden;
        background: var(--bg);
        container-type: size;
      }
      .value {
        font-size: 28px;
        line-height: 32px;
        font-weight: 600;
        white-space: nowrap;
      }
      .labels {
        font-size: 13px;
      }
      .of {
        color: var(--fg2);
        font-size: 12px;
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 6px 16px;
        margin: 0;
        max-width: 320px;
      }
      dt {
        color: var(--fg2);
        display: flex;
        align-items: center;
        gap: 8px;
      }
      dd {
        margin: 0;
        text-align: right;
        white-space: nowrap;
      }
      dd b {
        font-weight: 600;
      }
      i {
        width: 8px;
        height: 8px;
        border-radius: 2px;
        flex: none;
        forced-color-adjust: none;
      }
      @container (max-height: 240px) {
        .facts {
          display: none;
        }
      }
      @container (max-height: 130px) or (max-width: 150px) {
        .where {
          display: none;
        }
      }
    `,
  ];

  constructor(context: ViewContext) {
    super(context, SCROLL_MS);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { context } = this;
    const { info, state } = context.session;
    if (!info) return nothing;
    const here = context.here ?? state.slice_idx;
    const read = context.valueHere;
    const labels = labelsText(context.session, read);
    const value = read?.value == null ? "–" : channelText(info, state.channel, read.value);
    return html`
      <div>
        <div class="of">${channelOf(info, state.channel).name} ${WORDS[context.mark]}</div>
        <div class="value" part="value">${read && read.value === null ? "no data" : value}</div>
        ${labels ? html`<div class="labels cut" part="labels" title=${labels}>${labels}</div>` : nothing}
      </div>
      <dl class="where">
        ${[0, 1, 2].map((index) => {
          const [title, position] = sliceText(info, index, here[index] ?? 0);
          return html`<dt><i style="background:${planeColour(info, index)}"></i>${title}</dt>
            <dd><b>${position}</b></dd>`;
        })}
      </dl>
      <dl class="facts">${viewFacts(context)
        .filter(([label]) => !this.isSaid(label))
        .map(this.fact)}</dl>
    `;
  }

  private isSaid(label: string): boolean {
    return SAID.has(label) || label.endsWith(" there");
  }

  private fact([label, text]: Fact): TemplateResult {
    return html`<dt class="cut" title=${label}>${label}</dt><dd>${text}</dd>`;
  }
}

define("blustream-values-pane", ValuesPane);
