/** The tools at the top: plane, tool, channel, window and colours, fit, picture, full screen, help. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { familyIcon, isFamilyInHand } from "../annotations/toolmenu";
import { axisTitle } from "./axes";
import { gradient } from "./colours";
import type { Open, ViewContext } from "./context";
import { type IconName, icon } from "./icons";
import { CALM_MS, define, Part, rove } from "./part";
import { channelOf, shortRange } from "./range";
import { shareButton, shareButtonStyles } from "./sharebutton";
import { isDead, paneStateOf } from "./states";
import { byWidth, shared } from "./styles";
import { VIEW_TOOLS, type ViewTool, type ViewToolFacts } from "./viewtools";

export interface ToolbarHost {
  toggleFullScreen(): void;
  readonly canFullScreen: boolean;
}

export class Toolbar extends Part {
  static override styles = [
    shared,
    byWidth,
    shareButtonStyles,
    css`
      :host {
        display: block;
        border-bottom: 1px solid var(--line);
        flex: none;
      }
      .row {
        display: flex;
        align-items: center;
        gap: 2px;
        height: 40px;
        padding: 0 8px;
        white-space: nowrap;
      }
      @container (max-width: 560px) {
        .row {
          padding: 0 4px;
          gap: 0;
        }
      }
      .rule {
        width: 1px;
        height: 20px;
        background: var(--line);
        margin: 0 6px;
        flex: none;
      }
      .planes {
        display: inline-flex;
        height: 28px;
        border-radius: 5px;
        background: var(--bg2);
        padding: 2px;
        flex: none;
      }
      .planes button {
        padding: 0 10px;
        border-radius: 4px;
        color: var(--fg2);
        height: 24px;
      }
      .planes [aria-checked="true"] {
        background: var(--lifted);
        color: var(--fg);
        box-shadow: 0 1px 2px rgba(0, 0, 0, 0.18);
      }
      .narrow b,
      .channel b {
        font-weight: 600;
      }
      .channel.channel {
        max-width: 180px;
        min-width: 92px; /* "Amplitude", nearly: one letter is no name */
        flex-shrink: 1;
      }
      /* What is said or found elsewhere too makes room for the channel's name, one after the other. */
      @container (max-width: 940px) {
        .spare {
          display: none;
        }
      }
      @container (max-width: 860px) {
        .words {
          display: none;
        }
      }
      @container (max-width: 790px) {
        .channel {
          display: none;
        }
      }
      @container (max-width: 650px) {
        .pinched,
        .split {
          display: none;
        }
      }
      .few {
        display: none;
      }
      @container (max-width: 1000px) {
        .few {
          display: inline-flex;
        }
      }
      @container (max-width: 420px) {
        .few {
          display: none;
        }
      }
      .name {
        flex: 1;
        min-width: 0;
        padding: 0 8px;
        text-align: center;
      }
      .swatch {
        width: 44px;
        flex: none;
        height: 12px;
        border-radius: 2px;
        box-shadow: inset 0 0 0 1px rgba(128, 128, 128, 0.45);
        forced-color-adjust: none;
      }
      @media (forced-colors: active) {
        .planes [aria-checked="true"] {
          outline: 2px solid Highlight;
        }
      }
      @media (pointer: coarse) {
        .row {
          height: 48px;
        }
        .tool {
          height: 44px;
          min-width: 44px;
        }
        .planes,
        .planes button {
          height: 44px;
        }
        .planes {
          padding: 0;
        }
        @container (max-width: 1160px) {
          .spare,
          .words {
            display: none;
          }
        }
        @container (max-width: 930px) {
          .channel {
            display: none;
          }
        }
        @container (max-width: 840px) {
          .fence,
          .pinched {
            display: none;
          }
        }
        @container (max-width: 680px) {
          .split,
          .side,
          .rule {
            display: none;
          }
        }
      }
    `,
  ];

  /** The item that Tab comes to; arrows move on from there. */
  private current: HTMLElement | null = null;
  private count = 0;

  constructor(
    context: ViewContext,
    private readonly owner: ToolbarHost,
  ) {
    super(context, CALM_MS);
  }

  private get items(): HTMLElement[] {
    const all = this.renderRoot.querySelectorAll<HTMLButtonElement>("button:not(:disabled)");
    return [...all].filter((button) => button.offsetParent !== null);
  }

  protected override shows(): readonly unknown[] {
    const { session, ui, actions } = this.context;
    const { info, state, status } = session;
    const { axis, channel, window, level, colormap, reverse } = state;
    const { tool, open, fullScreen, panel } = ui;
    const { revision } = this.context.session.palettes;
    const look = [axis, channel, window, level, colormap, reverse, revision, actions.isSymmetric];
    return [
      info,
      status.phase,
      ui.shown === null,
      tool,
      this.context.desk.editor.tool,
      open,
      fullScreen,
      panel,
      session.people.revision,
      ...look,
    ];
  }

  protected override firstUpdated(): void {
    const observer = new ResizeObserver(() => this.placeStop());
    observer.observe(this);
    this.context.signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  }

  protected override updated(_: PropertyValues): void {
    this.toggleAttribute("shared", this.context.session.people.isShared);
    // Which buttons there is room for is layout, which is dear to ask for at every change.
    const count = this.renderRoot.querySelectorAll("button").length;
    if (count !== this.count) this.placeStop();
    this.count = count;
  }

  /** One button, and only one, is in the tab order. */
  private placeStop(): void {
    const { items } = this;
    const current = items.find((item) => item === this.current) ?? items[0];
    for (const item of items) item.tabIndex = item === current ? 0 : -1;
  }

  protected override render(): TemplateResult {
    const { context, owner } = this;
    const { session, ui } = context;
    const { info, status } = session;
    const dead = !info || isDead(paneStateOf(status, true, ui.shown !== null));
    return html`<div
      class="row"
      role="toolbar"
      aria-label="Viewer tools"
      @keydown=${(e: KeyboardEvent) => rove(e, this.items)}
      @focusin=${(e: FocusEvent) => this.remember(e)}
    >
      ${dead ? nothing : this.planes()}
      ${dead ? nothing : html`<span class="rule medium"></span>`}
      ${dead ? nothing : [...this.viewTools(), this.family("measure", "Measure", "M"), this.family("annotate", "Annotate", "A"), this.allTools()]}
      <span class="grow desk"></span>
      ${dead ? nothing : html`<span class="name phone cut quiet">${info.name}</span>`}
      ${dead ? nothing : [this.channel(), this.windowButton()]}
      ${
        dead
          ? nothing
          : html`<span class="rule medium"></span>
            ${this.menuButton("zoom", "zoom", "Zoom (+ − 0)", "medium pinched")}
            ${this.button("fit", "Fit to pane", "0", () => context.actions.fit(), "ample")}
            ${this.menuButton("layouts", "layout", "Layout of the panes (L)", "medium split")}
            ${this.menuButton("picture", "camera", "Save or copy the picture", "roomy spare")}`
      }
      ${dead ? nothing : shareButton(context)}
      ${dead ? nothing : this.panelButton()}
      ${
        owner.canFullScreen
          ? this.button(
              ui.fullScreen ? "small" : "full",
              ui.fullScreen ? "Leave full screen" : "Full screen",
              "F",
              () => owner.toggleFullScreen(),
            )
          : nothing
      }
      ${this.button("help", "Keys and gestures", "?", () => context.toggle("help"), "roomy spare")}
      ${dead ? nothing : this.menuButton("more", "more", "More")}
    </div>`;
  }

  private remember(event: FocusEvent): void {
    this.current = event.target as HTMLElement;
    this.placeStop();
  }

  private button(
    name: IconName,
    label: string,
    key: string,
    act: () => void,
    width = "",
  ): TemplateResult {
    return html`<button class="tool ${width}" aria-label=${label} title="${label} (${key})" @click=${act}>
      ${icon(name)}
    </button>`;
  }

  private viewTools(): readonly TemplateResult[] {
    const { context } = this;
    const tools = Object.entries(VIEW_TOOLS) as [ViewTool, ViewToolFacts][];
    return tools.map(
      ([tool, { title, letter }]) => html`<button
        class="tool desk ${tool === "fence" ? "fence roomy" : ""}"
        aria-label=${title}
        title="${title} (${letter})"
        aria-pressed=${context.ui.tool === tool ? "true" : "false"}
        @click=${() => context.pick(tool)}
      >
        ${icon(tool)}
      </button>`,
    );
  }

  /** Opens the menu of a family of tools; pressed while one of them is in hand. */
  private family(family: "annotate" | "measure", label: string, key: string): TemplateResult {
    const { context } = this;
    const inHand = isFamilyInHand(context.desk, family);
    const title = inHand ? context.desk.editor.facts.title : label;
    return html`<button
      class="tool desk ample"
      data-opens=${family}
      aria-label=${inHand ? `${label}: ${title}` : label}
      title="${title} (${key})"
      aria-pressed=${inHand ? "true" : "false"}
      aria-haspopup="menu"
      aria-expanded=${context.ui.open === family ? "true" : "false"}
      @click=${(e: Event) => this.drop(family, e)}
    >
      ${icon(familyIcon(context.desk, family))}${icon("down", "caret")}
    </button>`;
  }

  /** One button for all of them where there is less room. */
  private allTools(): TemplateResult {
    const { context } = this;
    const inHand = context.desk.isAnnotating;
    return html`<button
      class="tool desk few"
      data-opens="tools"
      aria-label="Measure and annotate"
      title="${inHand ? context.desk.editor.facts.title : "Measure and annotate"} (M, A)"
      aria-pressed=${inHand ? "true" : "false"}
      aria-haspopup="menu"
      aria-expanded=${context.ui.open === "tools" ? "true" : "false"}
      @click=${(e: Event) => this.drop("tools", e)}
    >
      ${icon(inHand ? context.desk.editor.facts.icon : "ruler")}
    </button>`;
  }

  private panelButton(): TemplateResult {
    const { context } = this;
    return html`<button
      class="tool medium side"
      aria-label="Side panel"
      title="Side panel (])"
      aria-pressed=${context.ui.panel ? "true" : "false"}
      @click=${() => context.set({ panel: !context.ui.panel })}
    >
      ${icon("panel")}
    </button>`;
  }

  /** Open a menu under the button that was pressed. */
  private drop(open: Open, event: Event): void {
    const { context } = this;
    const button = event.currentTarget as HTMLElement;
    const from = button.getBoundingClientRect();
    const host = this.getBoundingClientRect();
    context.toggle(open);
    if (context.ui.open)
      context.set({ menuAt: { x: from.left - host.left, y: from.bottom - host.top + 4 } });
  }

  private menuButton(open: Open, name: IconName, label: string, width = ""): TemplateResult {
    return html`<button
      class="tool ${width}"
      data-opens=${open}
      aria-label=${label}
      title=${label}
      aria-haspopup="menu"
      aria-expanded=${this.context.ui.open === open ? "true" : "false"}
      @click=${(e: Event) => this.drop(open, e)}
    >
      ${icon(name)}
    </button>`;
  }

  private planes(): TemplateResult | typeof nothing {
    const { context } = this;
    const { info, state } = context.session;
    if (!info) return nothing;
    const title = axisTitle(info.axes[state.axis] ?? info.axes[0]);
    return html`
      <div class="planes medium" role="radiogroup" aria-label="Slice direction">
        ${info.axes.map(
          (axis, i) => html`<button
            role="radio"
            aria-checked=${i === state.axis ? "true" : "false"}
            title="${axisTitle(axis)} (${i + 1})"
            @click=${() => context.take(() => context.actions.setAxis(i))}
          >
            ${axisTitle(axis)}
          </button>`,
        )}
      </div>
      <button
        class="tool wide narrow"
        data-opens="planes"
        aria-label="Slice direction: ${title}"
        aria-haspopup="menu"
        aria-expanded=${context.ui.open === "planes" ? "true" : "false"}
        @click=${(e: Event) => this.drop("planes", e)}
      >
        <b>${title}</b>${icon("down", "caret")}
      </button>
    `;
  }

  private channel(): TemplateResult | typeof nothing {
    const { info, state } = this.context.session;
    if (!info || info.channels.length < 2) return nothing;
    const { name } = channelOf(info, state.channel);
    return html`<button
      class="tool wide channel roomy"
      data-opens="channels"
      aria-label="Channel: ${name}"
      title="Channel"
      aria-haspopup="menu"
      aria-expanded=${this.context.ui.open === "channels" ? "true" : "false"}
      @click=${(e: Event) => this.drop("channels", e)}
    >
      <span class="cut">${name}</span>${icon("down", "caret")}
    </button>`;
  }

  private windowButton(): TemplateResult {
    const { actions, session, ui } = this.context;
    const { state, info } = session;
    const isLabel = info ? channelOf(info, state.channel).is_label : false;
    const words = isLabel ? "Labels" : shortRange(state, actions.isSymmetric);
    return html`<button
      class="tool wide desk"
      data-opens="window"
      aria-label="Window ${words} and colour map"
      title="Window and colours"
      aria-haspopup="dialog"
      aria-expanded=${ui.open === "window" ? "true" : "false"}
      @click=${() => this.context.toggle("window")}
    >
      <span class="swatch" style="background:${gradient(state.colormap, state.reverse, "right")}"></span>
      <span class="roomy words">${words}</span>${icon("down", "caret")}
    </button>`;
  }
}

define("blustream-toolbar", Toolbar);
