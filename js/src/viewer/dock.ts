/** The tools at the bottom of a phone, with words, where thumbs reach them. */
import { css, html, nothing, type TemplateResult } from "lit";
import { type IconName, icon } from "./icons";
import { define, Part, rove } from "./part";
import { isDead, paneStateOf } from "./states";
import { shared } from "./styles";
import type { ViewTool } from "./viewtools";

interface Entry {
  readonly name: IconName;
  readonly word: string;
  readonly label: string;
  readonly act: () => void;
  /** Given: stays pressed while it is on. */
  readonly on?: boolean;
  /** Opens the part of this name. */
  readonly opens?: string;
}

export class Dock extends Part {
  static override styles = [
    shared,
    css`
      :host,
      :host([hidden]) {
        display: none;
      }
      @media (pointer: coarse) {
        @container (max-width: 560px) {
          :host {
            display: block;
            flex: none;
            border-top: 1px solid var(--line);
          }
        }
      }
      .row {
        display: grid;
        grid-auto-flow: column;
        grid-auto-columns: 1fr;
        gap: 4px;
        padding: 4px 8px;
      }
      button {
        height: 52px;
        min-width: 44px;
        border-radius: 6px;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 4px;
        font-size: 11px;
        line-height: 14px;
        color: var(--fg2);
      }
      @container (max-width: 360px) {
        .row {
          gap: 0;
          padding: 4px;
        }
        button {
          font-size: 10px;
        }
      }
      [aria-pressed="true"],
      [aria-expanded="true"] {
        background: var(--on);
        color: var(--deep);
      }
    `,
  ];

  protected override shows(): readonly unknown[] {
    const { session, ui, cine } = this.context;
    const { info, status } = session;
    return [
      info,
      status.phase,
      ui.shown === null,
      ui.tool,
      ui.panel,
      this.canLabel,
      this.context.desk.editor.tool,
      ui.open,
      cine.playing,
    ];
  }

  private get canLabel(): boolean {
    const { labels } = this.context;
    return labels.canEdit && labels.target !== null;
  }

  private get entries(): readonly Entry[] {
    const { context } = this;
    const { ui, cine } = context;
    const tool = (name: ViewTool, word: string, label: string): Entry => ({
      name,
      word,
      label,
      on: ui.tool === name,
      act: () => context.pick(name),
    });
    return [
      tool("navigate", "Scroll", "One finger scrolls slices"),
      tool("window", "Window", "One finger changes window and level"),
      tool("crosshair", "Crosshair", "One finger moves the crosshair"),
      {
        name: ui.tool === "annotate" ? context.desk.editor.facts.icon : "ruler",
        word: "Measure",
        label: "Measure and annotate",
        opens: "tools",
        on: ui.tool === "annotate",
        act: () => context.toggle("tools"),
      },
      ...(this.canLabel ? [this.labels] : []),
      {
        name: "colours",
        word: "Colours",
        label: "Window and colours",
        opens: "window",
        act: () => context.toggle("window"),
      },
      {
        name: cine.playing ? "pause" : "play",
        word: cine.playing ? "Stop" : "Play",
        label: "Play slices",
        on: cine.playing,
        act: () => cine.toggle(),
      },
    ];
  }

  private get labels(): Entry {
    const { labels, ui } = this.context;
    return {
      name: "brush",
      word: "Labels",
      label: "Edit labels",
      on: ui.tool === "labels",
      act: () => labels.pick(labels.tool),
    };
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session, ui } = this.context;
    const { info, status } = session;
    const dead = !info || isDead(paneStateOf(status, true, ui.shown !== null));
    // The tools that edit labels take its place while one is in hand.
    const isAway = dead || (ui.tool === "labels" && !ui.panel);
    this.toggleAttribute("hidden", isAway);
    if (isAway) return nothing;
    return html`<div
      class="row"
      role="toolbar"
      aria-label="Tools"
      @keydown=${(e: KeyboardEvent) => rove(e, [...this.renderRoot.querySelectorAll("button")])}
    >
      ${this.entries.map((entry) => this.button(entry))}
    </div>`;
  }

  private button({ name, word, label, act, on, opens }: Entry): TemplateResult {
    return html`<button
      aria-label="${word}: ${label}"
      aria-pressed=${on === undefined ? nothing : on ? "true" : "false"}
      aria-expanded=${opens ? (this.context.ui.open === opens ? "true" : "false") : nothing}
      aria-haspopup=${opens ? "dialog" : nothing}
      data-opens=${opens ?? nothing}
      @click=${act}
    >
      ${icon(name)}<span>${word}</span>
    </button>`;
  }
}

define("blustream-dock", Dock);
