/** The panes of the view: as many as the layout has, each where it belongs, one of them in use. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { PaneSession } from "../pane-session";
import { cellsOf, paneCount } from "../panes";
import { axisOf, axisShort, axisTitle, sliceOfText } from "./axes";
import type { ViewContext } from "./context";
import { Gutters } from "./gutter";
import { areaOf, sharesOf, tracksOf, VALUES_AREA } from "./layout";
import { SlicePane } from "./pane";
import { define, Part } from "./part";
import { ValuesPane } from "./values";
import type { Whole } from "./wholepicture";

/** Narrower than this there is room for one pane of several. */
const COMPACT_PX = 480;

/** One pane: its part of the session, what the user does there, and what shows it. */
export interface Place {
  readonly index: number;
  readonly session: PaneSession;
  readonly context: ViewContext;
  readonly pane: SlicePane;
  readonly life: AbortController;
}

export class PaneGrid extends Part {
  private readonly places: Place[] = [];
  private readonly gutters: Gutters;
  private values: ValuesPane | null = null;
  /** CSS pixels. */
  private size = { width: 0, height: 0 };

  constructor(context: ViewContext) {
    super(context);
    this.className = "panes";
    this.gutters = new Gutters(context, () => this.requestUpdate());
    this.fitPlaces();
    context.session.onState(() => this.fitPlaces(), context.signal);
    const observer = new ResizeObserver(() => this.measured());
    observer.observe(this);
    context.signal.addEventListener("abort", () => {
      observer.disconnect();
      for (const place of this.places) place.life.abort();
    });
    this.addEventListener("focusin", (event) => this.entered(event), { signal: context.signal });
  }

  /** In the viewer's own tree: what looks for a pane there finds it. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** The pane in use. */
  get active(): Place {
    return (this.places[this.context.session.state.active] ?? this.places[0]) as Place;
  }

  /** The pane that an event happened in; null: in none. */
  placeOf(event: Event): Place | null {
    const path = event.composedPath();
    return this.places.find(({ pane }) => path.includes(pane)) ?? null;
  }

  /** Panes that are on the page now. */
  get shown(): readonly Place[] {
    return this.places.filter(({ index }) => !this.isHidden(index));
  }

  /** What lies on the page now, for a picture of it; the inset pane comes last, above the other. */
  wholeOf(host: HTMLElement): Whole {
    const from = this.getBoundingClientRect();
    const panes = this.shown.map(({ pane }) => {
      const { left, top, width, height } = pane.getBoundingClientRect();
      const at = { x: left - from.left, y: top - from.top };
      return { job: pane.jobOf(host, false), at, width, height };
    });
    const words = this.values?.isConnected ? this.values : null;
    return { panes, words, element: this, pixelRatio: window.devicePixelRatio || 1 };
  }

  /** There are several, and one has no more room than it has. */
  get isOfSeveral(): boolean {
    return this.places.length > 1;
  }

  protected override shows(): readonly unknown[] {
    const { session, ui } = this.context;
    const { layout, panes, active, maximised, columns, rows } = session.state;
    const names = ui.compact ? this.places.map((place) => place.session.state.axis).join() : "";
    const shares = [columns, rows].join("|");
    // A pane may tell its size once more as it is hidden: it is told to be none then, too.
    const isSized = ui.compact && this.places.some((place) => this.isLeftOver(place));
    const room = [ui.compact, ui.compact && ui.focused, names, isSized];
    return [session.info, layout, panes.length, active, maximised, shares, ...room];
  }

  /** As many places as there are panes. */
  private fitPlaces(): void {
    const { context } = this;
    const wanted = paneCount(context.session.state);
    while (this.places.length > wanted) this.places.pop()?.life.abort();
    while (this.places.length < wanted) this.places.push(this.makePlace(this.places.length));
  }

  private makePlace(index: number): Place {
    const { context } = this;
    const life = new AbortController();
    const session = new PaneSession(context.session, index, life.signal);
    const own = context.forPane(session, life.signal);
    return { index, session, context: own, pane: new SlicePane(own), life };
  }

  /** The focus came into a pane: it is the one in use, and the pictures come in these panes' sizes. */
  private entered(event: FocusEvent): void {
    const place = this.placeOf(event);
    if (!place) return;
    place.session.activate();
    for (const { index, pane } of this.places) if (!this.isHidden(index)) pane.claim();
  }

  private measured(): void {
    const { clientWidth: width, clientHeight: height } = this;
    if (width < 1) return;
    this.size = { width, height };
    const compact = width < COMPACT_PX;
    if (compact !== this.context.ui.compact) this.context.set({ compact });
    else if (this.isOfSeveral) this.requestUpdate();
  }

  private isHidden(index: number): boolean {
    const { session, ui } = this.context;
    return (session.state.maximised || ui.compact) && index !== session.state.active;
  }

  protected override updated(): void {
    const { actions, ui } = this.context;
    // Another view of the same panes may have room for them: the one in use decides.
    if (!ui.compact || !ui.focused || !actions.canDrive) return;
    for (const place of this.places) {
      if (this.isLeftOver(place)) place.session.patch({ width_px: 0, height_px: 0 });
    }
  }

  /** It is drawn, though nobody sees it. */
  private isLeftOver({ index, session }: Place): boolean {
    return this.isHidden(index) && session.state.width_px > 0;
  }

  protected override render(): TemplateResult {
    const { context } = this;
    const { state } = context.session;
    const { held } = this.gutters;
    const alone = this.isOfSeveral && this.isHidden((state.active + 1) % this.places.length);
    const cells = alone ? { columns: 1, rows: 1 } : cellsOf(state.layout);
    const columns = held?.side === "columns" ? held.shares : sharesOf(state.columns, cells.columns);
    const rows = held?.side === "rows" ? held.shares : sharesOf(state.rows, cells.rows);
    const { width, height } = this.size;
    const pixelRatio = window.devicePixelRatio || 1;
    this.style.gridTemplateColumns = tracksOf(columns, width, pixelRatio);
    const isCompact = alone && context.ui.compact;
    this.style.gridTemplateRows = isCompact
      ? "minmax(0, 1fr) auto"
      : tracksOf(rows, height, pixelRatio);
    this.classList.toggle("several", this.isOfSeveral);
    return html`
      ${repeat(
        this.places,
        ({ session }) => session,
        (place) => this.cell(place, alone),
      )}
      ${state.layout === "quad" && !alone ? this.valuesCell() : nothing}
      ${this.isOfSeveral && !alone ? this.lines(columns, rows) : nothing}
      ${isCompact ? this.switch() : nothing}
    `;
  }

  private lines(columns: readonly number[], rows: readonly number[]): readonly TemplateResult[] {
    // The first pane of three has the whole height.
    const from = this.context.session.state.layout === "orthogonal" ? (columns[0] ?? 0) : 0;
    return [...this.gutters.render("columns", columns), ...this.gutters.render("rows", rows, from)];
  }

  private cell({ index, pane }: Place, alone: boolean): TemplateResult {
    const { state } = this.context.session;
    const area = alone || !this.isOfSeveral ? "1/1/2/2" : areaOf(state.layout, index);
    const [row = 1, column = 1] = area.split("/").map(Number);
    const isInset = state.layout === "picture-in-picture" && index === 1 && !alone;
    const classes = [
      "cell",
      index === state.active ? "active" : "",
      column > 1 ? "right" : "",
      row > 1 ? "below" : "",
      isInset ? "inset" : "",
    ];
    return html`<div
      class=${classes.join(" ")}
      ?hidden=${this.isHidden(index)}
      style=${isInset ? "" : `grid-area:${area}`}
    >
      ${pane}<div class="frame" aria-hidden="true"></div>
    </div>`;
  }

  private valuesCell(): TemplateResult {
    this.values ??= new ValuesPane(this.context);
    return html`<div class="cell right" style="grid-area:${VALUES_AREA}">${this.values}</div>`;
  }

  /** Where there is room for one pane: the others by their planes. */
  private switch(): TemplateResult | typeof nothing {
    const { info, state } = this.context.session;
    if (!info) return nothing;
    const axes = this.places.map(({ session }) => session.state.axis);
    const isNamed = new Set(axes).size === axes.length;
    return html`<div class="switch" role="radiogroup" aria-label="Pane">
      ${this.places.map(({ index, session }) => {
        const { axis, slice_idx } = session.state;
        const words = sliceOfText(info, axis, slice_idx[axis] ?? 0);
        const name = axisOf(info, axis);
        const short = axes.length > 3 ? axisShort(name) : axisTitle(name);
        return html`<button
          role="radio"
          aria-checked=${index === state.active ? "true" : "false"}
          aria-label="Pane ${index + 1}: ${words}"
          title=${words}
          @click=${() => session.activate()}
        >${isNamed ? short : index + 1}</button>`;
      })}
    </div>`;
  }
}

define("blustream-pane-grid", PaneGrid);
