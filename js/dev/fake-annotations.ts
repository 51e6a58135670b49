/** A server of annotations in the page: one order of edits, undo by gesture, measures by formula. */
import { edited, idOf } from "../src/annotations/edits";
import { isInside } from "../src/annotations/planar";
import { isRegion } from "../src/annotations/shape";
import { AnnotationStore } from "../src/annotations/store";
import type {
  Annotation,
  AnnotationLink,
  Edit,
  Edits,
  EditsMade,
  Measured,
  OrderedEdit,
  Wanted,
} from "../src/annotations/types";
import { Listeners } from "../src/listeners";
import { FakeHorizons } from "./fake-horizons";
import type { DevVolume } from "./volumes";

interface Step {
  readonly gesture: number;
  readonly before: Map<string, Annotation | null>;
}

export class FakeAnnotations implements AnnotationLink {
  readonly items = new Map<string, Annotation>();
  /** Every message since the start, for tests. */
  readonly messages: Edits[] = [];
  readonly store: AnnotationStore;
  readonly horizonServer: FakeHorizons;
  isConnected = true;
  private readonly made = new Listeners<EditsMade>();
  private readonly measured = new Listeners<Measured>();
  private readonly never = new AbortController().signal;
  private undone: Step[] = [];
  private done: Step[] = [];
  private seq = 0;
  private questions = 0;

  constructor(private readonly volume: DevVolume) {
    this.store = new AnnotationStore(this, this.never);
    this.horizonServer = new FakeHorizons(volume, this);
  }

  get horizons(): FakeHorizons["link"] {
    return this.horizonServer.link;
  }

  edit(edits: Edits): number | null {
    if (!this.isConnected) return null;
    this.seq += 1;
    this.messages.push(edits);
    const { seq } = this;
    queueMicrotask(() => this.obey(edits, seq));
    return seq;
  }

  /** What another viewer or Python does. */
  change(edits: readonly Edit[]): void {
    this.obey({ edits, gesture: 0 }, this.seq);
  }

  private obey(edits: Edits, seq: number): void {
    const changed =
      edits.history === "undo"
        ? this.step(this.done, this.undone)
        : edits.history === "redo"
          ? this.step(this.undone, this.done)
          : this.apply(edits);
    this.tell(changed, seq);
  }

  private apply({ edits = [], gesture = 0 }: Edits): Set<string> {
    const last = this.done.at(-1);
    const step = gesture > 0 && last?.gesture === gesture ? last : { gesture, before: new Map() };
    if (step !== last) this.done.push(step);
    this.undone = [];
    for (const edit of edits) {
      const id = idOf(edit);
      const old = this.items.get(id) ?? null;
      if (!step.before.has(id)) step.before.set(id, old);
      this.put(id, edited(old, edit));
    }
    return new Set(edits.map(idOf));
  }

  private step(from: Step[], to: Step[]): Set<string> {
    const step = from.pop();
    const before = new Map<string, Annotation | null>();
    for (const [id, item] of step?.before ?? []) {
      before.set(id, this.items.get(id) ?? null);
      this.put(id, item);
    }
    if (step) to.push({ gesture: 0, before });
    return new Set(before.keys());
  }

  private put(id: string, item: Annotation | null): void {
    if (item) this.items.set(id, { ...item, author: "owner" });
    else this.items.delete(id);
  }

  private tell(ids: ReadonlySet<string>, seq: number, reset = false): void {
    const edits = [...ids].map((id): OrderedEdit => {
      const item = this.items.get(id);
      return item ? { op: "put", item } : { op: "remove", id };
    });
    const [can_undo, can_redo] = [this.done.length > 0, this.undone.length > 0];
    this.made.emit({ seq, edits, reset, can_undo, can_redo });
  }

  /** A new connection. */
  welcome(): void {
    this.isConnected = true;
    this.tell(new Set(this.items.keys()), 0, true);
  }

  measure(id: string, want: readonly Wanted[], _channel: number): number {
    this.questions += 1;
    const n = this.questions;
    setTimeout(() => this.answer(n, id, want));
    return n;
  }

  private answer(n: number, id: string, want: readonly Wanted[]): void {
    const item = this.items.get(id);
    if (!item) return;
    const empty = { n, id, progress: 1, done: true, quantities: [], error: "" };
    const [first, last] = item.points;
    const value = want.includes("value") && first ? this.value(first) : null;
    const statistics = want.includes("statistics") && isRegion(item) ? this.statistics(item) : null;
    const profile =
      want.includes("profile") && first && last
        ? {
            channel: 0,
            unit: "m",
            value_unit: "",
            positions: Array.from({ length: 101 }, (_, i) => i * 10),
            values: Array.from({ length: 101 }, (_, i) =>
              this.value(first.map((v, a) => v + ((last[a] ?? 0) - v) * (i / 100)) as never),
            ),
            first,
            last,
          }
        : null;
    const none = { spectrum: null, no_spectrum: "" };
    this.measured.emit({ ...empty, ...none, value, statistics, profile });
  }

  private value(at: readonly [number, number, number]): number {
    const [i, j, k] = at.map(Math.round);
    return this.volume.value(i ?? 0, j ?? 0, k ?? 0);
  }

  /** Of the voxels whose centre is inside. */
  private statistics(item: Annotation): Measured["statistics"] {
    const axis = item.axis ?? 0;
    const [u, v] = [0, 1, 2].filter((a) => a !== axis) as [number, number];
    const ring = item.points.map((p) => ({ x: p[u] ?? 0, y: p[v] ?? 0 }));
    const [us, vs] = [ring.map(({ x }) => x), ring.map(({ y }) => y)];
    const [u0, u1, v0, v1] = [Math.min(...us), Math.max(...us), Math.min(...vs), Math.max(...vs)];
    const values: number[] = [];
    const at: [number, number, number] = [0, 0, 0];
    at[axis] = Math.round(item.points[0]?.[axis] ?? 0);
    for (let a = Math.ceil(u0); a <= u1; a++)
      for (let b = Math.ceil(v0); b <= v1; b++) {
        at[u] = a;
        at[v] = b;
        const [x, y] = [(2 * a - u0 - u1) / (u1 - u0), (2 * b - v0 - v1) / (v1 - v0)];
        const inside =
          item.kind === "rectangle" ||
          (item.kind === "ellipse" ? x * x + y * y <= 1 : isInside(ring, { x: a, y: b }));
        if (inside) values.push(this.value(at));
      }
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const sd = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
    const [minimum, maximum] = [Math.min(...values), Math.max(...values)];
    const bins = new Array<number>(64).fill(0);
    for (const value of values) {
      const bin = Math.min(63, Math.floor((64 * (value - minimum)) / (maximum - minimum || 1)));
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const histogram = { percentiles: [], low: minimum, high: maximum, histogram: bins };
    const counts = { channel: 0, unit: "", count: values.length, n_nodata: 0, median: mean };
    return { ...counts, mean, sd, minimum, maximum, ...histogram };
  }

  onEdits(listener: (made: EditsMade) => void, signal: AbortSignal): void {
    this.made.add(listener, signal);
  }

  onMeasured(listener: (measured: Measured) => void, signal: AbortSignal): void {
    this.measured.add(listener, signal);
  }
}
