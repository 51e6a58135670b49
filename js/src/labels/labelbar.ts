/** The tools that edit labels, below the picture: while one is in hand and the side panel is away. */
import { css, html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { axisTitle } from "../viewer/axes";
import type { ViewContext } from "../viewer/context";
import { type IconName, icon } from "../viewer/icons";
import { labelColourOf, labelName } from "../viewer/legend";
import { define, Part, rove } from "../viewer/part";
import { shared } from "../viewer/styles";
import { LABEL_TOOLS } from "./catalogue";
import { paintable } from "./desk";
import { job, type PanelHost, settings, toldStyles } from "./toolpanel";

const APART_MS = 100;

export class LabelBar extends Part {
  static override styles = [
    shared,
    toldStyles,
    css`
      :host {
        display: none;
        flex: none;
        background: var(--bg);
        border-top: 1px solid var(--line);
      }
      /* Settings beside the tools; above them where there is no room, so that these are at the thumbs. */
      @container (max-width: 859.9px) {
        :host(:not([hidden])) {
          display: flex;
          flex-wrap: wrap-reverse;
        }
      }
      @media (pointer: coarse) {
        :host(:not([hidden])) {
          display: flex;
          flex-wrap: wrap-reverse;
        }
      }
      .told {
        flex: 1 1 440px;
        box-sizing: border-box;
        max-width: 100%;
        margin: 0;
        padding: 0 8px;
        border-radius: 0;
        background: none;
        display: flex;
        flex-wrap: wrap;
        gap: 0 12px;
        min-height: 36px;
        align-items: center;
      }
      .told .row {
        flex: 1 1 200px;
        min-width: 0;
      }
      .told .paint {
        flex: 0 1 112px;
      }
      .told .paint select {
        flex: 1;
      }
      .told .row:has(.main) {
        flex: 0 0 auto;
      }
      .told .row .grow.quiet {
        display: none; /* the label is told beside it */
      }
      .paint i {
        width: 14px;
        height: 14px;
        flex: none;
        border-radius: 3px;
        box-shadow: inset 0 0 0 1px rgba(128, 128, 128, 0.6);
        forced-color-adjust: none;
      }
      .told input[type="range"] {
        flex: 1;
        min-width: 60px;
        accent-color: var(--solid);
      }
      .tools {
        display: flex;
        max-width: 100%;
        box-sizing: border-box;
        gap: 2px;
        padding: 2px 4px 4px;
      }
      .tools .row {
        display: flex;
        gap: 2px;
        min-width: 0;
        overflow-x: auto;
        overscroll-behavior: contain;
        scrollbar-width: none;
      }
      .tools .rule {
        width: 1px;
        flex: none;
        margin: 6px 3px;
        background: var(--line);
      }
      @media (pointer: coarse) {
        .told {
          min-height: 44px;
        }
        .tools .tool {
          height: 44px;
          min-width: 44px;
        }
      }
    `,
  ];

  constructor(context: ViewContext) {
    super(context, APART_MS);
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Labels");
    context.labels.onChange(() => this.requestUpdate(), context.signal);
  }

  protected override shows(): readonly unknown[] {
    const { session, ui } = this.context;
    return [ui.tool, ui.panel, session.segmentations, session.state.segmentations, session.info];
  }

  private get isShown(): boolean {
    const { labels, ui } = this.context;
    return labels.isInHand && labels.target !== null && !ui.panel;
  }

  protected override render(): TemplateResult | typeof nothing {
    this.toggleAttribute("hidden", !this.isShown);
    if (!this.isShown) return nothing;
    const { labels: desk, session } = this.context;
    const axes = session.info?.axes ?? [];
    const host: PanelHost = {
      desk,
      axes: axes.map(axisTitle),
      unit: session.info?.world_unit ?? "",
      reach: Math.max(...axes.map(({ n, spacing }) => n * spacing), 1),
      window: session.state.window,
    };
    const told = desk.job ? job(desk) : html`${this.label()}${settings(host)}`;
    return html`${this.tools()}
      <div class="told">${told}</div>`;
  }

  /** What is painted with; the browser's own list, which a phone shows at the size of fingers. */
  private label(): TemplateResult | typeof nothing {
    const { labels: desk, session } = this.context;
    const info = desk.target;
    if (!info || desk.tool === "erase" || desk.tool === "cut") return nothing;
    const values = paintable(info);
    const nameOf = (value: number): string => labelName(session, info.name, value);
    return html`<label class="row paint"
      ><i style="background:${labelColourOf(session, info, desk.label)}"></i
      ><select
        aria-label="Label to paint with"
        @change=${(e: Event) => desk.choose(info.name, Number((e.target as HTMLSelectElement).value))}
      >
        ${values.map((value) => html`<option value=${value} .selected=${live(value === desk.label)}>${nameOf(value)}</option>`)}
      </select></label
    >`;
  }

  private button(
    picture: IconName,
    title: string,
    label: string,
    act: () => void,
    { on, isDead = false }: { on?: boolean; isDead?: boolean } = {},
  ): TemplateResult {
    return html`<button
      class="tool"
      aria-label=${label}
      aria-pressed=${on === undefined ? nothing : on ? "true" : "false"}
      title=${title}
      ?disabled=${isDead}
      @click=${act}
    >
      ${icon(picture)}
    </button>`;
  }

  private tools(): TemplateResult {
    const { labels: desk } = this.context;
    const buttons = LABEL_TOOLS.map(({ name, title, letter, icon: picture }) =>
      this.button(picture, `${title} (${letter})`, title, () => desk.take(name), {
        on: desk.tool === name,
      }),
    );
    return html`<div
      class="tools"
      role="toolbar"
      aria-label="Edit labels"
      @keydown=${(e: KeyboardEvent) => rove(e, [...this.renderRoot.querySelectorAll<HTMLElement>(".tools button")])}
    >
      ${this.button("close", "Done (Esc)", "Put the tool away", () => desk.putAway())}
      <span class="rule"></span>
      ${this.button("undo", "Undo edit of labels (Ctrl + Z)", "Undo edit of labels", () => desk.history("undo"), { isDead: !desk.canUndo })}
      ${this.button("redo", "Redo edit of labels (Ctrl + Shift + Z)", "Redo edit of labels", () => desk.history("redo"), { isDead: !desk.canRedo })}
      <span class="rule"></span>
      <div class="row">${buttons}</div>
    </div>`;
  }
}

define("blustream-label-bar", LabelBar);
