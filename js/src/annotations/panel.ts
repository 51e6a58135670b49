/** The list of annotations in the side panel, and what can be set of the chosen one. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { ViewContext } from "../viewer/context";
import { type IconName, icon } from "../viewer/icons";
import { define, Part } from "../viewer/part";
import { shared } from "../viewer/styles";
import { typed } from "../viewer/typed";
import * as commands from "./commands";
import { distributionOf, distributionStyles } from "./distribution";
import { COLOURS } from "./editor";
import { COARSE_ROW_PX, panelStyles, ROW_PX } from "./panel.styles";
import { spectrumOf, spectrumStyles } from "./spectrum";
import type { Annotation } from "./types";
import { factsOf, titleOf, wordsOf } from "./words";

/** A list that is looked at, not watched: five times a second while something is dragged. */
const APART_MS = 200;
const WIDTHS = [1, 2, 3, 4, 6] as const;
const COLOUR_NAMES = ["Yellow", "Red", "Green", "Blue", "Violet", "White"] as const;
/** Rows drawn above and below those in sight. */
const SPARE_ROWS = 4;
const ICONS: Readonly<Partial<Record<Annotation["kind"], IconName>>> = { path: "polyline" };

export class AnnotationPanel extends Part {
  static override styles = [shared, panelStyles, distributionStyles, spectrumStyles];
  private first = 0;
  private inDecibels = false;

  constructor(context: ViewContext) {
    super(context, APART_MS);
    const { desk, signal } = context;
    desk.onChange(() => this.isConnected && this.lookAgain(), signal);
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Annotations");
  }

  private timer: ReturnType<typeof setTimeout> | undefined;

  private lookAgain(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.requestUpdate();
    }, APART_MS / 4);
  }

  private get rowPx(): number {
    return matchMedia("(pointer: coarse)").matches ? COARSE_ROW_PX : ROW_PX;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { desk } = this.context;
    const { store, editor } = desk;
    const { items } = store;
    const { canEdit } = editor.host;
    const chosen = editor.selection.size > 0;
    return html`
      <div class="head">
        <h2>Annotations</h2>
        <span class="count">${items.length}</span><span class="grow"></span>
        ${this.button("undo", "Undo", "Ctrl + Z", store.canUndo && canEdit, () => commands.undo(editor))}
        ${this.button("redo", "Redo", "Ctrl + Shift + Z", store.canRedo && canEdit, () => commands.redo(editor))}
        ${this.button(
          editor.hidden ? "hidden" : "eye",
          editor.hidden ? "Show all" : "Hide all",
          "",
          items.length > 0,
          () => {
            editor.hidden = !editor.hidden;
            editor.changed();
          },
        )}
        ${this.button("bin", "Delete", "Del", chosen && canEdit, () => commands.remove(editor))}
      </div>
      ${items.length > 0 ? this.list(items) : this.empty()} ${this.card()}
    `;
  }

  private empty(): TemplateResult {
    return html`<p class="empty">None yet: press M to measure, A to annotate.</p>`;
  }

  private button(
    name: IconName,
    label: string,
    key: string,
    enabled: boolean,
    act: () => void,
  ): TemplateResult {
    return html`<button class="tool" aria-label=${label} title=${key ? `${label} (${key})` : label} ?disabled=${!enabled} @click=${act}>
      ${icon(name)}
    </button>`;
  }

  // ------------------------------------------------------------ list

  private list(items: readonly Annotation[]): TemplateResult {
    const { selection } = this.context.desk.editor;
    const px = this.rowPx;
    const from = Math.max(0, this.first - SPARE_ROWS);
    const shown = items.slice(from, from + Math.ceil(288 / px) + 2 * SPARE_ROWS);
    const { single } = selection;
    const active = single && shown.includes(single) ? `row-${single.id}` : nothing;
    return html`<div
      class="list"
      role="listbox"
      tabindex="0"
      aria-label="Annotations"
      aria-multiselectable="true"
      aria-activedescendant=${active}
      style="height:${items.length * px}px"
      @scroll=${(e: Event) => this.scrolled(e.target as HTMLElement)}
      @keydown=${(e: KeyboardEvent) => this.listKey(e, items)}
    >
      <div style="height:${items.length * px}px" role="presentation"></div>
      ${shown.map((item, i) => this.row(item, from + i, items.length, px))}
    </div>`;
  }

  private scrolled(list: HTMLElement): void {
    const first = Math.floor(list.scrollTop / this.rowPx);
    if (first === this.first) return;
    this.first = first;
    this.requestUpdate();
  }

  private row(item: Annotation, at: number, count: number, px: number): TemplateResult {
    const { desk } = this.context;
    const { editor } = desk;
    const { info } = editor.host;
    const words = info && wordsOf(item, info, desk.readings.of(item, desk.channel));
    const section = desk.surface?.section;
    const isAway = section ? section.presence(item) === "off" : false;
    const state = [
      item.locked && "locked",
      !item.visible && "hidden",
      isAway && "on another slice",
    ];
    const said = [titleOf(item), words?.main, ...state].filter(Boolean).join(", ");
    return html`<div
      class="row ${isAway || !item.visible ? "away" : ""}"
      id="row-${item.id}"
      role="option"
      aria-label=${said}
      aria-selected=${editor.selection.has(item.id) ? "true" : "false"}
      aria-setsize=${count}
      aria-posinset=${at + 1}
      style="top:${at * px}px"
      @click=${(e: MouseEvent) => this.choose(item, e.ctrlKey || e.metaKey || e.shiftKey)}
      @dblclick=${() => this.editLabel()}
    >
      <span class="mark" style="--swatch:${item.color}">${icon(ICONS[item.kind] ?? (item.kind as IconName))}</span>
      <span class="grow cut">${titleOf(item)}</span>
      <span class="value cut">${item.kind === "text" ? nothing : words?.main}</span>
      ${item.locked ? icon("lock") : nothing} ${item.visible ? nothing : icon("hidden")}
    </div>`;
  }

  private choose(item: Annotation, more: boolean): void {
    const { desk } = this.context;
    desk.editor.selection.pick(item.id, { more, alone: true });
    if (!more) this.context.jumpTo(item);
  }

  private listKey(event: KeyboardEvent, items: readonly Annotation[]): void {
    const { editor } = this.context.desk;
    const { single } = editor.selection;
    const here = single ? items.indexOf(single) : -1;
    const to: Readonly<Record<string, number>> = {
      ArrowDown: Math.min(here + 1, items.length - 1),
      ArrowUp: Math.max(here - 1, 0),
      Home: 0,
      End: items.length - 1,
    };
    const next = items[to[event.key] ?? -1];
    const act: Readonly<Record<string, () => void>> = {
      Delete: () => commands.remove(editor),
      Backspace: () => commands.remove(editor),
      l: () => commands.toggleLock(editor),
      h: () => commands.toggleVisible(editor),
      F2: () => this.editLabel(),
      Enter: () => this.editLabel(),
    };
    if (next) this.show(next, to[event.key] ?? 0);
    else if (act[event.key] && editor.selection.size > 0) act[event.key]?.();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Choose a row by key, bring it into sight, and say it. */
  private show(item: Annotation, at: number): void {
    const { desk } = this.context;
    this.choose(item, false);
    this.context.say(commands.spoken(desk.editor, item));
    const list = this.find(".list");
    const px = this.rowPx;
    if (!list) return;
    if (at * px < list.scrollTop) list.scrollTop = at * px;
    const bottom = (at + 1) * px - list.clientHeight;
    if (bottom > list.scrollTop) list.scrollTop = bottom;
  }

  private editLabel(): void {
    this.find<HTMLInputElement>(".card input")?.focus();
  }

  // ------------------------------------------------------------ the chosen one

  private card(): TemplateResult | typeof nothing {
    const { desk } = this.context;
    const { editor } = desk;
    const item = editor.selection.single;
    const { info, canEdit } = editor.host;
    if (!item || !info) return nothing;
    const isText = item.kind === "text";
    const reading = desk.readings.of(item, desk.channel);
    const facts = factsOf(item, info, reading);
    const free = canEdit && !item.locked;
    return html`<div class="card">
      <input
        type="text"
        maxlength=${isText ? 4096 : 256}
        aria-label=${isText ? "Text" : "Label"}
        placeholder=${isText ? "Text" : "Label"}
        ?disabled=${!free}
        .value=${typed(isText ? item.text : item.label, item.id)}
        @change=${(e: Event) => this.rename(item, (e.target as HTMLInputElement).value)}
        @keydown=${(e: KeyboardEvent) => e.key === "Enter" && (e.target as HTMLInputElement).blur()}
      />
      ${free ? this.styleOf(item) : nothing} ${this.switches(item, canEdit)}
      ${
        facts.length > 0
          ? html`<dl>${facts.map(([name, text]) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>`
          : nothing
      }
      ${reading?.done && reading.statistics ? distributionOf(reading.statistics) : nothing}
      ${spectrumOf(item, info, reading, this.inDecibels, () => this.toggleDecibels())}
    </div>`;
  }

  private toggleDecibels(): void {
    this.inDecibels = !this.inDecibels;
    this.requestUpdate();
  }

  private rename(item: Annotation, text: string): void {
    const { selection } = this.context.desk.editor;
    if (item.kind === "text" && !text.trim()) this.requestUpdate();
    else selection.change(item.kind === "text" ? { text } : { label: text });
  }

  private styleOf(item: Annotation): TemplateResult {
    const { editor } = this.context.desk;
    const colour = (color: string): void => {
      editor.style = { ...editor.style, color };
      editor.selection.change({ color });
    };
    const width = (value: string): void => {
      editor.style = { ...editor.style, width: Number(value) };
      editor.selection.change({ width: Number(value) });
    };
    return html`<div class="line" role="radiogroup" aria-label="Colour">
        ${COLOURS.map(
          (color, i) => html`<button
            class="swatch"
            role="radio"
            aria-checked=${color === item.color ? "true" : "false"}
            aria-label=${COLOUR_NAMES[i] ?? color}
            title=${COLOUR_NAMES[i] ?? color}
            style="background:${color}"
            @click=${() => colour(color)}
          ></button>`,
        )}
      </div>
      <div class="line">
        <select aria-label="Line width" @change=${(e: Event) => width((e.target as HTMLSelectElement).value)}>
          ${[...new Set([...WIDTHS, item.width])].map(
            (px) =>
              html`<option value=${px} .selected=${live(px === item.width)}>${px} px</option>`,
          )}
        </select>
      </div>`;
  }

  private switches(item: Annotation, canEdit: boolean): TemplateResult {
    const { editor, surface } = this.context.desk;
    const section = surface?.section ?? null;
    const [lock, hide] = [item.locked ? "Unlock" : "Lock", item.visible ? "Hide" : "Show"];
    return html`<div class="line">
      ${this.button(item.locked ? "lock" : "unlock", lock, "L", canEdit, () => commands.toggleLock(editor))}
      ${this.button(item.visible ? "eye" : "hidden", hide, "H", canEdit && !item.locked, () =>
        commands.toggleVisible(editor),
      )}
      ${this.button("copy", "Duplicate", "Ctrl + D", canEdit && section !== null, () => {
        if (section) editor.selection.duplicate(section, editor.sizes);
      })}
      ${this.button("bin", "Delete", "Del", canEdit && !item.locked, () => commands.remove(editor))}
    </div>`;
  }
}

define("blustream-annotations", AnnotationPanel);
