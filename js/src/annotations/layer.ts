/**
 * The annotations over one pane, as vectors at device pixels, without a wait for any picture.
 *
 * Two canvases: what is chosen, drawn, dragged or pointed at lies on its own, so that a drag draws that
 * alone and not the thousand others, which `still.ts` paints.
 */
import { css } from "lit";
import type { Point } from "../geometry";
import { type Area, Cover, lay } from "./area";
import { CHIPS_MOST, type Chip, ChipLayout, chipAt, drawChip } from "./chips";
import type { Desk } from "./desk";
import type { Surface } from "./editor";
import { LabelField } from "./field";
import { gridFor } from "./grids";
import { SliceIndex } from "./hit";
import { drawItem, drawMap, drawPen, fillRegion, type Look } from "./paint";
import { trackAnnotations } from "./pointer";
import { WordRoom } from "./room";
import type { Section } from "./section";
import { handlesOf, strokesOf } from "./shape";
import { StillCanvas } from "./still";
import type { Annotation } from "./types";
import { wordsOf } from "./words";

/** What is drawn around a place: handles, halos, the keyboard's pointer. */
const REACH_PX = 20;

type Brush = CanvasRenderingContext2D;

const CURSORS = { body: "move", insert: "copy", handle: "pointer", label: "grab" } as const;

/** What the layer needs of its pane. */
export interface LayerPane {
  readonly signal: AbortSignal;
  /** The slice as it lies on screen now; null while there is none. */
  readonly section: Section | null;
  readonly size: { readonly width: number; readonly height: number; readonly pixelRatio: number };
  /** Longest axis of the volume. */
  readonly extent: number;
  /** Of another tool than those of annotations; "" without. */
  readonly cursor: string;
  focus(): void;
}

export const layerStyles = css`
  .annotations {
    position: absolute;
    inset: 0;
    overflow: hidden;
    pointer-events: none;
    forced-color-adjust: none;
  }
  .annotations canvas {
    position: absolute;
    left: 0;
    top: 0;
    transform-origin: 0 0;
  }
  .annotations input {
    position: absolute;
    pointer-events: auto;
    height: 28px;
    min-width: 120px;
    max-width: 100%;
    padding: 0 8px;
    border: 0;
    border-radius: 4px;
    outline: 2px solid var(--accent);
    background: var(--bg);
    color: var(--fg);
  }
  @media (pointer: coarse) {
    .annotations input {
      height: 44px;
      font-size: 16px;
    }
  }
`;

export class AnnotationLayer implements Surface {
  readonly element = document.createElement("div");
  /** What labels leave room for. */
  readonly room = new WordRoom();
  private readonly still: StillCanvas;
  private readonly live: CanvasRenderingContext2D | null;
  private readonly field: LabelField;
  private view: HTMLElement | null = null;
  private asked = false;
  private isLiveEmpty = true;
  /** Where the canvas of what is in hand lies. */
  private liveAt: Point = { x: 0, y: 0 };
  private chips: readonly Chip[] = [];
  private cached: { index: SliceIndex; revision: number } | null = null;
  private readonly offsets = new Map<string, Point>();
  private accent = "";

  constructor(
    private readonly desk: Desk,
    private readonly pane: LayerPane,
  ) {
    this.element.className = "annotations";
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true"); // everything drawn is in the list, as text
    this.live = canvas.getContext("2d");
    const { editor } = desk;
    const { signal } = pane;
    this.still = this.makeStill();
    this.field = new LabelField(editor, () => pane.focus());
    this.element.append(this.field.element);
    desk.onChange(() => {
      // At once: the first letter may come before the next frame.
      this.field.place(this, pane.section);
      this.request();
    }, signal);
  }

  /** Listen to the pane; before its own gestures do. */
  attach(view: HTMLElement): void {
    this.view = view;
    const { desk, pane, field } = this;
    const host = {
      surface: this,
      get isAnnotating() {
        return desk.isAnnotating;
      },
      focus: () => pane.focus(),
      commit: () => field.commit(),
    };
    trackAnnotations(view, desk.editor, host, pane.signal);
    desk.claim(this);
  }

  // ------------------------------------------------------------ Surface

  get section(): Section | null {
    return this.pane.section;
  }

  get width(): number {
    return this.pane.size.width;
  }

  get height(): number {
    return this.pane.size.height;
  }

  get index(): SliceIndex | null {
    const { section } = this.pane;
    const { store, editor } = this.desk;
    if (!section) return null;
    const isHeld = editor.grab !== null || editor.draft !== null;
    const isRight = this.cached?.index.isOf(section) === true;
    if (!isRight || (this.cached?.revision !== store.revision && !isHeld)) {
      const index = new SliceIndex(store.items, section, this.pane.extent);
      this.cached = { index, revision: store.revision };
    }
    return this.cached?.index ?? null;
  }

  labelAt(at: Point): string | null {
    return chipAt(this.chips, at)?.id ?? null;
  }

  // ------------------------------------------------------------ drawing

  /** Something changed: look once in this frame what has to be painted. */
  request(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (!this.pane.signal.aborted) this.draw();
    });
  }

  /** Canvases in the order in which they lie and where, in CSS pixels, for a saved picture. */
  get canvases(): readonly { readonly canvas: HTMLCanvasElement; readonly at: Point }[] {
    const still = { canvas: this.still.canvas, at: { x: 0, y: 0 } };
    const live = { canvas: this.live?.canvas, at: this.liveAt };
    return [still, live].flatMap(({ canvas, at }) => (canvas?.isConnected ? [{ canvas, at }] : []));
  }

  draw(): void {
    const { section } = this.pane;
    const { still, live, desk } = this;
    if (!live) return;
    this.field.place(this, section);
    if (!section || desk.editor.hidden) {
      still.clear();
      live.canvas.remove();
      this.isLiveEmpty = true;
      this.chips = [];
      return;
    }
    this.showCursor();
    still.show({ section, key: this.stillKey(), later: desk.readingsRevision });
    this.drawLive(live, section);
  }

  /** The pointer says what a press would do. */
  private showCursor(): void {
    if (!this.view) return;
    const { editor, isAnnotating } = this.desk;
    const { hovered } = editor;
    let cursor = "";
    if (isAnnotating) cursor = editor.isDrawing ? (editor.facts.cursor ?? "crosshair") : "default";
    if (hovered && !editor.isDrawing) {
      cursor = CURSORS[hovered.part];
    }
    cursor = this.pane.cursor || cursor;
    if (this.view.style.cursor !== cursor) this.view.style.cursor = cursor;
  }

  /** The canvas is on the page only while something is on it: an empty one costs memory and blending. */
  private putLive({ canvas }: CanvasRenderingContext2D, isNeeded: boolean): void {
    if (!isNeeded) canvas.remove();
    else if (!canvas.isConnected) this.field.element.before(canvas);
    if (isNeeded) this.accent ||= this.themeAccent();
  }

  private themeAccent(): string {
    return getComputedStyle(this.element).getPropertyValue("--accent");
  }

  private makeStill(): StillCanvas {
    const { desk, pane } = this;
    let shown: HTMLCanvasElement | null = null;
    const host = {
      get size() {
        return pane.size;
      },
      itemsOn: () => {
        const { active } = desk.editor;
        const { index } = this;
        desk.show(this, index?.items ?? []);
        return index?.items.filter(({ id }) => !active.has(id)) ?? [];
      },
      begin: (brush: Brush, items: readonly Annotation[], section: Section) => {
        this.accent = this.themeAccent();
        for (const item of items) drawMap(brush, item, section);
      },
      paint: (brush: Brush, item: Annotation, section: Section) =>
        drawItem(brush, item, section, this.lookOf(item, section, false)),
      finish: (brush: Brush, items: readonly Annotation[], section: Section) => {
        const layout = new ChipLayout(brush, this.width, this.height);
        layout.avoid(this.room.boxes);
        this.chips = items.length > 0 ? this.placeChips(items, section, layout) : [];
        for (const chip of this.chips) drawChip(brush, chip, this.accent);
      },
      put: (canvas: HTMLCanvasElement | null) => {
        if (canvas && !canvas.isConnected) this.element.prepend(canvas);
        if (shown === canvas) return;
        shown?.remove();
        shown = canvas;
        this.request(); // labels of what is in hand give way to those on the new canvas
      },
    };
    return new StillCanvas(host, pane.signal);
  }

  /** Everything that is seen at once on the still canvas, but for where the slice lies. */
  private stillKey(): string {
    const { desk } = this;
    const { editor } = desk;
    const { width, height, pixelRatio } = this.pane.size;
    const active = [...editor.active].join();
    const { revision } = this.room;
    return [desk.stillRevision, active, width, height, pixelRatio, desk.channel, revision].join(
      "|",
    );
  }

  private lookOf(item: Annotation, section: Section, hovered: boolean): Look {
    const { editor } = this.desk;
    const selected = editor.selection.has(item.id);
    return {
      presence: section.presence(item),
      selected,
      hovered,
      handles: selected && !item.locked && editor.host.canEdit,
      accent: this.accent,
    };
  }

  private placeChips(
    items: readonly Annotation[],
    section: Section,
    layout: ChipLayout,
    all = false,
  ): Chip[] {
    const { desk } = this;
    const { info } = desk.editor.host;
    const chips: Chip[] = [];
    if (!info) return chips;
    for (const item of items) {
      if (chips.length >= CHIPS_MOST) break;
      if (!all && section.presence(item) !== "on") continue;
      const words = wordsOf(item, info, desk.readings.of(item, desk.channel));
      const selected = desk.editor.selection.has(item.id);
      const offset = this.offsets.get(item.id) ?? null;
      const chip = layout.place(item, section, words, selected || all, offset);
      if (chip) chips.push({ ...chip, selected });
    }
    return chips;
  }

  // ------------------------------------------------------------ what is in hand

  private drawLive(brush: CanvasRenderingContext2D, section: Section): void {
    const { desk } = this;
    const { editor } = desk;
    const active = this.activeOn(section);
    const isOurs = editor.surface === this;
    const drawn = isOurs ? editor.drawn : null;
    const pen = isOurs || editor.surface === null ? editor.pen : null;
    const pointed = this.pointedAt(section);
    const others = desk.unfinished.filter((item) => isSeen(item, section));
    const isNothing = active.length + others.length === 0 && !drawn && !pen && !pointed;
    if (isNothing && this.isLiveEmpty) return;
    const { active: ids } = editor;
    this.chips = this.chips.filter(({ id }) => !ids.has(id));
    const shown = drawn ? [...active, drawn] : active;
    const layout = new ChipLayout(brush, this.width, this.height);
    layout.avoid([...this.room.boxes, ...this.chips]);
    const chips = this.placeChips(shown, section, layout, true);
    const covered = [...shown, ...others, ...(pointed ? [pointed] : [])];
    const area = isNothing ? null : this.areaOf(covered, chips, pen, section);
    this.isLiveEmpty = area === null;
    this.putLive(brush, area !== null);
    if (!area) return;
    this.liveAt = { x: area.x, y: area.y };
    lay(brush, area, this.pane.size.pixelRatio);
    if (pointed) drawItem(brush, pointed, section, this.lookOf(pointed, section, true));
    this.drawActive(brush, active, section);
    for (const item of others) drawItem(brush, item, section, this.lookOf(item, section, false));
    if (drawn) {
      const look: Look = { ...this.lookOf(drawn, section, false), presence: "on", handles: true };
      drawItem(brush, drawn, section, look);
    }
    for (const chip of chips) drawChip(brush, chip, this.accent);
    this.chips = [...this.chips, ...chips.filter(({ id }) => id !== "draft")];
    if (pen) drawPen(brush, pen);
  }

  private drawActive(brush: Brush, active: readonly Annotation[], section: Section): void {
    for (const item of active) {
      fillRegion(brush, item, section);
      drawMap(brush, item, section);
      drawItem(brush, item, section, this.lookOf(item, section, false));
    }
  }

  private activeOn(section: Section): readonly Annotation[] {
    const { editor, store } = this.desk;
    const items = [...editor.active].map((id) => store.get(id));
    return items.filter((item) => item !== null && isSeen(item, section)) as Annotation[];
  }

  /** What the pointer is over and nobody has in hand: drawn once more, and stronger. */
  private pointedAt(section: Section): Annotation | null {
    const { editor, store } = this.desk;
    const id = editor.hovered?.id;
    const item = id === undefined || editor.active.has(id) ? null : store.get(id);
    return item && isSeen(item, section) ? item : null;
  }

  /** The part of the pane that what is in hand covers; null: it is out of sight. */
  private areaOf(
    items: readonly Annotation[],
    chips: readonly Chip[],
    pen: Point | null,
    section: Section,
  ): Area | null {
    const cover = new Cover();
    for (const item of items) {
      const places = [...strokesOf(item, section).flatMap(({ chain }) => chain)];
      for (const place of [...places, ...handlesOf(item, section)]) {
        if (place) cover.add(place, REACH_PX + item.width);
      }
      if (section.axis === 2 && gridFor(item)) cover.addArea({ x: 0, y: 0, ...this.pane.size }, 0);
    }
    for (const chip of chips) {
      cover.addArea(chip, 2);
      cover.add(chip.anchor, 2);
    }
    if (pen) cover.add(pen, REACH_PX);
    return cover.within(this.pane.size);
  }

  /** Put a label elsewhere: a dotted line leads to it from then on. */
  moveLabel(id: string, by: Point): void {
    const chip = this.chips.find((each) => each.id === id);
    if (!chip) return;
    const from = this.offsets.get(id) ?? { x: chip.x - chip.anchor.x, y: chip.y - chip.anchor.y };
    this.offsets.set(id, { x: from.x + by.x, y: from.y + by.y });
    this.still.repaint();
    this.request();
  }
}

function isSeen(item: Annotation, section: Section): boolean {
  return item.visible && section.presence(item) !== "off";
}
