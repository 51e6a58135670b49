/** What one view does with annotations: the tool in hand, what is drawn, held, chosen and written. */
import type { Point } from "../geometry";
import { type Family, kindName, type ToolFacts, type ToolName, toolOf } from "./catalogue";
import { Draft, isPoint, isThin, newItem, type Pointed, type Progress } from "./draft";
import { rounded } from "./edits";
import { FaultInHand } from "./faults";
import { Grab } from "./grab";
import { type Hit, hitTest, MOUSE_REACH_PX, snapTo, TOUCH_REACH_PX } from "./hit";
import { asDrawnOn, GridSection, onSlicesAlone } from "./oblique";
import type { Picking } from "./picking";
import type { Section } from "./section";
import { newId, Selection } from "./selection";
import { isCornered, isRegion, withDepth } from "./shape";
import type { AnnotationStore } from "./store";
import type { EditorHost, Surface, Touch, Writing } from "./surface";
import type { Annotation, Point3 } from "./types";
import { insertVertex, withoutVertex } from "./vertices";
import { titleOf } from "./words";

const SNAP_PX = 8;
const DOUBLE_MS = 400;

export type { EditorHost, Surface, Touch, Writing } from "./surface";

export const COLOURS = ["#ffd43b", "#ff6b6b", "#69db7c", "#4dabf7", "#da77f2", "#ffffff"] as const;

export class Editor {
  readonly selection: Selection;
  /** The fault that sticks are drawn of. */
  readonly fault = new FaultInHand();
  tool: ToolName = "select";
  pinned = false;
  draft: Draft | null = null;
  grab: Grab | null = null;
  hovered: Hit | null = null;
  writing: Writing | null = null;
  /** The keyboard's pointer, on the surface that has the focus. */
  pen: Point | null = null;
  surface: Surface | null = null;
  style: { color: string; width: number } = { color: COLOURS[0], width: 2 };
  /** All annotations are out of sight. */
  hidden = false;
  private readonly last: Record<Family, ToolName> = {
    select: "select",
    annotate: "arrow",
    measure: "distance",
  };
  private lastClick = { id: "", time: Number.NEGATIVE_INFINITY };
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly store: AnnotationStore,
    readonly host: EditorHost,
    signal: AbortSignal,
    private readonly picking: Picking | null = null,
  ) {
    this.selection = new Selection(store, () => this.changed());
    store.onChange(() => {
      this.selection.prune();
      if (this.hovered && !store.get(this.hovered.id)) this.hovered = null;
    }, signal);
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.listeners.add(listener);
    signal.addEventListener("abort", () => this.listeners.delete(listener), { once: true });
  }

  changed(): void {
    for (const listener of this.listeners) listener();
  }

  get facts(): ToolFacts {
    return toolOf(this.tool);
  }

  get isDrawing(): boolean {
    return this.facts.kind !== null;
  }

  get sizes(): readonly number[] {
    return this.host.info?.axes.map(({ n }) => n) ?? [1, 1, 1];
  }

  /** What is being changed by hand: drawn apart from all the rest. */
  get active(): ReadonlySet<string> {
    return new Set([...this.selection.items.map(({ id }) => id), ...(this.grab?.ids ?? [])]);
  }

  /** The annotation that is being drawn, as far as it is. */
  get drawn(): Annotation | null {
    const { draft } = this;
    if (!draft || draft.shown.length === 0) return null;
    const closed = draft.facts.kind === "freehand" ? { closed: false } : {};
    return { ...newItem(draft.facts, draft.shown, draft.axis, this.style, "draft"), ...closed };
  }

  // ------------------------------------------------------------ tools

  lastOf(family: Family): ToolName {
    return this.last[family];
  }

  /** Take a tool in hand; asked for again, it stays there for more than one shape. */
  pick(tool: ToolName): void {
    const pinned = this.isDrawing && tool === this.tool;
    if (!this.host.canEdit && tool !== "select") {
      this.host.note("You may look at this view, not draw in it.");
      return;
    }
    this.cancel();
    const facts = toolOf(tool);
    if (tool === "fault") this.fault.begin();
    this.tool = tool;
    this.pinned = pinned;
    this.last[facts.family] = tool;
    if (facts.kind) this.selection.clear();
    this.host.setDrawing(true);
    this.host.say(`${facts.title}${pinned ? ", stays in hand" : ""}. ${facts.hint}.`);
    this.changed();
  }

  /** Put the tools away. */
  putAway(): void {
    this.cancel();
    this.tool = "select";
    this.pinned = false;
    this.pen = null;
    this.changed();
  }

  /** Give up what is being drawn, held or written; false if there was nothing. */
  cancel(): boolean {
    const had = this.draft !== null || this.writing !== null || this.grab !== null;
    this.draft = null;
    this.writing = null;
    this.grab = null;
    if (had) this.changed();
    return had;
  }

  /** The pointer that drew or held is gone: what this press began is taken back. */
  drop(): void {
    this.grab = null;
    if (this.draft) this.progress(this.draft.abort());
    this.changed();
  }

  /** Innermost first: what is drawn, what is chosen; then the tool, which the view puts away. */
  escape(): boolean {
    if (this.cancel() || this.picking?.cancel()) return true;
    if (this.selection.size === 0) return false;
    this.selection.clear();
    return true;
  }

  // ------------------------------------------------------------ pointer

  /** True if the press is ours: nothing else may take it. */
  press(surface: Surface, touch: Touch, onlySelect: boolean): boolean {
    const { section } = surface;
    this.surface = surface;
    if (!section || this.hidden) return false;
    if (!onlySelect && this.isDrawing) {
      this.beginOrGoOn(section, touch);
      return true;
    }
    return this.take(surface, touch);
  }

  private beginOrGoOn(section: Section, touch: Touch): void {
    if (this.facts.only === "seismic" && !section.isUpright) {
      this.host.note(`${this.facts.title}: on inlines and crosslines.`, "Go to one of them first.");
      return;
    }
    if (section.axis === null && onSlicesAlone(this.facts.kind)) {
      const title = kindName(this.facts.kind ?? "box");
      this.host.note(`${title}: drawn on slices.`, "On this section, draw a polygon.");
      return;
    }
    if (this.draft && !this.draft.mayGoOn(section)) this.leaveSection(this.draft);
    this.draft ??= new Draft(this.facts, section, (point) => this.inside(point));
    this.progress(this.draft.press(this.pointed(touch, section)));
  }

  /** The hand goes on elsewhere: a stick ends there, anything else is given up. */
  private leaveSection(draft: Draft): void {
    if (draft.facts.series && draft.canFinish) this.finished(draft);
    this.draft = null;
  }

  /** Grab what lies under the pointer, or let go of what is chosen. */
  private take(surface: Surface, touch: Touch): boolean {
    const hit = this.hitAt(surface, touch);
    if (!hit) {
      if (!touch.shift) this.selection.clear();
      return false;
    }
    const item = this.store.get(hit.id);
    const without = touch.alt && hit.part === "handle" && item ? withoutVertex(item, hit.at) : null;
    if (without) {
      this.store.apply([without], this.store.newGesture());
      return true;
    }
    if (!this.selection.has(hit.id) || touch.shift) {
      this.selection.pick(hit.id, { more: touch.shift, alone: touch.alt });
    }
    if (item) this.hold(item, hit, touch.at);
    this.changed();
    return true;
  }

  private hold(item: Annotation, hit: Hit, at: Point): void {
    const others = this.selection.items.filter(({ id }) => id !== item.id);
    const held = [item, ...(hit.part === "body" ? others : [])].filter(({ locked }) => !locked);
    // What was followed lies where the data say: its picks may be moved, not the whole.
    const isFixed = item.grid !== "" && hit.part === "body";
    if (this.host.canEdit && !item.locked && !isFixed && this.selection.has(item.id)) {
      this.grab = new Grab(hit, held, at, this.store.newGesture(), this.sizes);
    }
    this.host.say(titleOf(item));
  }

  hitAt(surface: Surface, touch: Pick<Touch, "at" | "isFinger">): Hit | null {
    const { section, index } = surface;
    if (!section || !index || this.hidden) return null;
    const reach = touch.isFinger ? TOUCH_REACH_PX : MOUSE_REACH_PX;
    const hit = hitTest(index, section, touch.at, reach, this.selection.items);
    if (hit?.part === "handle" || hit?.part === "insert") return hit;
    const label = surface.labelAt(touch.at);
    if (!label) return hit;
    const isText = this.store.get(label)?.kind === "text";
    return { id: label, part: isText ? "body" : "label", at: -1 };
  }

  move(surface: Surface, touch: Touch): void {
    const { section } = surface;
    if (!section) return;
    if (this.draft) {
      this.draft.move(this.pointed(touch, section, surface));
      this.changed();
    } else if (this.grab) this.drag(this.grab, surface, section, touch);
    else this.hover(surface, touch);
  }

  private drag(grab: Grab, surface: Surface, section: Section, touch: Touch): void {
    if (grab.hit.part === "label") {
      const by = grab.step(touch.at);
      if (by) surface.moveLabel(grab.hit.id, by);
      return;
    }
    const snapped = grab.hit.part === "body" ? null : this.snapped(touch, surface, grab.ids);
    const edits = grab.move(this.pointed(touch, section), snapped);
    if (edits.length > 0) this.store.apply(edits, grab.gesture);
  }

  private hover(surface: Surface, touch: Touch): void {
    const hit = this.isDrawing ? null : this.hitAt(surface, touch);
    const same =
      hit?.id === this.hovered?.id &&
      hit?.part === this.hovered?.part &&
      hit?.at === this.hovered?.at;
    this.hovered = hit;
    if (!same) this.changed();
  }

  leave(): void {
    if (this.hovered) {
      this.hovered = null;
      this.changed();
    }
  }

  release(surface: Surface, touch: Touch): void {
    const { section } = surface;
    if (this.draft && section) {
      this.progress(this.draft.release(this.pointed(touch, section, surface)));
      return;
    }
    const { grab } = this;
    this.grab = null;
    if (grab && !grab.moved) this.clicked(grab, touch);
    else if (grab) this.resnap(grab);
    this.changed();
  }

  /** A pick that was moved looks for its event anew. */
  private resnap({ hit, originals: [held], gesture }: Grab): void {
    const item = held && this.store.get(held.id);
    const at = hit.part === "insert" ? hit.at + 1 : hit.at;
    if (item && (hit.part === "handle" || hit.part === "insert")) {
      this.picking?.moved(item, at, gesture);
    }
  }

  /** A click on a place for a vertex makes one; a second click on a shape opens its label. */
  private clicked(grab: Grab, touch: Touch): void {
    const { hit } = grab;
    const [item] = grab.originals;
    if (!item) return;
    if (hit.part === "insert") {
      const edit = insertVertex(item, hit.at);
      if (edit) this.store.apply([edit], grab.gesture);
      return;
    }
    const isSecond = this.lastClick.id === item.id && touch.time - this.lastClick.time < DOUBLE_MS;
    this.lastClick = { id: item.id, time: touch.time };
    if (isSecond) this.writeLabel(item);
  }

  private pointed(touch: Touch, section: Section, surface?: Surface): Pointed {
    const snapped = surface ? this.snapped(touch, surface, new Set()) : null;
    return { at: snapped ?? touch.at, section, straight: touch.shift, time: touch.time };
  }

  /** The vertex nearby, unless Alt is held or the line is drawn by hand. */
  private snapped(touch: Touch, surface: Surface, except: ReadonlySet<string>): Point | null {
    if (touch.alt || touch.shift || this.draft?.facts.stroke) return null;
    const { index, section } = surface;
    return index && section ? snapTo(index, section, touch.at, SNAP_PX, except) : null;
  }

  inside(point: Point3): Point3 {
    return point.map((v, i) =>
      Math.min(Math.max(v, -0.5), (this.sizes[i] ?? 1) - 0.5),
    ) as unknown as Point3;
  }

  // ------------------------------------------------------------ drawing

  progress(progress: Progress): void {
    const { draft } = this;
    if (progress === "empty") this.draft = null;
    if (progress !== "empty" && draft) this.picking?.look(draft);
    if (progress === "done" && draft) this.finished(draft);
    this.changed();
  }

  private finished(draft: Draft): void {
    this.draft = null;
    const { facts, axis, section } = draft;
    const points = draft.points.map(rounded);
    const isEmpty =
      isPoint(points) || (isCornered({ kind: facts.kind ?? "line" }) && isThin(points, axis));
    if (isEmpty) {
      this.host.note(`${facts.title}: nothing was drawn.`, facts.hint);
      return;
    }
    const drawn = asDrawnOn(section, newItem(facts, points, axis, this.style, newId()));
    if (section instanceof GridSection && isRegion(drawn) && !section.isFlat(drawn.points)) {
      this.host.note(`${facts.title}: across a bend of the fence there is no area.`, facts.hint);
      return;
    }
    const item = { ...drawn, ...this.placeOf(drawn, draft) };
    if (item.kind === "text") this.writeText(item);
    else {
      const gesture = this.add(item);
      this.picking?.added(draft, item.id, gesture);
    }
  }

  /** What a new annotation is beside its vertices: depth of a box, fault of a stick, own section. */
  private placeOf(item: Annotation, draft: Draft): Partial<Annotation> {
    const { axis } = draft;
    if (item.kind === "box" && axis !== null)
      return { points: withDepth(item.points, axis, this.sizes) };
    if (item.kind === "fault") return this.fault.next(this.store.items);
    if (axis === null) return {};
    const across = item.points[0]?.[axis];
    const isFlat = item.points.every((point) => point[axis] === across);
    return isFlat ? {} : { axis: null };
  }

  /** Returns the gesture that added it. */
  private add(item: Annotation): number {
    const gesture = this.store.newGesture();
    this.store.apply([{ op: "put", item }], gesture);
    this.host.say(`${item.label || kindName(item.kind)} added`);
    if (this.pinned || this.facts.series) return gesture;
    this.tool = "select";
    this.pen = null;
    this.host.setDrawing(false);
    this.selection.set([item.id]);
    return gesture;
  }

  // ------------------------------------------------------------ texts

  private writeText(item: Annotation): void {
    this.write(item, "Text of the annotation", "", (text) => {
      if (text.trim()) this.add({ ...item, text });
    });
  }

  /** Open the label of an annotation, or the text of one that is a text. */
  writeLabel(item: Annotation): void {
    if (!this.host.canEdit || item.locked) return;
    const isText = item.kind === "text";
    this.write(
      item,
      isText ? "Text of the annotation" : "Label",
      item[isText ? "text" : "label"],
      (text) => {
        const changes = isText ? { text } : { label: text.slice(0, 256) };
        if (isText && !text.trim()) return;
        this.store.apply([{ op: "set", id: item.id, ...changes }], this.store.newGesture());
      },
    );
  }

  private write(item: Annotation, name: string, text: string, done: (text: string) => void): void {
    const { surface } = this;
    const [first] = item.points;
    if (!surface?.section || !first) return;
    this.writing = { surface, at: surface.section.toPixel(first), text, name, done };
    this.changed();
  }

  /** Take the text as it was typed; `text` null: as it was. */
  commit(text: string | null = null): void {
    const { writing } = this;
    this.writing = null;
    if (writing && text !== null) writing.done(text);
    this.changed();
  }
}
