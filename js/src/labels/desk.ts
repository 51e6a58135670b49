/** What one view does with labels: the tool in hand, the brush, the label, and strokes on their way. */
import { simplify } from "../annotations/planar";
import type { SliceSection as Section } from "../annotations/section";
import type { Point3 } from "../annotations/types";
import { isOlder } from "../frame-gate";
import type { Point } from "../geometry";
import { type LabelEdit, MAX_STROKE_POINTS, type SegmentationInfo } from "../protocol";
import type { Session } from "../session";
import { highOf, lowOf } from "../viewer/range";
import { factsOf, type LabelTool } from "./catalogue";
import type { LabelNews, LabelProgress } from "./link";

const SIZE_STEP = 1.25;
/** Share of the shorter side of the slice that the first brush has. */
const FIRST_SHARE = 1 / 30;
const STEP_PX = 2;
/** What is sent of a stroke is nowhere farther from it: the fewer places, the sooner it is painted. */
const TOLERANCE_PX = 0.25;
/** A message has room for so many places. */
const POINTS_MOST = Math.min(1000, MAX_STROKE_POINTS);
/** So long a stroke is shown when no picture has it, for example of labels that are out of sight. */
const GIVE_UP_MS = 3000;

/** Share of the window that a region's values may differ from the seed's. */
const FIRST_TOLERANCE = 0.1;
const FIRST_LEAST = 50;
/** Deviations, in voxels of the finest axis, that smoothing begins with. */
const FIRST_SMOOTH = 2;

/** What the tools have in hand beside the brush; each keeps its setting. */
export interface LabelOptions {
  /** The brush is a ball, a fill or a region goes through all slices. */
  readonly is3d: boolean;
  /** Of the window: how far a region's values may be from the seed's. */
  readonly tolerance: number;
  /** In the volume's world unit; 0 before there was any. */
  readonly smoothing: number;
  /** Pieces with fewer voxels go; 0: all but the largest. */
  readonly least: number;
  readonly axis: number;
}

/** An edit that takes long. */
export interface LabelJob {
  readonly seq: number;
  readonly title: string;
  /** 0 to 1; null where nobody can know it. */
  readonly share: number | null;
}

/** A stroke as it was drawn, until a picture has it. */
export interface Preview {
  readonly points: Point3[];
  /** Where those were in the pane. */
  readonly pixels: Point[];
  readonly axis: number;
  readonly radius: number;
  readonly label: number;
  readonly tool: LabelTool;
  seq: number | null;
  /** Pictures with a higher number have it. */
  frameNo: number | null;
}

export interface LabelDeskHost {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly isInHand: boolean;
  take(on: boolean): void;
  say(text: string): void;
  note(message: string, hint?: string): void;
}

export class LabelDesk {
  tool: LabelTool = "paint";
  /** In the volume's world unit; 0 before there was any. */
  radius = 0;
  label = 1;
  /** Name of the segmentation that is edited. */
  name = "";
  canUndo = false;
  canRedo = false;
  options: LabelOptions = {
    is3d: false,
    tolerance: FIRST_TOLERANCE,
    smoothing: 0,
    least: 0,
    axis: 0,
  };
  job: LabelJob | null = null;
  draft: Preview | null = null;
  readonly previews: Preview[] = [];
  private readonly listeners = new Set<() => void>();
  /** Number of the newest picture. */
  private newest: number | null = null;

  constructor(private readonly host: LabelDeskHost) {
    const { session, signal } = host;
    session.labels.onNews((news) => this.heard(news), signal);
    session.labels.onProgress((progress) => this.progressed(progress), signal);
    session.onFrame(({ header }) => this.shown(header.frame_no), signal);
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.listeners.add(listener);
    signal.addEventListener("abort", () => this.listeners.delete(listener), { once: true });
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  get isInHand(): boolean {
    return this.host.isInHand;
  }

  get canEdit(): boolean {
    const { role } = this.host.session;
    return role === "owner" || role === "editor";
  }

  /** The segmentation that is edited: the one chosen, or the uppermost. */
  get target(): SegmentationInfo | null {
    const { session } = this.host;
    const names = session.state.segmentations.map(({ name }) => name);
    const name = names.includes(this.name) ? this.name : names.at(-1);
    return session.segmentations.find((one) => one.name === name) ?? null;
  }

  /** Take a tool in hand; asked for again, put it away. */
  pick(tool: LabelTool): void {
    if (!this.canEdit) {
      this.host.note("You may look at this view, not edit its labels.");
      return;
    }
    if (!this.target) {
      this.host.note("There are no labels to edit.", "In Python: viewer.new_segmentation(name).");
      return;
    }
    const again = this.isInHand && this.tool === tool;
    this.draft = null;
    this.tool = tool;
    if (this.radius === 0) this.radius = this.firstRadius();
    if (tool === "interpolate" && !again) this.set({ axis: this.host.session.state.axis });
    if (tool === "smooth" && this.options.smoothing === 0) {
      this.set({ smoothing: FIRST_SMOOTH * Math.min(...[0, 1, 2].map((a) => this.spacing(a))) });
    }
    this.host.take(!again);
    const { title, hint } = factsOf(tool);
    this.host.say(again ? `${title} put away` : `${title}. ${hint}.`);
    this.changed();
  }

  /** Take a tool in hand; one that is there already stays. */
  take(tool: LabelTool): void {
    if (!this.isInHand || this.tool !== tool) this.pick(tool);
  }

  putAway(): void {
    this.draft = null;
    this.host.take(false);
    this.changed();
  }

  choose(name: string, label: number): void {
    this.name = name;
    this.label = label;
    this.changed();
  }

  set(options: Partial<LabelOptions>): void {
    this.options = { ...this.options, ...options };
    this.changed();
  }

  toggle3d(): void {
    this.set({ is3d: !this.options.is3d });
    this.host.say(this.options.is3d ? "In three dimensions" : "In this slice");
  }

  /** Least size that islands are left with; 0 and back. */
  keepLargest(on: boolean): void {
    this.set({ least: on ? 0 : FIRST_LEAST });
  }

  /** Give up an edit that takes long. */
  cancel(): void {
    if (!this.job) return;
    this.host.session.labels.cancel(this.job.seq);
    this.host.say(`${this.job.title} cancelled`);
  }

  /** Give up the edit that takes long, the stroke, then the tool. */
  escape(): boolean {
    if (this.job) this.cancel();
    else if (this.draft) this.draft = null;
    else if (this.isInHand) this.host.take(false);
    else return false;
    this.changed();
    return true;
  }

  resize(larger: boolean): void {
    this.radius *= larger ? SIZE_STEP : 1 / SIZE_STEP;
    this.host.say(`Brush ${Number(this.radius.toPrecision(3))}`);
    this.changed();
  }

  sized(radius: number): void {
    this.radius = radius;
    this.changed();
  }

  history(way: "undo" | "redo"): void {
    this.host.session.labels.history(way);
  }

  private firstRadius(): number {
    const { info, state } = this.host.session;
    const sides = info?.axes.filter((_, a) => a !== state.axis) ?? [];
    return Math.min(...sides.map(({ n, spacing }) => n * spacing)) * FIRST_SHARE;
  }

  spacing(axis: number): number {
    return this.host.session.info?.axes[axis]?.spacing ?? 1;
  }

  // ------------------------------------------------------------ a stroke

  /** @param erases the other end of a pen */
  press(section: Section, at: Point, erases = false): void {
    const { radius, label } = this;
    const { gesture } = factsOf(this.tool);
    if (gesture === "apply") return;
    const tool = erases && gesture === "brush" ? "erase" : this.tool;
    const points = [section.toVoxel(at)];
    const { axis } = section;
    this.draft = { points, pixels: [at], axis, radius, label, tool, seq: null, frameNo: null };
    this.changed();
  }

  move(section: Section, at: Point): void {
    const { draft } = this;
    const last = draft?.points.at(-1);
    if (!draft || !last || factsOf(draft.tool).gesture === "click") return;
    const slice = draft.points[0]?.[draft.axis] ?? section.slice;
    const next = section.lift(section.toPlane(at), slice);
    const [from, to] = [section.toPixel(last), section.toPixel(next)];
    if (Math.hypot(to.x - from.x, to.y - from.y) < STEP_PX) return;
    draft.points.push(next);
    draft.pixels.push(to);
    if (draft.points.length >= POINTS_MOST) {
      this.send(draft, false);
      const rest = { ...draft, points: [next], pixels: [to], seq: null, frameNo: null };
      this.draft = factsOf(draft.tool).gesture === "brush" ? rest : null;
    }
    this.changed();
  }

  release(throughAll: boolean): void {
    const { draft } = this;
    this.draft = null;
    if (draft) this.send(draft, throughAll);
    this.changed();
  }

  private send(draft: Preview, throughAll: boolean): void {
    const edit = this.editOf(draft, throughAll);
    const { target } = this;
    if (!edit || !target) return;
    draft.seq = this.host.session.labels.edit(target.name, edit);
    if (draft.seq === null) {
      this.host.note("Not connected: the labels were not edited.");
      return;
    }
    this.previews.push(draft);
  }

  /** Do what the tool does to the whole label. */
  apply(): boolean {
    const { tool, target, label, options } = this;
    const { gesture, title } = factsOf(tool);
    if (!this.isInHand || gesture !== "apply" || !target || this.job) return false;
    const edits: Partial<Record<LabelTool, LabelEdit>> = {
      smooth: { kind: "smooth", label, radius: options.smoothing },
      islands: { kind: "islands", label, min_voxels: options.least },
      interpolate: { kind: "interpolate", label, axis: options.axis },
    };
    const edit = edits[tool];
    const seq = edit ? this.host.session.labels.edit(target.name, edit) : null;
    if (seq === null) this.host.note("Not connected: the labels were not edited.");
    else this.job = { seq, title, share: null };
    this.changed();
    return true;
  }

  private editOf(draft: Preview, throughAll: boolean): LabelEdit | null {
    const { tool, axis, radius } = draft;
    const label = tool === "erase" || tool === "cut" ? 0 : draft.label;
    const kept = simplify(draft.pixels, TOLERANCE_PX).map((i) => draft.points[i]);
    const points = kept.filter((point) => point !== undefined).map(rounded);
    const [first] = points;
    if (!first) return null;
    const { state } = this.host.session;
    const plane = this.options.is3d ? {} : { axis };
    if (tool === "fill") return { kind: "fill", seed: first, label, ...plane };
    if (tool === "grow") {
      const tolerance = this.options.tolerance * state.window;
      return { kind: "grow", seed: first, label, tolerance, channel: state.channel, ...plane };
    }
    if (tool === "cut") {
      if (points.length < 3) return null;
      const slice = Math.max(0, Math.round(first[axis] ?? 0));
      const slices = throughAll || this.options.is3d ? {} : { slices: [slice, slice] as const };
      return { kind: "cut", points, label, axis, ...slices };
    }
    const within =
      tool === "threshold"
        ? { within: { low: lowOf(state), high: highOf(state), channel: state.channel } }
        : {};
    return { kind: "stroke", points, radius, label, ...plane, ...within };
  }

  // ------------------------------------------------------------ what becomes of it

  private progressed({ seq, share }: LabelProgress): void {
    const edit = this.previews.find((one) => one.seq === seq);
    const title = edit ? factsOf(edit.tool).title : (this.job?.title ?? "Editing");
    this.job = { seq, title, share };
    this.changed();
  }

  private heard({ seq, frame_no, n_voxels, can_undo, can_redo }: LabelNews): void {
    this.canUndo = can_undo;
    this.canRedo = can_redo;
    if (this.job && this.job.seq <= seq) {
      const { title } = this.job;
      this.job = null;
      if (n_voxels > 0) this.host.say(`${title}: ${n_voxels} voxels`);
    }
    const done = this.previews.filter((one) => one.seq !== null && one.seq <= seq);
    for (const one of done) one.frameNo ??= frame_no;
    if (n_voxels === 0) this.drop(done);
    else if (this.newest !== null) this.shown(this.newest); // it may be quicker than the word of it
    if (done.length > 0) setTimeout(() => this.drop(done), GIVE_UP_MS);
    this.changed();
  }

  private shown(frameNo: number): void {
    this.newest = frameNo;
    const done = this.previews.filter(
      (one) => one.frameNo !== null && isOlder({ frame_no: one.frameNo }, { frame_no: frameNo }),
    );
    if (done.length > 0) this.drop(done);
  }

  private drop(done: readonly Preview[]): void {
    const left = this.previews.filter((one) => !done.includes(one));
    if (left.length === this.previews.length) return;
    this.previews.splice(0, this.previews.length, ...left);
    this.changed();
  }
}

function rounded(point: Point3): [number, number, number] {
  const [a, b, c] = point.map((v) => Math.round(v * 100) / 100);
  return [a ?? 0, b ?? 0, c ?? 0];
}

/** Labels to paint with: those that occur, those with a name, and the next number. */
export function paintable({ channel, labels }: SegmentationInfo): readonly number[] {
  const next = Math.max(channel.value_max, 0) + 1;
  const named = Object.keys(channel.label_names).map(Number);
  const values = new Set([...labels.map(({ value }) => value), ...named, next]);
  values.delete(0);
  return [...values].sort((a, b) => a - b);
}
