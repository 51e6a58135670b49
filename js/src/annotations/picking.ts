/**
 * Picks of horizons: they snap to the event nearby, and what they belong to is followed from them.
 *
 * The page has pictures, no voxels: both are asked of the worker. A pick is on screen at once where the
 * hand put it, and moves onto its event when the answer comes, as part of the same step of undo.
 */
import type { GridOfHorizon, Snap, Snapped, Tracking, VolumeInfo } from "../protocol";
import { withUnit } from "../viewer/axes";
import { fixed } from "../viewer/format";
import type { Draft } from "./draft";
import { rounded } from "./edits";
import { gridFor, gridOf, keepGrid } from "./grids";
import { asSlice, type Section } from "./section";
import type { AnnotationStore } from "./store";
import type { EditorHost } from "./surface";
import type { Annotation, HorizonLink, Point3 } from "./types";

export type EventName = NonNullable<Snap["event"]>;
export type Snapping = EventName | "off";

export const SNAPPINGS: Readonly<Record<Snapping, string>> = {
  peak: "Peak",
  trough: "Trough",
  rising: "Zero crossing, − to +",
  falling: "Zero crossing, + to −",
  off: "No snapping",
};
const EVENT_WORDS: Readonly<Record<EventName, string>> = {
  peak: "peak",
  trough: "trough",
  rising: "zero crossing from − to +",
  falling: "zero crossing from + to −",
};
/** Samples above and below a pick in which its event is looked for. */
export const REACHES = [1, 2, 3, 5, 8, 12, 20] as const;
/** The reach that horizons are picked with by custom, where the axis is time. */
const CUSTOMARY_MS = 12;

/** A pick that an answer is awaited for: in the draft, or in the annotation that it became. */
interface Asked {
  readonly draft: Draft | null;
  point: Point3;
  id: string;
  gesture: number;
}

/** What is being followed. */
export interface Job {
  readonly n: number;
  readonly id: string;
  readonly over: "section" | "volume";
  readonly progress: number;
}

export interface PickingHost extends EditorHost {
  readonly channel: number;
}

export class Picking {
  snapping: Snapping = "peak";
  job: Job | null = null;
  private chosenReach: number | null = null;
  private readonly asked = new Map<number, Asked>();
  private readonly seen = new WeakSet<Point3>();
  private readonly wanted = new Set<string>();

  constructor(
    private readonly store: AnnotationStore,
    private readonly link: HorizonLink,
    private readonly host: PickingHost,
    private readonly changed: () => void,
    signal: AbortSignal,
  ) {
    link.onSnapped((answer) => this.snapped(answer), signal);
    link.onTracking((answer) => this.followed(answer), signal);
    link.onGrid((message) => void this.arrived(message), signal);
    store.onChange((ids) => {
      if (ids === null) this.restart();
    }, signal);
  }

  /** Samples above and below. */
  get reach(): number {
    if (this.chosenReach !== null) return this.chosenReach;
    const along = this.host.info?.axes[2];
    if (along?.unit !== "ms" || !along.step) return 3;
    const wanted = CUSTOMARY_MS / Math.abs(along.step);
    return REACHES.reduce((best, n) => (Math.abs(n - wanted) < Math.abs(best - wanted) ? n : best));
  }

  setSnapping(snapping: Snapping): void {
    this.snapping = snapping;
    this.changed();
  }

  setReach(samples: number): void {
    this.chosenReach = samples;
    this.changed();
  }

  // ------------------------------------------------------------ snapping

  /** Look whether the draft has picks that were not asked for. */
  look(draft: Draft): void {
    if (draft.facts.kind !== "horizon") return;
    for (const point of draft.points) this.ask({ draft, point, id: "", gesture: 0 });
  }

  /** The draft became an annotation: answers that are under way concern that one. */
  added(draft: Draft, id: string, gesture: number): void {
    for (const each of this.asked.values()) {
      if (each.draft === draft) Object.assign(each, { id, gesture });
    }
  }

  /** A pick of an annotation was moved by hand. */
  moved(item: Annotation, at: number, gesture: number): void {
    const point = item.points[at];
    if (item.kind === "horizon" && point) this.ask({ draft: null, point, id: item.id, gesture });
  }

  private ask(pick: Asked): void {
    if (this.snapping === "off" || this.seen.has(pick.point)) return;
    this.seen.add(pick.point);
    const { snapping, reach, host } = this;
    const n = this.link.snap(rounded(pick.point), snapping, reach, host.channel);
    if (n !== null) this.asked.set(n, pick);
  }

  private snapped({ n, sample, error }: Snapped): void {
    const pick = this.asked.get(n);
    if (!pick) return;
    this.asked.delete(n);
    if (error) this.host.note("The pick does not snap.", error);
    else if (sample === null) this.host.note(this.nothingNear, "It stays where it was put.");
    else this.put(pick, [pick.point[0], pick.point[1], sample]);
  }

  private get nothingNear(): string {
    const event = this.snapping === "off" ? "event" : EVENT_WORDS[this.snapping];
    return `There is no ${event} within ${reachText(this.host.info, this.reach)} of the pick.`;
  }

  private put(pick: Asked, to: Point3): void {
    const { draft, point, id, gesture } = pick;
    const place = rounded(to);
    this.seen.add(place);
    const inDraft = draft ? draft.points.indexOf(point) : -1;
    if (draft && inDraft >= 0) draft.points[inDraft] = place;
    const item = id ? this.store.get(id) : null;
    const was = rounded(point);
    // Only if it is still where it was: what the hand did since stays.
    const at = item?.points.findIndex((p) => p.every((v, i) => v === was[i])) ?? -1;
    if (item && at >= 0 && !item.locked) {
      this.store.apply([{ op: "drag", id, at, point: place }], gesture);
    }
    this.changed();
  }

  // ------------------------------------------------------------ following

  /** Follow a horizon from its picks, on the section or over the volume. */
  follow(item: Annotation, over: Job["over"], section: Section | null): void {
    if (this.job) return;
    if (!this.host.canEdit || item.locked) {
      this.host.note("This horizon cannot be changed.", "Unlock it with L first.");
      return;
    }
    const slice = asSlice(section);
    if (over === "section" && (!slice || slice.axis === 2)) {
      this.host.note("A horizon is followed in an inline or a crossline.", "Go to one first.");
      return;
    }
    if (over === "section" && !item.points.some((point) => section?.isNear(point))) {
      this.host.note("The horizon has no pick in this section.", "Pick one here first.");
      return;
    }
    const line = over === "section" && slice ? { axis: slice.axis, line: slice.slice } : null;
    const event = this.snapping === "off" ? "peak" : this.snapping;
    const n = this.link.track(item.id, line, event, this.reach, this.host.channel);
    if (n === null) return;
    this.job = { n, id: item.id, over, progress: 0 };
    this.changed();
  }

  /** Call off what is being followed; false if there is nothing. */
  cancel(): boolean {
    if (!this.job) return false;
    this.link.cancel(this.job.n, this.job.id);
    this.job = null;
    this.host.say("Following stopped; the horizon is as it was");
    this.changed();
    return true;
  }

  private followed({ n, done, progress, error, n_picked }: Tracking): void {
    const { job } = this;
    if (job?.n !== n) return;
    this.job = done ? null : { ...job, progress };
    if (done && error) this.host.note("The horizon was not followed.", error);
    else if (done) this.host.say(`Horizon followed, on ${fixed(n_picked, 0)} traces now`);
    this.changed();
  }

  /** A new connection knows nothing of what was asked by the old one. */
  private restart(): void {
    this.wanted.clear();
    this.asked.clear();
    if (!this.job) return;
    this.job = null;
    this.host.note("The connection was lost while the horizon was followed.", "Follow it again.");
  }

  // ------------------------------------------------------------ grids

  /** Ask for the grids of what is shown. */
  want(items: readonly Annotation[]): void {
    for (const item of items) {
      if (!item.grid || gridFor(item) || this.wanted.has(item.grid)) continue;
      this.wanted.add(item.grid);
      this.link.want(item.grid);
    }
  }

  private async arrived(message: GridOfHorizon): Promise<void> {
    if (message.stride === 0) return; // gone with its server: the picks are shown
    keepGrid(message.name, await gridOf(message));
    const bearing = this.store.items.filter(({ grid }) => grid === message.name);
    this.store.look(bearing.map(({ id }) => id));
  }
}

/** "±12 ms", "±3 samples". */
export function reachText(info: VolumeInfo | null, samples: number): string {
  const along = info?.axes[2];
  if (!along?.unit) return `±${samples} ${samples === 1 ? "sample" : "samples"}`;
  return `±${withUnit(fixed(samples * Math.abs(along.step), along.step % 1 ? 1 : 0), along.unit)}`;
}
