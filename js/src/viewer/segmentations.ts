/** Segmentations in the side panel: shown or not, how they look, their labels. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { LabelTool } from "../labels/catalogue";
import { paintable } from "../labels/desk";
import { toolPanel, toolPanelStyles } from "../labels/toolpanel";
import type { SegmentationInfo, SegmentationLook } from "../protocol";
import { axisTitle } from "./axes";
import type { ViewContext } from "./context";
import { clamp } from "./format";
import { icon } from "./icons";
import { labelOpacity, withLabelOpacity } from "./labellooks";
import { eye, opacityBar, opacitySlider } from "./layerparts";
import { colourIn, labelsOf } from "./legend";
import { define, Part } from "./part";
import { segmentationStyles } from "./segmentations.styles";
import { shared } from "./styles";

/** A list that is looked at, not watched. */
const APART_MS = 100;
/** From here on labels are searched for, not looked through. */
const MANY_LABELS = 12;
/** Rows that are drawn; the others are found by searching. */
const MOST_ROWS = 150;
const STYLES = ["fill", "outline", "both"] as const;
const STYLE_WORDS = { fill: "Fill", outline: "Outline", both: "Both" } as const;

export interface LabelRow {
  readonly value: number;
  readonly name: string;
  readonly colour: string;
  /** Voxel of its centre; null while it was not counted. */
  readonly centre: readonly [number, number, number] | null;
  readonly volume: string;
}

type Look = Partial<Omit<SegmentationLook, "name">>;

/** Three significant figures, as measures have them. */
function volumeText(volume: number, unit: string): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(volume, 1e-9))));
  const shown = volume.toFixed(Math.min(digits, 3)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009");
  return `${shown} ${unit}`;
}

export class SegmentationPanel extends Part {
  static override styles = [shared, segmentationStyles, toolPanelStyles];
  private readonly closed = new Set<string>();
  private inHand: LabelTool | null = null;
  private readonly searched = new Map<string, string>();

  constructor(context: ViewContext) {
    super(context, APART_MS);
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Segmentations");
    context.labels.onChange(() => this.requestUpdate(), context.signal);
  }

  protected override shows(): readonly unknown[] {
    const { session } = this.context;
    const { state } = session;
    const { segmentations, palettes } = session;
    return [state.segmentations, state.show_segmentations, segmentations, palettes.revision];
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session, actions } = this.context;
    const { segmentations: looks, show_segmentations: shown } = session.state;
    if (!looks.length) return nothing;
    return html`
      <div class="head">
        <h2>Segmentations</h2>
        <span class="count">${looks.length}</span><span class="grow"></span>
        ${eye(this.context, shown, "all segmentations", "O", () =>
          actions.patch({ show_segmentations: !shown }),
        )}
      </div>
      ${this.tools()}
      <div class=${shown ? "" : "away"}>${looks.map((look) => this.one(look))}</div>
    `;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.inHand = this.toolInHand; // whoever opens the panel with a tool in hand wants to see it
    if (this.inHand) void this.updateComplete.then(() => this.showSettings());
  }

  private get toolInHand(): LabelTool | null {
    const { labels } = this.context;
    return labels.isInHand ? labels.tool : null;
  }

  /** A tool that was taken is to be seen with its settings; or the picture, where a sheet covers it. */
  protected override updated(): void {
    const taken = this.toolInHand;
    if (taken && taken !== this.inHand) {
      const root = this.getRootNode();
      const sheet = root instanceof ShadowRoot ? (root.host as HTMLElement) : null;
      if (sheet && sheet.offsetWidth === sheet.parentElement?.clientWidth) {
        this.context.set({ panel: false });
      }
      this.showSettings();
    }
    this.inHand = taken;
  }

  private showSettings(): void {
    this.shadowRoot?.querySelector(".told")?.scrollIntoView({ block: "nearest" });
  }

  private tools(): TemplateResult | typeof nothing {
    const { labels: desk, session } = this.context;
    const { info, state } = session;
    const axes = info?.axes ?? [];
    return toolPanel({
      desk,
      axes: axes.map(axisTitle),
      unit: info?.world_unit ?? "",
      reach: Math.max(...axes.map(({ n, spacing }) => n * spacing), 1),
      window: state.window,
    });
  }

  private one(look: SegmentationLook): TemplateResult {
    const { name, visible } = look;
    const info = this.context.session.segmentations.find((one) => one.name === name);
    const isOpen = !this.closed.has(name);
    return html`<div class="one ${visible ? "" : "away"}" role="group" aria-label=${name}>
      <div class="title">
        <button
          class="name"
          aria-expanded=${isOpen ? "true" : "false"}
          @click=${() => this.fold(name, isOpen)}
        >
          <span class="twist ${isOpen ? "open" : ""}">${icon("next")}</span>
          <span class="cut">${name}</span>
        </button>
        ${info ? nothing : html`<span class="quiet">opening…</span>`}
        ${eye(this.context, visible, name, "", () => this.change(name, { visible: !visible }))}
      </div>
      ${isOpen ? html`${this.settings(look)} ${info ? this.labels(look, info) : nothing}` : nothing}
    </div>`;
  }

  private fold(name: string, isOpen: boolean): void {
    if (isOpen) this.closed.add(name);
    else this.closed.delete(name);
    this.requestUpdate();
  }

  private settings({ name, opacity, style }: SegmentationLook): TemplateResult {
    const dead = !this.context.actions.canDrive;
    return html`<div class="settings">
      ${opacitySlider(this.context, name, opacity, (value) => this.change(name, { opacity: value }))}
      <select
        aria-label=${`Style of ${name}`}
        ?disabled=${dead}
        .value=${live(style)}
        @change=${(e: Event) => this.change(name, { style: (e.target as HTMLSelectElement).value as SegmentationLook["style"] })}
      >
        ${STYLES.map((one) => html`<option value=${one} .selected=${live(one === style)}>${STYLE_WORDS[one]}</option>`)}
      </select>
    </div>`;
  }

  // ------------------------------------------------------------ labels

  private rows(look: SegmentationLook, info: SegmentationInfo): readonly LabelRow[] {
    const style = this.context.session.palettes.styleOf(look.label_style);
    const rowOf = (value: number): LabelRow => ({
      value,
      name: style?.names[value] ?? info.channel.label_names[value] ?? "",
      colour: colourIn(this.context.session, look, value),
      centre: null,
      volume: "",
    });
    if (!info.is_counted) return labelsOf(info.channel, style).map(({ value }) => rowOf(value));
    const counted = info.labels.map(({ value, centre, count }) => ({
      ...rowOf(value),
      centre,
      volume: volumeText(count * info.voxel_volume, info.volume_unit),
    }));
    if (!this.isEdited(info)) return counted;
    const known = new Map(counted.map((row) => [row.value, row]));
    return paintable(info).map((value) => known.get(value) ?? rowOf(value));
  }

  /** Labels to paint with are chosen in its list. */
  private isEdited(info: SegmentationInfo): boolean {
    const { labels } = this.context;
    return labels.isInHand && labels.target === info;
  }

  private chooser(info: SegmentationInfo, value: number, title: string): TemplateResult {
    const { labels } = this.context;
    const isChosen = labels.label === value;
    return html`<button
      class="tool"
      aria-label=${`Paint with ${title}`}
      aria-pressed=${isChosen ? "true" : "false"}
      title=${`Paint with ${title}`}
      @click=${() => labels.choose(info.name, value)}
    >
      ${icon("brush")}
    </button>`;
  }

  private labels(look: SegmentationLook, info: SegmentationInfo): TemplateResult {
    const { name } = look;
    const all = this.rows(look, info);
    const search = (this.searched.get(name) ?? "").trim().toLowerCase();
    const found = all.filter((row) => `${row.value} ${row.name}`.toLowerCase().includes(search));
    const more = found.length - MOST_ROWS;
    return html`
      ${
        all.length > MANY_LABELS
          ? html`<input
              type="search"
              placeholder=${`Find among ${all.length} labels`}
              aria-label=${`Find a label of ${name}`}
              data-lm-suppress-shortcuts="true"
              @input=${(e: Event) => this.search(name, (e.target as HTMLInputElement).value)}
            />`
          : nothing
      }
      <ul aria-label=${`Labels of ${name}`}>
        ${found.slice(0, MOST_ROWS).map((row) => this.row(look, row, all, info))}
      </ul>
      ${found.length ? nothing : html`<p class="quiet">${search ? "No label of this name" : "No labels"}</p>`}
      ${more > 0 ? html`<p class="quiet">and ${more} more</p>` : nothing}
    `;
  }

  private search(name: string, text: string): void {
    this.searched.set(name, text);
    this.requestUpdate();
  }

  private row(
    look: SegmentationLook,
    row: LabelRow,
    all: readonly LabelRow[],
    info: SegmentationInfo,
  ): TemplateResult {
    const isHidden = look.hidden.includes(row.value);
    const title = row.name || `Label ${row.value}`;
    const words = row.name ? `${row.name} ${row.value}` : title; // as they are seen
    return html`<li class=${isHidden ? "away" : ""}>
      <button
        class="label"
        title=${[title, row.volume].filter(Boolean).join(", ")}
        aria-label=${`Go to ${words}${row.volume ? `, ${row.volume}` : ""}`}
        ?disabled=${!row.centre || !this.context.actions.canDrive}
        @click=${() => this.jump(row)}
      >
        <i style="background:${row.colour}"></i>
        <span class="grow cut">${row.name || html`<span class="quiet">Label ${row.value}</span>`}</span>
        ${row.name ? html`<span class="quiet">${row.value}</span>` : nothing}
      </button>
      ${this.isEdited(info) ? this.chooser(info, row.value, title) : nothing}
      ${opacityBar(this.context, `${title} in ${look.name}`, labelOpacity(look, row.value), (to) =>
        this.change(look.name, { opacities: withLabelOpacity(look, row.value, to) }),
      )}
      ${eye(this.context, !isHidden, title, "", (e) => this.toggle(look, row.value, all, e.altKey))}
    </li>`;
  }

  /** Hide a label or show it again; alone, all others are hidden, or shown again if they were. */
  private toggle(
    look: SegmentationLook,
    value: number,
    all: readonly LabelRow[],
    alone: boolean,
  ): void {
    const hidden = new Set(look.hidden);
    if (alone) {
      const others = all.map((row) => row.value).filter((other) => other !== value);
      const isAlone = others.every((other) => hidden.has(other)) && !hidden.has(value);
      this.change(look.name, { hidden: isAlone ? [] : others });
      return;
    }
    if (!hidden.delete(value)) hidden.add(value);
    this.change(look.name, { hidden: [...hidden].sort((a, b) => a - b) });
  }

  /** All three slices go through the label's centre. */
  private jump({ centre, name, value }: LabelRow): void {
    const { context } = this;
    const { info, state } = context.session;
    if (!centre || !info) return;
    const at = centre.map((index, a) => clamp(Math.round(index), 0, (info.axes[a]?.n ?? 1) - 1));
    context.take(() => {
      context.actions.patch({ slice_idx: at as [number, number, number] });
      if (state.zoom > 1) context.actions.centreOnCrosshair();
    });
    context.say(name || `Label ${value}`);
  }

  private change(name: string, look: Look): void {
    const { actions, session } = this.context;
    const { segmentations } = session.state;
    actions.patch({
      segmentations: segmentations.map((one) => (one.name === name ? { ...one, ...look } : one)),
    });
  }
}

define("blustream-segmentations", SegmentationPanel);
