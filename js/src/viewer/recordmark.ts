/**
 * The red dot that everybody sees while the view is recorded; those who may, end it there. Beside
 * it: that an SFU passes the view on.
 */
import { css, html, nothing, type TemplateResult } from "lit";
import { clockText } from "../live-recording";
import type { ViewContext } from "./context";
import type { Entry } from "./entries";
import { define, Part } from "./part";
import { shared } from "./styles";

export class RecordMark extends Part {
  static override styles = [
    shared,
    css`
      :host {
        display: inline-flex;
        flex: none;
        gap: 6px;
      }
      button,
      span.mark {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        height: 20px;
        padding: 0 8px;
        border-radius: 10px;
        font-size: 12px;
        color: #fff;
        background: #c5221f;
        font-variant-numeric: tabular-nums;
        forced-color-adjust: none;
      }
      i {
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: #fff;
      }
      span.published {
        background: #1a5fb4;
      }
      span.gone {
        color: #1f1f1f;
        background: #f2b824;
      }
      button:hover i,
      button:focus-visible i {
        border-radius: 1px;
      }
    `,
  ];

  constructor(context: ViewContext) {
    super(context);
    context.session.recording.onChange(() => this.requestUpdate(), context.signal);
  }

  protected override shows(): readonly unknown[] {
    const { recording } = this.context.session;
    return [recording.state, recording.published];
  }

  protected override render(): TemplateResult {
    return html`${this.published()}${this.recorded()}`;
  }

  private published(): TemplateResult | typeof nothing {
    const { published } = this.context.session.recording;
    if (!published || published.phase === "starting") return nothing;
    const { sfu, place, message } = published;
    const where = place ? `${sfu} (${place})` : sfu;
    const [look, text, title] =
      published.phase === "on"
        ? ["published", "Published", `This view is passed on to others by ${where}`]
        : ["gone", `No ${sfu}`, message || `${sfu} is not there; it is tried again`];
    return html`<span class="mark ${look}" part="published" role="status" aria-label=${title} title=${title}>${text}</span>`;
  }

  private recorded(): TemplateResult | typeof nothing {
    const { recording } = this.context.session;
    const { state } = recording;
    if (!state || state.phase === "off") return nothing;
    const text = state.phase === "stopping" ? "Saving…" : `REC ${clockText(state.duration_s)}`;
    if (!state.may || state.phase === "stopping") {
      return html`<span class="mark" role="status" aria-label="This view is recorded" title="This view is recorded"><i></i>${text}</span>`;
    }
    const title = `Recording to ${state.name}: click to stop`;
    return html`<button part="record" title=${title} aria-label=${title} @click=${() => recording.toggle()}><i></i>${text}</button>`;
  }
}
define("blustream-record-mark", RecordMark);

/** What can be done about it, for the menus; nothing for those who may not. */
export function recordEntries({ session: { recording } }: ViewContext): readonly Entry[] {
  const { state } = recording;
  if (!state?.may) return [];
  const label = state.phase === "off" ? "Record the view" : "Stop recording";
  return ["line", { label, icon: "record", act: () => recording.toggle() }];
}
