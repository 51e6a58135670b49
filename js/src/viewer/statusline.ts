/** The line at the bottom: where the pointer is and what is there; how pictures come, and how good they are. */
import { css, html, nothing, type TemplateResult } from "lit";
import { channelText, mapText, positionText } from "./axes";
import type { ViewContext } from "./context";
import { fixed } from "./format";
import { icon } from "./icons";
import { labelsText } from "./legend";
import { define, Part, SCROLL_MS } from "./part";
import { channelOf } from "./range";
import { RecordMark } from "./recordmark";
import { paneStateOf, stateWords } from "./states";
import { pathText, pathTitle } from "./statustext";
import { byWidth, shared } from "./styles";

export class StatusLine extends Part {
  static override styles = [
    shared,
    byWidth,
    css`
      :host {
        display: flex;
        align-items: center;
        gap: 16px;
        height: 24px;
        padding: 0 12px;
        border-top: 1px solid var(--line);
        font-size: 12px;
        color: var(--fg2);
        flex: none;
        white-space: nowrap;
        overflow: hidden;
      }
      @container (max-width: 560px) {
        :host {
          gap: 10px;
          padding: 0 8px;
        }
      }
      b {
        font-weight: 500;
        color: var(--fg);
      }
      .dot {
        display: inline-block;
        width: 8px;
        height: 8px;
        border-radius: 50%;
        margin-right: 6px;
        forced-color-adjust: none;
      }
      .value {
        min-width: 9ch;
      }
      span {
        flex: none;
      }
      .grow {
        flex: 1 0 0;
      }
      .cut {
        flex: 0 1 auto;
        min-width: 0;
      }
      .path {
        flex-shrink: 1000;
      }
      .icon {
        display: inline-block;
        vertical-align: -3px;
        margin-right: 4px;
      }
    `,
  ];

  private readonly recordMark: RecordMark;

  constructor(context: ViewContext) {
    super(context, SCROLL_MS);
    this.recordMark = new RecordMark(context);
  }

  protected override render(): TemplateResult {
    const { session, ui, actions } = this.context;
    const { status, state, info } = session;
    const pane = paneStateOf(status, info !== null, ui.shown !== null);
    const [words, colour, more] = stateWords(pane, status, actions.canDrive, ui.restarted);
    return html`
      ${this.here()}
      <span class="grow"></span>
      ${this.recordMark}
      ${
        state.stretch !== 1
          ? html`<span class="medium">Stretch ${fixed(state.stretch, 2)}×</span>`
          : nothing
      }
      ${info ? html`<span class="roomy">Zoom ${this.zoomText(state.zoom)}</span>` : nothing}
      ${info ? html`<span class="roomy cut path" title=${pathTitle(status)}>${pathText(status)}</span>` : nothing}
      <span class="state" part="state" title=${pathText(status)}>
        <span class="dot" style="background:${colour}"></span>${words}${more ? html`<span class="medium"> ${more}</span>` : nothing}
      </span>
    `;
  }

  private zoomText(zoom: number): string {
    return zoom >= 10 ? `${fixed(zoom, 0)}×` : `${fixed(zoom, zoom === 1 ? 0 : 2)}×`;
  }

  private here(): TemplateResult | typeof nothing {
    const { session, here, mark } = this.context;
    const { info, state } = session;
    if (!info || !here) return info ? html`<span class="cut">${info.name}</span>` : nothing;
    const channel = channelOf(info, state.channel);
    const read = this.context.valueHere;
    const labels = labelsText(session, read);
    // Read from the data: while the answer is on its way there is none, never the last one.
    const value = !read
      ? "…"
      : read.value === null
        ? "no data"
        : channelText(info, state.channel, read.value);
    return html`
      <span class="cut" part="position">${mark === "pointer" ? nothing : icon(mark)}<b>${positionText(info, here)}</b></span>
      <span class="value" part="value" title="Read from the data, not from the picture">
        <span class="medium">${channel.name} </span><b>${value}</b>
      </span>
      ${labels ? html`<span class="cut" part="labels" title=${labels}>${labels}</span>` : nothing}
      ${
        mapText(info, here).length
          ? html`<span class="ample">
            ${mapText(info, here).map(([letter, text]) => html`${letter}&nbsp;<b>${text}</b> `)}${info.world_unit}
          </span>`
          : nothing
      }
    `;
  }
}

define("blustream-status-line", StatusLine);
