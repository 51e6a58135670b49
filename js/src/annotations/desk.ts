/** What the parts of one view share of annotations: store, answers, editor, and who wants to know. */
import type { VolumeInfo } from "../protocol";
import { Editor, type EditorHost, type Surface } from "./editor";
import { editorKey } from "./keys";
import { type Job, Picking } from "./picking";
import { MOST as MOST_READINGS, Readings } from "./readings";
import { isRegion } from "./shape";
import type { AnnotationStore } from "./store";
import type { Annotation, AnnotationLink, HorizonLink } from "./types";

export interface DeskHost extends EditorHost {
  readonly isAnnotating: boolean;
  /** Channel of the volume that is shown. */
  readonly channel: number;
  /** Step of a series that is shown; 0 where there is no time axis. */
  readonly step: number;
  readonly info: VolumeInfo | null;
  /** What other people draw at the moment. */
  unfinished(): readonly Annotation[];
}

export class Desk {
  readonly store: AnnotationStore;
  readonly readings: Readings;
  readonly editor: Editor;
  /** Picks of horizons: how they snap, and what is followed from them. */
  readonly picking: Picking;
  /** Grows with what changes of annotations that nobody has in hand. */
  stillRevision = 0;
  /** Grows with what becomes known of them: measurements. */
  readingsRevision = 0;
  private current: Surface | null = null;
  private others: readonly Annotation[] = [];
  /** What each pane shows that the worker is asked about. */
  private readonly seen = new Map<Surface, readonly Annotation[]>();
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly host: DeskHost,
    link: AnnotationLink & { readonly store: AnnotationStore; readonly horizons: HorizonLink },
    readonly signal: AbortSignal,
  ) {
    const { store } = link; // one for all views of a session
    this.store = store;
    this.readings = new Readings(store, link, signal);
    const changed = (): void => this.editor.changed();
    this.picking = new Picking(store, link.horizons, host, changed, signal);
    this.editor = new Editor(store, host, signal, this.picking);
    store.onChange((ids) => this.storeChanged(ids), signal);
    this.editor.onChange(() => this.changed(), signal);
    this.readings.onChange((id) => {
      if (!this.editor.active.has(id)) this.readingsRevision += 1;
      this.changed();
    }, signal);
  }

  get isAnnotating(): boolean {
    return this.host.isAnnotating;
  }

  get channel(): number {
    return this.host.channel;
  }

  /** The pane that keys act on. */
  get surface(): Surface | null {
    return this.current ?? this.editor.surface;
  }

  /** A key press on the picture; true if it was for the annotations, and goes no further. */
  key(event: KeyboardEvent): boolean {
    const { surface, isAnnotating } = this;
    const follow = (over: Job["over"]): boolean => this.follow(over);
    const host = { surface, isAnnotating, now: event.timeStamp, follow };
    if (!editorKey(event, this.editor, host)) return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /** Follow the chosen horizon from its picks; false if none is chosen. */
  private follow(over: Job["over"]): boolean {
    const chosen = this.editor.selection.single;
    if (chosen?.kind !== "horizon") return false;
    this.picking.follow(chosen, over, this.surface?.section ?? null);
    return true;
  }

  claim(surface: Surface): void {
    this.current = surface;
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.listeners.add(listener);
    signal.addEventListener("abort", () => this.listeners.delete(listener), { once: true });
  }

  /** What other people draw at the moment. */
  get unfinished(): readonly Annotation[] {
    return this.others;
  }

  /** Other people draw on, or have done. */
  othersDrew(): void {
    const others = this.host.unfinished();
    if (others.length === 0 && this.others.length === 0) return;
    this.others = others;
    for (const listener of this.listeners) listener();
  }

  private storeChanged(ids: ReadonlySet<string> | null): void {
    const { active } = this.editor;
    if (ids === null || [...ids].some((id) => !active.has(id))) this.stillRevision += 1;
    // After a connection all of them: where a grid lies is known from the grid alone.
    const changed = ids && [...ids].map((id) => this.store.get(id)).filter((item) => item !== null);
    this.picking.want(changed ?? this.store.items);
    this.changed();
  }

  private changed(): void {
    this.wantReadings();
    for (const listener of this.listeners) listener();
  }

  /** A pane shows these: what is said of them is asked of the worker. */
  show(surface: Surface, items: readonly Annotation[]): void {
    const measured = items.filter(
      (item) => isRegion(item) || item.kind === "point" || item.kind === "box",
    );
    this.seen.set(surface, measured.slice(0, MOST_READINGS));
    this.picking.want(items);
    this.wantReadings();
  }

  private wantReadings(): void {
    const chosen = this.editor.selection.items;
    const measured = [...this.seen.values()].flat();
    const items = [...new Set([...chosen, ...measured])];
    this.readings.want(items, this.host.channel, this.host.step);
  }
}
