/** One view of a volume: puts the parts together, owns focus, keys and wheel. */

import { html, LitElement, nothing, type TemplateResult } from "lit";
import { PickBar } from "../annotations/pickbar";
import { CallBar } from "../call/bar";
import { talkKey } from "../call/keys";
import { labelKey } from "../labels/keys";
import { LabelBar } from "../labels/labelbar";
import { PlayBar } from "../player/playbar";
import { ReplayBar } from "../player/replaybar";
import { followTheme, themeTokens } from "../theme";
import { Announcer } from "./announcer";
import { sliceOfText } from "./axes";
import { type Command, commandOf, isOurs, movesSlider } from "./bindings";
import { Chat } from "./chat";
import { commandRunner } from "./commands";
import type { Open, ViewContext } from "./context";
import { Dock } from "./dock";
import { fenceKey } from "./fence";
import { FollowBar } from "./followbar";
import { Help } from "./help";
import { Menu } from "./menu";
import type { SlicePane } from "./pane";
import { PaneGrid, type Place } from "./panegrid";
import { paneGridStyles } from "./panegrid.styles";
import { define } from "./part";
import { type Job, savePicture } from "./screenshot";
import { ShareDialog } from "./share";
import { SidePanel } from "./sidepanel";
import { SliceBar } from "./slicebar";
import { isDead } from "./states";
import { StatusLine } from "./statusline";
import { shared } from "./styles";
import { TimeBar } from "./timebar";
import { Toolbar } from "./toolbar";
import { pasted } from "./viewcopy";
import { viewerStyles } from "./viewer.styles";
import { GestureLock, SliceWheel, zoomFactorOf } from "./wheel";
import { composeWhole } from "./wholepicture";
import { WindowPanel } from "./windowpanel";

/** What stays open while something beside it is pressed. */
const STAYS: ReadonlySet<Open> = new Set<Open>(["help", "chat"]);
const HINT_MS = 1500;
/** Sessions whose user has seen the hint about the wheel. */
const hinted = new WeakSet<object>();

/** A viewer that is back on the page within this time was moved, not taken away. */
const MOVED_MS = 500;

export class ViewerElement extends LitElement {
  static override styles = [themeTokens, shared, viewerStyles, paneGridStyles];

  private readonly grid: PaneGrid;
  private readonly sidePanel: SidePanel;
  private readonly toolbar: Toolbar;
  private readonly sliceBar: SliceBar;
  private readonly timeBar: TimeBar;
  private readonly statusLine: StatusLine;
  private readonly labelBar: LabelBar;
  private readonly dock: Dock;
  private readonly windowPanel: WindowPanel;
  private readonly menu: Menu;
  private readonly help: Help;
  private readonly share: ShareDialog;
  private readonly chat: Chat;
  private readonly pickBar: PickBar;
  private readonly followBar: FollowBar;
  private readonly callBar: CallBar;
  private readonly announcer: Announcer;
  /** In place of all tools where a recording is shown. */
  private readonly playBar: PlayBar | null;
  /** Beside them where one happens again. */
  private readonly replayBar: ReplayBar | null;
  private readonly run: (command: Command) => void;
  private readonly wheel = new SliceWheel();
  private readonly lock = new GestureLock();
  private wasOpen: Open = "";
  private hadPanel = false;
  private opener: HTMLElement | null = null;
  private heard = "";

  /** When it left the page while it filled the window. */
  private filledUntil = Number.NEGATIVE_INFINITY;

  constructor(private readonly context: ViewContext) {
    super();
    this.grid = new PaneGrid(context);
    this.sidePanel = new SidePanel(context);
    this.toolbar = new Toolbar(context, this);
    this.sliceBar = new SliceBar(context);
    this.timeBar = new TimeBar(context);
    this.statusLine = new StatusLine(context);
    this.labelBar = new LabelBar(context);
    this.dock = new Dock(context);
    this.windowPanel = new WindowPanel(context);
    this.menu = new Menu(context, this);
    this.help = new Help(context);
    this.share = new ShareDialog(context);
    this.chat = new Chat(context, true);
    this.pickBar = new PickBar(context);
    this.followBar = new FollowBar(context);
    this.callBar = new CallBar(context);
    this.announcer = new Announcer(context);
    const { playback, replay } = context.session;
    this.replayBar = replay ? new ReplayBar(context, replay) : null;
    this.playBar = playback ? new PlayBar(context, playback, this) : null;
    this.run = commandRunner(context, {
      goToNumber: () => this.sliceBar.focusNumber(),
      openMenu: () => this.pane.openMenu(context.ui.cursor?.at),
      toggleFullScreen: () => this.toggleFullScreen(),
      savePicture: () => void savePicture(this.job, true),
      escape: () => this.escape(),
    });
    context.onChange(() => this.changed());
    context.onAsk((what) => {
      if (what === "goto") this.sliceBar.focusNumber();
      else if (what === "focus") this.pane.focusView();
      else this.maximise();
    });
    this.listen();
  }

  /** The pane in use. */
  private get pane(): SlicePane {
    return this.grid.active.pane;
  }

  get canFullScreen(): boolean {
    return document.fullscreenEnabled;
  }

  get job(): Job {
    return this.grid.active.pane.jobOf(this, true);
  }

  /** Draws all panes; null: one alone is shown. */
  get whole(): ((times: number) => HTMLCanvasElement) | null {
    const { shown } = this.grid;
    if (shown.length < 2) return null;
    return (times) => composeWhole(this.grid.wholeOf(this), times);
  }

  private listen(): void {
    const { signal } = this.context;
    if (!this.playBar) {
      this.addEventListener("paste", (event) => pasted(this.context, event), { signal });
    }
    const { playBar } = this;
    const keyDown = (event: KeyboardEvent): void =>
      playBar ? playBar.key(event) : this.keyDown(event);
    this.addEventListener("keydown", keyDown, { signal });
    for (const type of ["keyup", "keypress"] as const) {
      this.addEventListener(type, (event) => isOurs(event) && event.stopPropagation(), { signal });
    }
    this.addEventListener("wheel", (event) => this.wheeled(event), { signal, passive: false });
    this.addEventListener("focusin", (event) => this.focusMoved(event), { signal });
    this.addEventListener("focusout", (event) => this.focusMoved(event), { signal });
    this.addEventListener("pointerdown", (event) => this.pressed(event), { signal, capture: true });
    this.addEventListener("pointercancel", (event) => this.cancelled(event), { signal });
    this.addEventListener(
      "fullscreenchange",
      () => {
        this.context.set({ fullScreen: document.fullscreenElement === this });
        if (this.context.ui.fullScreen) this.pane.focusView();
      },
      { signal },
    );
    const outside = { signal, capture: true, passive: true };
    window.addEventListener(
      "wheel",
      (e) => this.isOutside(e) && this.lock.elsewhere(e.timeStamp),
      outside,
    );
    window.addEventListener(
      "pointerdown",
      (e) => this.isOutside(e) && this.pressedOutside(),
      outside,
    );
    // Nobody may be left with the focus on something that lies behind the viewer.
    document.addEventListener("focusin", (e) => this.isOutside(e) && this.fill(false), outside);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    followTheme(this, this.context.signal);
    // Notebooks take outputs out and put them back while they lay out their cells.
    if (performance.now() - this.filledUntil < MOVED_MS) this.fill(true);
    this.filledUntil = Number.NEGATIVE_INFINITY;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.context.ui.maximised) this.filledUntil = performance.now();
    this.fill(false);
  }

  private isOutside(event: Event): boolean {
    return !event.composedPath().includes(this);
  }

  // ------------------------------------------------------------- focus

  /** The focused element, through all shadow roots. */
  private get focusedDeep(): HTMLElement | null {
    let found: Element | null = this.shadowRoot?.activeElement ?? null;
    while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
    return found instanceof HTMLElement ? found : null;
  }

  private focusMoved(event: FocusEvent): void {
    const focused = event.type === "focusin";
    if (focused !== this.context.ui.focused) this.context.set({ focused });
    // Text fields want all keys, Ctrl+Backspace too; the notebook looks for this attribute.
    const inText = focused && this.isText(event.composedPath()[0]);
    this.toggleAttribute("data-lm-suppress-shortcuts", inText);
    if (inText) this.setAttribute("data-lm-suppress-shortcuts", "true");
    if (focused) this.context.set({ hint: "" });
  }

  private isText(target: EventTarget | undefined): boolean {
    return target instanceof HTMLInputElement && target.type === "text";
  }

  private pressed(event: PointerEvent): void {
    this.lock.release();
    const { open } = this.context.ui;
    if (!open || STAYS.has(open)) return;
    const inside = event
      .composedPath()
      .some(
        (el) =>
          el instanceof Element &&
          (el.classList.contains("floating") || el.matches(`[data-opens="${open}"]`)),
      );
    if (!inside) this.context.set({ open: "" });
  }

  private pressedOutside(): void {
    const { open } = this.context.ui;
    if (open && open !== "chat") this.context.set({ open: "" });
    // A click on what takes no focus would leave it here, and the wheel and keys with it.
    this.focusedDeep?.blur();
  }

  /** Give the keyboard back to the notebook's cell, or to whatever around us takes it. */
  private leave(): void {
    this.focusedDeep?.blur();
    this.parentElement?.closest<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
  }

  // ------------------------------------------------------------- wheel

  private wheeled(event: WheelEvent): void {
    if (this.playBar) return; // the page scrolls
    const path = event.composedPath();
    if (path.some((el) => el instanceof Element && el.classList.contains("floating"))) return;
    const { ui } = this.context;
    const place = this.grid.placeOf(event);
    const wanted = (ui.focused || ui.fullScreen || ui.maximised) && !isDead(this.pane.state);
    if (!this.lock.over(event.timeStamp, wanted)) {
      if (!wanted && place) this.showHint("wheel");
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.turned(event, place ?? this.grid.active);
  }

  /** The wheel is for the pane under the pointer. */
  private turned(event: WheelEvent, { context, pane }: Place): void {
    if (!event.ctrlKey) {
      const slices = this.wheel.slices(event);
      if (slices) context.scroll(context.settings.now.invertWheel ? -slices : slices);
      return;
    }
    const box = pane.view?.getBoundingClientRect();
    const at = { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
    context.actions.zoomAt(zoomFactorOf(event), context.toPicture(at));
  }

  /** Once in a session: people find out that wheel and finger are the page's until they click. */
  private showHint(by: "wheel" | "touch"): void {
    const { context } = this;
    if (hinted.has(context.session) || isDead(this.pane.state)) return;
    hinted.add(context.session);
    context.set({ hint: by });
    setTimeout(() => context.set({ hint: "" }), HINT_MS);
  }

  /** The browser takes a finger for the page's scrolling. */
  private cancelled(event: PointerEvent): void {
    const { ui } = this.context;
    if (event.pointerType === "touch" && !ui.focused && this.grid.placeOf(event))
      this.showHint("touch");
  }

  // ------------------------------------------------------------- keys

  private keyDown(event: KeyboardEvent): void {
    const inView = this.focusedDeep === this.pane.view;
    if (inView && fenceKey(this.context, event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (this.annotationKey(event)) return;
    if (!isOurs(event)) return;
    event.stopPropagation(); // the notebook would cut, merge or run cells
    if (event.defaultPrevented) return;
    if (this.isOfField(event)) return;
    if (this.context.ui.open === "help" && event.key !== "Escape" && event.key !== "?") return;
    if (this.obey(event)) event.preventDefault();
  }

  private obey(event: KeyboardEvent): boolean {
    if (talkKey(event, this.context.session.call)) return true;
    const command = commandOf(event, this.context.ui.tool);
    if (command) this.run(command);
    return command !== null;
  }

  /** What the browser does with a key in the field or button that has the focus comes first. */
  private isOfField(event: KeyboardEvent): boolean {
    const target = event.composedPath()[0];
    const takesText = this.isText(target) || target instanceof HTMLSelectElement;
    if (takesText && event.key !== "Escape") return true;
    if (movesSlider(target, event)) return true;
    const pressable = target instanceof HTMLButtonElement || target instanceof HTMLInputElement;
    return pressable && (event.key === " " || event.key === "Enter");
  }

  /** Keys of labels and annotations come first, while the picture has the focus and nothing is open. */
  private annotationKey(event: KeyboardEvent): boolean {
    const { desk, ui } = this.context;
    const inView = this.focusedDeep === this.pane.view && !isDead(this.pane.state);
    desk.claim(this.pane.annotations);
    if (!inView || (ui.open && ui.open !== "chat") || event.defaultPrevented) return false;
    // The tool in hand comes first: undo is of labels then, K of a chosen horizon else.
    const { labels } = this.context;
    if (labels.isInHand) return this.labelKey(event) || desk.key(event);
    return desk.key(event) || this.labelKey(event);
  }

  private labelKey(event: KeyboardEvent): boolean {
    if (!labelKey(event, this.context.labels)) return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /** Innermost first: what is open, a text, the film, the tool; then the viewer itself. */
  private escape(): void {
    const { context } = this;
    const focused = this.focusedDeep;
    const comesBack = focused !== this.pane.view && !isDead(this.pane.state);
    // The chat lies beside the picture: from there, what is in hand comes first.
    const isBeside = context.ui.open === "chat" && focused === this.pane.view;
    if (context.ui.open && !isBeside) {
      context.set({ open: "" });
      return;
    }
    if (comesBack) this.pane.focusView();
    // From the button of a tool, one press puts it away.
    if (comesBack && !(focused instanceof HTMLButtonElement)) return;
    if (this.putAway() || comesBack) return;
    if (context.session.ownView.isOn) context.session.ownView.set(false);
    else if (isBeside) context.set({ open: "" });
    else if (context.ui.maximised || context.session.state.maximised) this.maximise();
    else this.leave();
  }

  /** The film that runs, what is begun, the tool in hand; false: there is nothing of it. */
  private putAway(): boolean {
    const { cine, time, labels, desk, ui } = this.context;
    if (cine.playing) cine.stop();
    else if (time.cine.playing) time.cine.stop();
    else if (labels.escape() || desk.editor.escape()) return true;
    else if (ui.tool !== "navigate") this.context.pick("navigate");
    else return false;
    return true;
  }

  /** One pane of several takes the room of all; one alone fills the window. And back. */
  private maximise(): void {
    if (isDead(this.pane.state)) return;
    const { actions, session, ui } = this.context;
    if (this.grid.isOfSeveral && !ui.compact) {
      actions.patch({ maximised: !session.state.maximised });
    } else if (document.fullscreenElement !== this) {
      this.fill(!ui.maximised);
    }
    this.pane.focusView();
  }

  private fill(on: boolean): void {
    if (on === this.context.ui.maximised) return;
    this.toggleAttribute("filled", on);
    // The page's top layer: no ancestor can clip it or keep it below something.
    if (on) this.setAttribute("popover", "manual");
    else this.removeAttribute("popover");
    if (on && "showPopover" in this) this.showPopover();
    this.context.set({ maximised: on });
  }

  toggleFullScreen(): void {
    if (document.fullscreenElement === this) void document.exitFullscreen();
    else if (this.canFullScreen) {
      this.fill(false);
      this.requestFullscreen().catch(() =>
        this.context.note("This page may not use the full screen."),
      );
    }
  }

  // ------------------------------------------------------------- drawing

  private changed(): void {
    const { ui } = this.context;
    if (ui.open !== this.wasOpen) {
      // What a menu opened gives the focus back to where the menu was opened from.
      const focused = this.focusedDeep;
      if (!this.wasOpen && focused?.getRootNode() !== this.menu.renderRoot) this.opener = focused;
      const closed = ui.open === "";
      this.wasOpen = ui.open;
      this.requestUpdate();
      void this.updateComplete.then(() => this.moveFocus(closed));
    }
    if (this.hasPanel !== this.hadPanel) this.requestUpdate();
    this.hadPanel = this.hasPanel;
    this.sayChanges();
  }

  /** Into what opened; back to where it was opened from. */
  private moveFocus(closed: boolean): void {
    const { open } = this.context.ui;
    if (closed) {
      const lost = this.focusedDeep === null || this.focusedDeep === this.opener;
      if (lost && this.opener?.isConnected) this.opener.focus({ preventScroll: true });
      return;
    }
    const parts = {
      help: this.help,
      window: this.windowPanel,
      share: this.share,
      chat: this.chat,
    };
    const part = parts[open as "help"] ?? this.menu;
    void part.updateComplete.then(() => part.focusFirst());
  }

  private get hasPanel(): boolean {
    return this.context.ui.panel && !isDead(this.pane.state);
  }

  private sayChanges(): void {
    const { session, ui, cine, actions } = this.context;
    if (!session.info) return;
    const now = sliceOfText(session.info, session.state.axis, actions.sliceIdx);
    if (now !== this.heard && this.heard && ui.focused && !cine.playing) this.context.say(now);
    this.heard = now;
  }

  protected override render(): TemplateResult {
    if (this.playBar) return this.played(this.playBar);
    const { open } = this.context.ui;
    const isMenu = !["", "window", "help", "share", "chat"].includes(open);
    this.chat.className = "floating chat";
    this.share.className = "floating share";
    this.windowPanel.className = "floating window";
    this.menu.className = "floating menu";
    for (const part of [
      this.toolbar,
      this.grid,
      this.pickBar,
      this.followBar,
      this.callBar,
      this.sidePanel,
      this.replayBar,
      this.timeBar,
      this.sliceBar,
      this.statusLine,
      this.labelBar,
      this.dock,
    ])
      if (part) part.inert = open === "help";
    return html`
      ${this.toolbar}
      <div class="body"><div class="stage">${this.grid} ${this.pickBar} ${this.followBar} ${this.callBar} ${open === "chat" ? this.chat : nothing}</div> ${this.hasPanel ? this.sidePanel : nothing}</div>
      ${this.replayBar} ${this.timeBar} ${this.sliceBar} ${this.statusLine} ${this.labelBar} ${this.dock}
      ${open === "window" ? this.windowPanel : nothing} ${isMenu ? this.menu : nothing}
      ${open === "help" ? this.help : nothing} ${open === "share" ? this.share : nothing} ${this.announcer.polite} ${this.announcer.urgent}
    `;
  }

  private played(bar: PlayBar): TemplateResult {
    return html`<div class="body"><div class="stage">${this.grid}</div></div>
      ${bar} ${this.announcer.polite} ${this.announcer.urgent}`;
  }
}

define("blustream-viewer", ViewerElement);
