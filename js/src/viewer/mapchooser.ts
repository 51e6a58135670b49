/** The colour map: which one is chosen, and a list of all of them to search and to choose from. */
import { css, html, nothing, type TemplateResult } from "lit";
import { COLORMAP_GROUPS } from "../colormaps";
import { colormapTitle, colormapWords, gradient } from "./colours";
import type { ViewContext } from "./context";
import { icon } from "./icons";
import { CALM_MS, define, Part, rove } from "./part";
import { shared } from "./styles";

interface Group {
  readonly title: string;
  readonly names: readonly string[];
}

export class MapChooser extends Part {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
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
      .pick .cut {
        text-align: left;
      }
      .pick .swatch {
        width: 128px;
        height: 24px;
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
      .search {
        display: flex;
        align-items: center;
        height: 30px;
        padding: 0 8px;
        border-bottom: 1px solid var(--line);
      }
      .search:focus-within {
        box-shadow: inset 0 0 0 2px var(--accent);
        border-radius: 3px;
      }
      .search input {
        border: 0;
        outline: none;
        background: none;
        color: inherit;
        font: inherit;
        padding: 0;
        width: 100%;
        min-width: 0;
      }
      .search input::placeholder {
        color: var(--fg2);
        opacity: 1;
      }
      .list {
        max-height: 264px;
        overflow: auto;
        overscroll-behavior: contain;
      }
      h3 {
        position: sticky;
        top: 0;
        z-index: 1;
        margin: 0;
        padding: 0 6px;
        font-size: 12px;
        line-height: 24px;
        font-weight: 600;
        color: var(--fg2);
        background: var(--bg);
      }
      .list button {
        width: 100%;
        height: 28px;
        padding: 0 6px;
        display: flex;
        align-items: center;
        gap: 8px;
        border-radius: 3px;
        text-align: left;
        scroll-margin: 24px 0 0;
      }
      .list button:hover {
        background: var(--hover);
      }
      .list [aria-checked="true"] {
        background: var(--on);
        color: var(--deep);
      }
      .list button:focus-visible {
        outline-offset: -2px;
      }
      .none {
        padding: 8px 6px;
      }
      @media (pointer: coarse) {
        .pick,
        .search,
        .list button {
          height: 44px;
        }
      }
    `,
  ];

  private isOpen = false;
  private wanted = "";

  constructor(context: ViewContext) {
    super(context, CALM_MS);
  }

  protected override shows(): readonly unknown[] {
    const { palettes, state } = this.context.session;
    return [state.colormap, state.reverse, palettes.revision];
  }

  focusFirst(): void {
    void this.updateComplete.then(() => this.find(".pick")?.focus({ preventScroll: true }));
  }

  private get groups(): readonly Group[] {
    const words = this.wanted.toLowerCase().split(/\s+/).filter(Boolean);
    const yours = this.context.session.palettes.maps.map(({ name }) => name);
    return [["Yours", yours] as const, ...Object.entries<readonly string[]>(COLORMAP_GROUPS)]
      .map(([title, names]) => ({
        title,
        names: names.filter((name) => {
          const text = `${this.titleOf(name)} ${colormapWords(name)} ${title}`.toLowerCase();
          return words.every((word) => text.includes(word));
        }),
      }))
      .filter(({ names }) => names.length > 0);
  }

  private titleOf(name: string): string {
    return name.startsWith("user-")
      ? this.context.session.palettes.titleOf(name)
      : colormapTitle(name);
  }

  private get rows(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>(".list button")];
  }

  protected override render(): TemplateResult {
    const { colormap } = this.context.session.state;
    return html`<button
        class="pick"
        aria-label="Colour map: ${this.titleOf(colormap)}"
        aria-expanded=${this.isOpen ? "true" : "false"}
        @click=${() => this.toggle()}
      >
        ${this.swatch(colormap)}
        <span class="grow cut">${this.titleOf(colormap)}</span>
        ${icon("down", "caret")}
      </button>
      ${this.isOpen ? this.list() : nothing}`;
  }

  private toggle(): void {
    this.isOpen = !this.isOpen;
    this.wanted = "";
    this.requestUpdate();
    if (!this.isOpen) return;
    void this.updateComplete.then(() => {
      this.find(".list [aria-checked='true']")?.scrollIntoView({ block: "nearest" });
      // A touch keyboard would cover the list.
      if (!matchMedia("(pointer: coarse)").matches) {
        this.find(".search input")?.focus({ preventScroll: true });
      }
    });
  }

  private swatch(name: string): TemplateResult {
    const { reverse } = this.context.session.state;
    return html`<span class="swatch" style="background:${gradient(name, reverse, "right")}"></span>`;
  }

  private list(): TemplateResult {
    const { groups } = this;
    const chosen = this.context.session.state.colormap;
    // One row is in the tab order: the chosen one, or the first where that is not among them.
    const names = groups.flatMap((group) => group.names);
    const inOrder = names.includes(chosen) ? chosen : names[0];
    return html`<div class="maps">
      <div class="search">
        <input
          type="text"
          aria-label="Find a colour map"
          placeholder="Find: vik, diverging, cmocean…"
          autocomplete="off"
          spellcheck="false"
          .value=${this.wanted}
          @input=${(e: Event) => this.search((e.target as HTMLInputElement).value)}
          @keydown=${(e: KeyboardEvent) => this.searchKey(e, inOrder)}
        />
      </div>
      <div
        class="list"
        role="radiogroup"
        aria-label="Colour map"
        @keydown=${(e: KeyboardEvent) => this.listKey(e)}
      >
        ${groups.map(
          ({ title, names: maps }) => html`<h3>${title}</h3>
            ${maps.map((name) => this.row(name, name === chosen, name === inOrder))}`,
        )}
        ${names.length ? nothing : html`<div class="none quiet">No map has “${this.wanted}”</div>`}
      </div>
    </div>`;
  }

  private row(name: string, isChosen: boolean, isInOrder: boolean): TemplateResult {
    const { actions } = this.context;
    return html`<button
      role="radio"
      aria-checked=${isChosen ? "true" : "false"}
      tabindex=${isInOrder ? "0" : "-1"}
      title=${name}
      @focus=${() => actions.setColormap(name)}
      @click=${() => actions.setColormap(name)}
    >
      ${this.swatch(name)}<span class="cut">${this.titleOf(name)}</span>
    </button>`;
  }

  private search(text: string): void {
    this.wanted = text;
    this.requestUpdate();
  }

  private searchKey(event: KeyboardEvent, first: string | undefined): void {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      this.find(".list [tabindex='0']")?.focus();
    } else if (event.key === "Enter" && first !== undefined && this.wanted) {
      event.preventDefault();
      this.context.actions.setColormap(first);
    } else if (event.key === "Escape" && this.wanted) {
      event.preventDefault();
      event.stopPropagation(); // which would close the panel
      this.search("");
    }
  }

  private listKey(event: KeyboardEvent): void {
    const { rows } = this;
    if (event.key === "ArrowUp" && event.target === rows[0]) {
      event.preventDefault();
      this.find(".search input")?.focus();
    } else rove(event, rows, true);
  }
}

define("blustream-map-chooser", MapChooser);
