/** What the parts of one view share: the session, what the user is doing, and who wants to know. */
import { Desk } from "../annotations/desk";
import { jumpPatch, wayIntoSight } from "../annotations/jump";
import { Section } from "../annotations/section";
import type { Annotation } from "../annotations/types";
import { fromDrawing, toDrawing } from "../annotations/unfinished";
import type { Point } from "../geometry";
import { LabelDesk } from "../labels/desk";
import type { PaneSession } from "../pane-session";
import type { ViewState } from "../protocol";
import type { ProbedValue, Session } from "../session";
import { Actions } from "./actions";
import type { Voxel } from "./axes";
import type { Tool } from "./bindings";
import { fitPicture, isSamePlane, sectionKind, viewOf } from "./camera";
import { browserClock, Cine } from "./cine";
import { followText, watchPeople } from "./driving";
import { startFence } from "./fence";
import { clamp } from "./format";
import { drawnAt, type Scene, sceneOf } from "./scene";
import { type Settings, settings as settingsOfPage } from "./settings";
import { TimePlay } from "./timeplay";
import {
  type Asked,
  type Cursor,
  type Open,
  PANE_START,
  type PaneUi,
  SHARED_START,
  type SharedUi,
  split,
  type Ui,
} from "./ui";

export type { Scene } from "./scene";
export type { Asked, Cursor, Open } from "./ui";

/** How long the status line says that the renderer was restarted. */
const RESTARTED_MS = 5000;
/** How long a message stays over the picture. */
const NOTICE_MS = 4000;

/**
 * The viewer's own context speaks of the pane in use; each pane of several has one of its own, made by
 * `forPane`, which shares with it what the user does.
 */
export class ViewContext {
  readonly actions: Actions;
  readonly cine: Cine;
  /** The steps of a series. */
  readonly time: TimePlay;
  readonly desk: Desk;
  readonly labels: LabelDesk;
  private shared: SharedUi = SHARED_START;
  private own: PaneUi = PANE_START;
  private merged: { shared: SharedUi; own: PaneUi; ui: Ui } | null = null;
  private readonly panes: ViewContext[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly asked = new Set<(what: Asked) => void>();
  private noticeTimer: ReturnType<typeof setTimeout> | undefined;
  private restartTimer: ReturnType<typeof setTimeout> | undefined;
  private worker = "";
  private readonly speakers = new Set<(text: string, urgent: boolean) => void>();

  constructor(
    readonly session: Session,
    readonly signal: AbortSignal,
    readonly settings: Settings = settingsOfPage,
    private readonly root: ViewContext | null = null,
  ) {
    if (root) {
      this.actions = new Actions(session, () => root.mayNotMove());
      this.cine = root.cine;
      this.time = root.time;
      this.desk = root.desk;
      this.labels = root.labels;
      session.onState(() => this.changed(), signal);
      session.onStatus(() => this.changed(), signal);
      session.onInfo(() => this.changed(), signal);
      this.settings.onChange(() => this.changed(), signal);
      session.people.onChange(() => this.changed(), signal);
      return;
    }
    const actions = new Actions(session, () => this.mayNotMove());
    this.actions = actions;
    this.cine = new Cine(
      browserClock,
      { current: () => actions.sliceIdx, count: () => actions.sliceCount },
      (slice) => actions.goTo(slice),
      () => this.changed(),
    );
    signal.addEventListener("abort", () => this.cine.stop(), { once: true });
    this.time = new TimePlay(session, actions, browserClock, () => this.changed());
    signal.addEventListener("abort", () => this.time.cine.stop(), { once: true });
    this.desk = this.makeDesk();
    this.labels = this.makeLabels();
    const changed = (): void => this.changed();
    session.onInfo(() => actions.history.visit(session.state, performance.now()), signal);
    if (session.info) actions.history.visit(session.state, performance.now());
    let step = session.state.time_idx;
    session.onState((state) => {
      // What was read belongs to the step that it was read of.
      if (state.time_idx !== step) this.set({ value: null });
      step = state.time_idx;
      actions.history.visit(state, performance.now());
      changed();
    }, signal);
    session.onStatus(({ worker }) => {
      this.workerIs(worker);
      changed();
    }, signal);
    session.onInfo(changed, signal);
    session.people.onChange(changed, signal);
    session.call.onChange(changed, signal);
    this.settings.onChange(changed, signal);
    session.onValue((value) => this.set({ value }), signal);
    session.pointing.elsewhere.add((linked) => this.set({ linked }), signal);
    session.onNotice(({ message, hint }) => this.note(message, hint), signal);
    watchPeople(this);
    const stop = (): void => {
      clearTimeout(this.noticeTimer);
      clearTimeout(this.restartTimer);
    };
    signal.addEventListener("abort", stop, { once: true });
  }

  /** A context for one pane of several; it shares what the user does with this one. */
  forPane(pane: PaneSession, signal: AbortSignal): ViewContext {
    const made = new ViewContext(pane, signal, this.settings, this);
    this.panes[pane.index] = made;
    signal.addEventListener("abort", () => delete this.panes[pane.index], { once: true });
    return made;
  }

  private makeDesk(): Desk {
    const context = this;
    const host = {
      get info() {
        return context.session.info;
      },
      get canEdit() {
        return context.session.role !== "viewer";
      },
      get isAnnotating() {
        return context.shared.tool === "annotate";
      },
      get channel() {
        return context.session.state.channel;
      },
      get step() {
        return context.session.state.time_idx;
      },
      setDrawing: (on: boolean) => {
        this.set({ tool: on ? "annotate" : "navigate" });
        if (on) this.ask("focus"); // keys and fingers draw only there
      },
      say: (text: string) => this.say(text),
      note: (message: string, hint?: string) => this.note(message, hint),
      unfinished: () => this.session.people.marks.map(fromDrawing).filter((item) => item !== null),
    };
    const { people, annotations } = this.session;
    const desk = new Desk(host, annotations, this.signal);
    desk.onChange(() => people.draw(desk, toDrawing(desk.editor.drawn)), this.signal);
    people.onChange(() => desk.othersDrew(), this.signal);
    return desk;
  }

  private makeLabels(): LabelDesk {
    const context = this;
    return new LabelDesk({
      session: this.session,
      signal: this.signal,
      get isInHand() {
        return context.shared.tool === "labels";
      },
      take: (on) => {
        this.desk.editor.putAway();
        this.set({ tool: on ? "labels" : "navigate" });
        if (on) this.ask("focus");
      },
      say: (text) => this.say(text),
      note: (message, hint) => this.note(message, hint),
    });
  }

  /** The context of the pane in use: this one, while there are no others. */
  private get active(): ViewContext {
    return this.panes[this.session.state.active] ?? this;
  }

  /** Number of the pane that it speaks of. */
  get index(): number {
    return this.root?.panes.indexOf(this) ?? this.session.state.active;
  }

  get ui(): Ui {
    const { shared } = this.root ?? this;
    const { own } = this.root ? this : this.active;
    if (this.merged?.shared !== shared || this.merged.own !== own) {
      this.merged = { shared, own, ui: { ...shared, ...own } };
    }
    return this.merged.ui;
  }

  /** It is a recording: there is nothing to be done but to look. */
  get isPlayed(): boolean {
    return (this.root ?? this).session.playback !== undefined;
  }

  /** Change what the user is doing; parts draw themselves anew. */
  set(change: Partial<Ui>): void {
    const [own, shared] = split(change);
    const root = this.root ?? this;
    const pane = this.root ? this : this.active;
    if (own) pane.own = { ...pane.own, ...own };
    if (shared) {
      root.shared = { ...root.shared, ...shared };
      root.changed();
      for (const each of root.panes) each?.changed();
      return;
    }
    pane.changed();
    if (pane !== root && (pane === root.active || own?.cursor !== undefined)) root.changed();
  }

  onChange(listener: () => void): void {
    this.listeners.add(listener);
    this.signal.addEventListener("abort", () => this.listeners.delete(listener), { once: true });
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  /** One quiet word when a renderer that died is back: the view is as it was, nothing is to be done. */
  private workerIs(worker: string): void {
    const isBack = this.worker === "restarting" && worker === "ready";
    this.worker = worker;
    if (!isBack) return;
    clearTimeout(this.restartTimer);
    this.set({ restarted: true });
    this.say("Renderer restarted");
    this.restartTimer = setTimeout(() => this.set({ restarted: false }), RESTARTED_MS);
  }

  /** Say something to people who hear the page. */
  say(text: string, urgent = false): void {
    for (const speaker of (this.root ?? this).speakers) speaker(text, urgent);
  }

  /** Say what a hand did to the view; where it may not, that is said already. */
  sayDone(text: string): void {
    if (this.actions.canDrive) this.say(text);
  }

  onSay(speaker: (text: string, urgent: boolean) => void): void {
    this.speakers.add(speaker);
  }

  /** Ask the viewer for something that another part does. */
  ask(what: Asked): void {
    for (const asked of (this.root ?? this).asked) asked(what);
  }

  onAsk(listener: (what: Asked) => void): void {
    this.asked.add(listener);
  }

  /** Show a short message over the picture for a moment. */
  note(message: string, hint = ""): void {
    if (this.root) {
      this.root.note(message, hint);
      return;
    }
    clearTimeout(this.noticeTimer);
    this.set({ notice: { message, hint } });
    this.say(`${message} ${hint}`);
    this.noticeTimer = setTimeout(() => this.set({ notice: null }), NOTICE_MS);
  }

  /** Somebody who follows tries to move the view: nothing would happen, so why is said, and what helps. */
  private mayNotMove(): void {
    this.cine.stop();
    this.time.cine.stop();
    if (this.isPlayed || this.session.ownView.isOnTheWay) return;
    const message = `${followText(this.session.people.driver?.name)}.`;
    if (this.ui.notice?.message !== message)
      this.note(message, "Look around to change the view on your own.");
  }

  /** Open a floating part, or close it if it is the open one. */
  toggle(open: Open): void {
    this.set({ open: this.ui.open === open ? "" : open, menuAt: null });
  }

  /** Do something that the user asked for by hand: a film stops for it. */
  take(slice: () => void): void {
    this.cine.stop();
    slice();
  }

  /** Play the steps of a series, or stop; slices rest meanwhile. */
  playTime(): void {
    this.cine.stop();
    this.time.cine.toggle();
  }

  /** Scroll by hand: as many slices a step as the user likes. */
  scroll(steps: number): void {
    this.take(() => this.actions.step(steps * this.settings.now.scrollStep));
  }

  /** The state of all panes. */
  get whole(): ViewState {
    return (this.root ?? this).session.state;
  }

  /** The view as the state wants it; null before the volume is open. */
  wanted(): Scene | null {
    const { info, state } = this.session;
    return info ? sceneOf(info, state.axis, state, this.ui.pane) : null;
  }

  /**
   * The view that labels describe: the wanted one, moved at once with the hand, unless the picture
   * still shows another plane. A label must never name what is not under it.
   */
  labelled(): Scene | null {
    const { info, state } = this.session;
    const shown = this.ui.shown;
    if (!info || !shown || isSamePlane(shown, state)) return this.wanted();
    const view = viewOf(shown, state);
    // Where a section lies that nobody wants any more is not known: its last picture has no labels.
    if (!view.section && sectionKind(shown)) return null;
    return sceneOf(info, shown.axis, view, this.ui.pane);
  }

  /** Take a tool in hand. The crosshair shows itself with its tool; asked for again, both go. */
  pick(tool: Tool): void {
    const isCrosshair = tool === "crosshair";
    if (isCrosshair && !this.actions.canDrive) {
      this.mayNotMove();
      return;
    }
    const again = (isCrosshair || tool === "fence") && this.ui.tool === tool;
    if (isCrosshair) {
      this.actions.showCrosshair(!again);
      this.say(again ? "Crosshair off" : "Crosshair on");
    }
    if (tool !== "annotate") this.desk.editor.putAway();
    const isFence = tool === "fence" && this.ui.tool !== "fence";
    if (isFence && !this.actions.canDrive) {
      this.mayNotMove();
      return;
    }
    this.set({ tool: again ? "navigate" : tool, fence: null });
    if (isFence) startFence(this);
  }

  /** Show the slice that an annotation lies on, and bring it into sight. */
  jumpTo(item: Annotation): void {
    this.take(() => {
      const { axis, slice } = jumpPatch(item, this.session.state.axis);
      // A pane that shows such slices already, or else the one in use.
      const pane = this.panes.find((each) => each?.session.state.axis === axis) ?? this;
      pane.actions.setAxis(axis);
      pane.actions.goTo(slice);
      const scene = pane.wanted();
      if (scene) pane.bringIntoSight(item, scene, slice);
    });
  }

  private bringIntoSight(item: Annotation, scene: Scene, slice: number): void {
    const section = Section.of(scene.placement, scene.fit, slice);
    const by = wayIntoSight(item, section, this.ui.pane);
    if (!by) return;
    const { scale } = scene.fit;
    this.actions.panFrom(this.session.state, by.x / scale, by.y / scale);
  }

  /** The voxel that the crosshair marks; null while none is shown. */
  get crosshair(): Voxel | null {
    const { crosshair, slice_idx } = this.session.state;
    return this.ui.follows ?? (crosshair && this.session.info ? slice_idx : null);
  }

  /**
   * The voxel that is spoken of: under the pointer, in whichever pane or in a linked viewer, or else
   * under the crosshair.
   */
  get here(): Voxel | null {
    return this.pointed?.voxel ?? this.linkedVoxel ?? this.crosshair;
  }

  /** What marks the place that is spoken of. */
  get mark(): "pointer" | "link" | "crosshair" {
    if (this.pointed) return "pointer";
    return this.ui.linked ? "link" : "crosshair";
  }

  private get linkedVoxel(): Voxel | null {
    return this.ui.linked && (this.ui.linked.map(Math.round) as unknown as Voxel);
  }

  /** Where the pointer is; of the viewer's own context, in whichever pane. */
  get pointed(): Cursor | null {
    return this.ui.cursor ?? this.panes.find((pane) => pane?.own.cursor)?.own.cursor ?? null;
  }

  /** Voxel under a point of the pane, or null outside the volume. */
  voxelAt(at: Point): Voxel | null {
    const voxel = this.under(at);
    const axes = this.session.info?.axes;
    return voxel?.every((v, i) => v >= 0 && v < (axes?.[i]?.n ?? 0)) ? voxel : null;
  }

  /** The voxel of the shown slice that is nearest to a point of the pane. */
  nearestVoxel(at: Point): Voxel | null {
    const axes = this.session.info?.axes;
    const voxel = this.under(at)?.map((v, i) => clamp(v, 0, (axes?.[i]?.n ?? 1) - 1));
    return voxel ? (voxel as unknown as Voxel) : null;
  }

  private under(at: Point): Voxel | null {
    const scene = this.labelled();
    if (!scene) return null;
    const slice = this.ui.shown?.slice_idx ?? this.session.state.slice_idx[scene.base] ?? 0;
    const [i, j, k] = drawnAt(scene, at, slice).map(Math.round);
    return [i ?? 0, j ?? 0, k ?? 0];
  }

  /** Picture pixels of a point of the pane, in the wanted view. */
  toPicture(at: Point): Point {
    const fit = fitPicture(this.session.state, this.ui.pane);
    return { x: (at.x - fit.x) / fit.scale, y: (at.y - fit.y) / fit.scale };
  }

  /** Value of that voxel, as far as it has been read. */
  get valueHere(): ProbedValue | null {
    const { here } = this;
    const { value } = this.ui;
    return here && value?.voxel.every((v, i) => v === here[i]) ? value : null;
  }
}
