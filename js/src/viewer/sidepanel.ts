/** The panel at the side: window and colours, the view, the volume. */
import { css, html, nothing, type TemplateResult } from "lit";
import { AnnotationPanel } from "../annotations/panel";
import { isMap } from "../geometry";
import type { Channel } from "../protocol";
import type { ViewContext } from "./context";
import { type Fact, viewFacts, volumeFacts } from "./facts";
import { icon } from "./icons";
import { labelsOf, legend } from "./legend";
import { OverlayPanel } from "./overlays";
import { define, Part } from "./part";
import { planeControlStyles, slabControls, turnControls } from "./planecontrols";
import { channelOf } from "./range";
import { SegmentationPanel } from "./segmentations";
import { shared } from "./styles";
import { TalkPanel } from "./talk";
import { wiggleControls } from "./wigglecontrols";
import { WindowPanel } from "./windowpanel";

/** Numbers that are looked up, not watched: five times a second is enough, and costs no frames. */
const APART_MS = 200;

export class SidePanel extends Part {
  static override styles = [
    shared,
    planeControlStyles,
    css`
      :host {
        display: block;
        width: 288px;
        flex: none;
        overflow: auto;
        overscroll-behavior: contain;
        background: var(--bg);
        border-left: 1px solid var(--line);
        font-size: 12px;
      }
      @container (max-width: 859.9px) {
        :host {
          position: absolute;
          inset: 0 0 0 auto;
          max-width: calc(100% - 32px);
          z-index: 4;
          box-shadow: var(--shadow);
        }
      }
      .grip {
        display: none;
      }
      @media (pointer: coarse) {
        @container (max-width: 560px) {
          :host {
            inset: auto 0 0;
            width: auto;
            max-width: none;
            max-height: 62%;
            border-left: 0;
            border-radius: 8px 8px 0 0;
          }
          .grip {
            display: block;
            width: 32px;
            height: 4px;
            border-radius: 2px;
            background: var(--line1);
            margin: 6px auto -2px;
          }
        }
      }
      .top {
        position: relative;
      }
      .top .tool {
        position: absolute;
        top: 4px;
        right: 4px;
        z-index: 1;
      }
      h2 {
        margin: 0;
        font-size: 13px;
        line-height: 16px;
        font-weight: 600;
      }
      section {
        border-top: 1px solid var(--line);
        padding: 12px;
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 6px 12px;
        margin: 10px 0 0;
      }
      dt {
        color: var(--fg2);
        max-width: 110px;
      }
      dd {
        margin: 0;
        text-align: right;
        overflow-wrap: anywhere;
      }
      .legend {
        list-style: none;
        margin: 8px 0 0;
        padding: 0;
        max-height: 240px;
        overflow: auto;
        overscroll-behavior: contain;
        font-size: 13px;
      }
      .legend li {
        display: flex;
        align-items: center;
        gap: 8px;
        height: 24px;
      }
      .legend i {
        width: 14px;
        height: 14px;
        flex: none;
        border-radius: 3px;
        box-shadow: inset 0 0 0 1px rgba(128, 128, 128, 0.6);
        forced-color-adjust: none;
      }
      label {
        display: flex;
        align-items: center;
        gap: 8px;
        height: 28px;
        margin-top: 4px;
        cursor: pointer;
        font-size: 13px;
      }
      label input {
        accent-color: var(--solid);
        width: 14px;
        height: 14px;
        margin: 0;
      }
      @media (pointer: coarse) {
        .tool,
        label {
          height: 44px;
          min-width: 44px;
        }
      }
    `,
  ];

  private readonly window: WindowPanel;
  private readonly annotations: AnnotationPanel;
  private readonly segmentations: SegmentationPanel;
  private readonly overlays: OverlayPanel;
  private readonly talk: TalkPanel;

  constructor(context: ViewContext) {
    super(context, APART_MS);
    this.window = new WindowPanel(context);
    this.annotations = new AnnotationPanel(context);
    this.segmentations = new SegmentationPanel(context);
    this.overlays = new OverlayPanel(context);
    this.talk = new TalkPanel(context);
    this.window.className = "beside"; // room for the button that closes the panel
    this.setAttribute("role", "complementary");
    this.setAttribute("aria-label", "Details");
  }

  protected override render(): TemplateResult | typeof nothing {
    const { context } = this;
    const { info, state } = context.session;
    if (!info) return nothing;
    return html`
      <div class="grip"></div>
      <div class="top">
        ${this.window}
        <button class="tool" aria-label="Close the side panel" title="Close (])" @click=${() => context.set({ panel: false })}>
          ${icon("close")}
        </button>
      </div>
      ${context.session.people.isShared ? this.talk : nothing} ${this.annotations}
      <section aria-labelledby="view">
        <h2 id="view">View</h2>
        <label
          ><input
            type="checkbox"
            .checked=${state.crosshair}
            @change=${(e: Event) => context.actions.showCrosshair((e.target as HTMLInputElement).checked)}
          />Crosshair</label
        >
        ${
          isMap(info, state.axis)
            ? html`<label
                ><input
                  type="checkbox"
                  .checked=${state.north_up}
                  @change=${(e: Event) => context.actions.setNorthUp((e.target as HTMLInputElement).checked)}
                />North up</label
              >`
            : nothing
        }
        ${turnControls(context)} ${wiggleControls(context)} ${slabControls(context)}
        ${this.list(viewFacts(context))}
      </section>
      ${this.overlays} ${this.segmentations} ${this.labels(channelOf(info, state.channel))}
      <section aria-labelledby="volume">
        <h2 id="volume">Volume</h2>
        ${this.list(volumeFacts(info))}
      </section>
    `;
  }

  private labels(channel: Channel): TemplateResult | typeof nothing {
    const { palettes, state } = this.context.session;
    if (!channel.is_label) return nothing;
    return html`<section aria-labelledby="labels">
      <h2 id="labels">Labels</h2>
      ${legend(labelsOf(channel, palettes.styleOf(state.label_style)))}
    </section>`;
  }

  private list(facts: readonly Fact[]): TemplateResult {
    return html`<dl>
      ${facts.map(([label, text]) => html`<dt class="cut" title=${label}>${label}</dt><dd>${text}</dd>`)}
    </dl>`;
  }
}

define("blustream-side-panel", SidePanel);
