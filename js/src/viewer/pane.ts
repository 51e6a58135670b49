/** One slice: picture, rulers, labels on the picture, and the states between. */
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { classMap } from "lit/directives/class-map.js";
import { styleMap } from "lit/directives/style-map.js";
import { AnnotationLayer, layerStyles } from "../annotations/layer";
import { GridSection } from "../annotations/oblique";
import { plotOf, plotStyles } from "../annotations/plot";
import { asSlice, Section } from "../annotations/section";
import type { Annotation, Profile } from "../annotations/types";
import type { Point } from "../geometry";
import { LabelLayer, labelStyles } from "../labels/layer";
import type { VolumeInfo } from "../protocol";
import { axisOf, axisTitle, numberText, planeColour, sliceText, type Voxel } from "./axes";
import { colourBar } from "./colourbar";
import type { ViewContext } from "./context";
import { crosshairLines, crosshairOf, crosshairStyles, linkedPointer } from "./crosshair";
import { addNode, FenceMarks, fenceStyles, finishFence } from "./fence";
import { icon } from "./icons";
import { strokeOpacity } from "./labellooks";
import { labelColourOf } from "./legend";
import { paneStyles } from "./pane.styles";
import { define, Part } from "./part";
import { PaneSize, Picture } from "./picture";
import { planesBeside } from "./planes";
import { Gestures, trackPointers } from "./pointer";
import { personPointers, pointerStyles } from "./pointers";
import { hasRulers, lettersOf, northOf, type Ruler, rulersOf, scaleBarOf } from "./rulers";
import { type Scene, sectionText } from "./scene";
import type { Job } from "./screenshot";
import { type Glimpse, glimpseOf, onlyScrolled } from "./scrolling";
import { slabText } from "./slab";
import { isDead, type PaneState, paneStateOf, stateOverlay } from "./states";
import { stateStyles } from "./states.styles";
import { shared } from "./styles";
import { swipeDivider, swipeStyles } from "./swipe";
import { shortTime } from "./timeplay";
import { Turning, turningStyles } from "./turning";
import { VIEW_TOOLS, type ViewTool } from "./viewtools";
import { wiggleText } from "./wiggle";

/** Values are read when the slice has stood still this long: a scrub would ask for one each frame. */
const READ_AFTER_MS = 60;

export class SlicePane extends Part {
  static override styles = [
    shared,
    paneStyles,
    labelStyles,
    layerStyles,
    plotStyles,
    crosshairStyles,
    pointerStyles,
    swipeStyles,
    turningStyles,
    fenceStyles,
    stateStyles,
  ];

  readonly picture: Picture;
  readonly annotations: AnnotationLayer;
  private readonly labelLayer: LabelLayer;
  private readonly turning: Turning;
  private readonly fence: FenceMarks;
  private size: PaneSize | null = null;
  private retryAt = 0;
  private countdown: ReturnType<typeof setInterval> | undefined;
  private reading: ReturnType<typeof setTimeout> | undefined;
  /** Whose value was asked for when no pointer was there. */
  private place = "";
  private seenLast: Glimpse | null = null;
  private drawnCurve: readonly [Annotation, Profile | null] | null = null;

  constructor(context: ViewContext) {
    super(context);
    this.picture = new Picture(context);
    this.annotations = this.makeAnnotations();
    this.labelLayer = this.makeLabels();
    const at = (event: PointerEvent): Point => this.pointOf(event);
    this.turning = new Turning(context, at);
    this.fence = new FenceMarks(context, at);
    context.session.onStatus((status) => {
      this.retryAt = performance.now() + status.retryInMs;
      this.count(status.retryInMs > 0);
    }, context.signal);
    context.session.onFrame(() => this.pictureChanged(), context.signal);
    context.onChange(() => {
      this.placeChanged();
      this.annotations.request();
    });
    // A drag changes annotations sixty times a second: only the curve is drawn by the pane itself.
    context.desk.onChange(() => this.curveChanged() && this.requestUpdate(), context.signal);
    const stop = (): void => {
      this.count(false);
      clearTimeout(this.reading);
    };
    context.signal.addEventListener("abort", stop, { once: true });
  }

  get view(): HTMLElement | null {
    return this.find(".view");
  }

  get state(): PaneState {
    const { status, info } = this.context.session;
    return paneStateOf(status, info !== null, this.context.ui.shown !== null);
  }

  focusView(): void {
    this.view?.focus({ preventScroll: true });
    this.size?.claim();
  }

  /** Ask for pictures of this pane's size. */
  claim(): void {
    this.size?.claim();
  }

  /** What a picture of this pane is made of; `host` is the viewer. `isAlone`: no other beside it. */
  jobOf(host: HTMLElement, isAlone: boolean): Job {
    const { context, annotations, picture, view } = this;
    return {
      context,
      get picture() {
        return picture.source;
      },
      overlays: annotations.canvases,
      host,
      gutter: { x: view?.offsetLeft ?? 0, y: view?.offsetTop ?? 0 },
      withoutColours: !isAlone && this.hasOthersColours,
    };
  }

  private pointOf({ clientX, clientY }: PointerEvent): Point {
    const box = this.view?.getBoundingClientRect();
    return { x: clientX - (box?.left ?? 0), y: clientY - (box?.top ?? 0) };
  }

  private count(on: boolean): void {
    clearInterval(this.countdown);
    if (on) this.countdown = setInterval(() => this.requestUpdate(), 250);
  }

  /** Only the number of the slice changed: nobody reads 60 numbers a second. */
  protected override mayWait(): boolean {
    const before = this.seenLast;
    this.seenLast = glimpseOf(this.context);
    return before !== null && onlyScrolled(before, this.seenLast);
  }

  protected override firstUpdated(): void {
    const view = this.view;
    if (!view) return;
    const { context } = this;
    this.size = new PaneSize(view, context, () => this.picture.place());
    this.labelLayer.attach(view);
    this.annotations.attach(view);
    trackPointers(view, new Gestures(this.gestureTarget()), context.signal);
  }

  protected override updated(_: PropertyValues): void {
    const { info } = this.context.session;
    const plain = info === null || info.kind === "medical" || isDead(this.state);
    if (this.hasAttribute("plain") !== plain) this.toggleAttribute("plain", plain);
    const { view, annotations, context } = this;
    if (view && annotations.room.look(view, context.ui.pane)) annotations.request();
  }

  private makeAnnotations(): AnnotationLayer {
    const { context } = this;
    const pane = this;
    return new AnnotationLayer(context.desk, {
      signal: context.signal,
      get section() {
        const scene = isDead(pane.state) || !context.ui.shown ? null : context.labelled();
        if (!scene) return null;
        const { volume, grid, placement, fit } = scene;
        if (grid) return GridSection.on(volume, grid, placement, fit);
        return Section.of(scene.placement, scene.fit, pane.shownSlice(scene.axis));
      },
      get size() {
        return context.ui.pane;
      },
      get extent() {
        return Math.max(...(context.session.info?.axes.map(({ n }) => n) ?? [1]));
      },
      get cursor() {
        return pane.labelLayer.cursor;
      },
      focus: () => this.focusView(),
    });
  }

  private makeLabels(): LabelLayer {
    const { annotations, context } = this;
    return new LabelLayer(context.labels, {
      signal: context.signal,
      get section() {
        return asSlice(annotations.section);
      },
      colourOf: (label) => labelColourOf(context.session, context.labels.target, label),
      opacityOf: (label) => strokeOpacity(context.session, context.labels.target, label),
      focus: () => this.focusView(),
      request: () => this.requestUpdate(),
    });
  }

  private gestureTarget(): ConstructorParameters<typeof Gestures>[0] {
    const { context } = this;
    const { actions } = context;
    const scale = (): number => context.wanted()?.fit.scale ?? 1;
    return {
      get state() {
        return context.session.state;
      },
      get tool() {
        return context.ui.tool;
      },
      get mouse() {
        return context.settings.now.mouse;
      },
      get pane() {
        return context.ui.pane;
      },
      get sliceIdx() {
        return actions.sliceIdx;
      },
      get sliceCount() {
        return actions.sliceCount;
      },
      get focused() {
        return context.ui.focused;
      },
      // A tap that begins a text ends after the field for it has the focus.
      focus: () => {
        if (!context.desk.editor.writing) this.focusView();
      },
      goTo: (slice) => context.take(() => actions.goTo(slice)),
      pan: (from, dx, dy) => actions.panFrom(from, dx / scale(), dy / scale()),
      pinch: (from, factor, start, now) =>
        actions.pinchFrom(from, factor, context.toPicture(start), context.toPicture(now)),
      dragRange: (from, x, y, fine) => actions.dragRangeFrom(from, x, y, fine),
      fit: () => actions.fit(),
      maximise: () => (context.ui.fence ? finishFence(context) : context.ask("maximise")),
      menu: (at) => this.openMenu(at),
      point: (at) => this.put(at),
      click: (at) => this.clicked(at),
      follow: (at) => this.follow(at),
      hover: (at) => this.hover(at),
    };
  }

  private put(at: Point): void {
    const voxel = this.context.nearestVoxel(at);
    if (voxel) this.context.take(() => this.context.actions.placeCrosshair(voxel));
  }

  /** Planes that are linked meet where one of them is clicked. */
  private clicked(at: Point): void {
    if (this.context.ui.fence) {
      addNode(this.context, at);
      return;
    }
    const { layout, linked, crosshair } = this.context.session.state;
    if (layout !== "single" && linked && crosshair) this.put(at);
  }

  private follow(at: Point | null): void {
    const { context } = this;
    const voxel = at && context.nearestVoxel(at);
    if (voxel || context.ui.follows) context.set({ follows: voxel });
    if (voxel) context.take(() => context.actions.placeCrosshair(voxel));
  }

  private hover(at: Point | null): void {
    // The pointer goes to the menu of a place, which speaks of that place.
    if (!at && this.context.ui.open === "context") return;
    const voxel = this.point(at);
    if (voxel) this.context.session.probe(voxel);
  }

  private point(at: Point | null): Voxel | null {
    const voxel = at && this.context.voxelAt(at);
    this.context.set({ cursor: at && voxel ? { at, voxel } : null });
    this.context.session.pointing.here.emit(this.context.pointed?.voxel ?? null);
    return voxel;
  }

  /** The picture moved under a resting pointer: the place is known at once, the value is read later. */
  private pictureChanged(): void {
    const at = this.context.ui.cursor?.at;
    if (at) this.point(at);
    this.readLater();
  }

  /** The crosshair moved, or the pointer left it alone in the picture. */
  private placeChanged(): void {
    const { here, ui } = this.context;
    const place = here && !ui.cursor ? here.join() : "";
    if (place === this.place) return;
    this.place = place;
    if (place) this.readLater();
  }

  private readLater(): void {
    clearTimeout(this.reading);
    if (!this.context.here) return;
    this.reading = setTimeout(() => {
      const { here, session } = this.context;
      if (here) session.probe(here);
    }, READ_AFTER_MS);
  }

  openMenu(at?: Point): void {
    if (this.context.isPlayed) return;
    const box = this.view?.getBoundingClientRect();
    const host =
      this.getRootNode() instanceof ShadowRoot ? (this.getRootNode() as ShadowRoot).host : this;
    const origin = host.getBoundingClientRect();
    const { width, height } = this.context.ui.pane;
    const point = at ?? { x: width / 2, y: height / 2 };
    this.context.set({
      open: "context",
      menuAt: {
        x: (box?.left ?? 0) - origin.left - host.clientLeft + point.x,
        y: (box?.top ?? 0) - origin.top - host.clientTop + point.y,
      },
    });
  }

  protected override render(): TemplateResult {
    const { context, state } = this;
    const scene = isDead(state) ? null : context.labelled();
    const { tool } = context.ui;
    const isGrab = VIEW_TOOLS[tool as ViewTool]?.cursor === "grab";
    const drags = !isGrab || context.settings.now.mouse === "radiology";
    this.picture.element.classList.toggle("cut", state === "lost");
    this.picture.element.classList.toggle("waiting", context.ui.shown === null);
    const classes = {
      view: true,
      medical: context.session.info?.kind === "medical",
      pan: !drags,
      range: drags,
    };
    return html`
      ${scene && hasRulers(scene) ? this.rulers(scene) : nothing}
      <div
        class=${classMap(classes)}
        part="view"
        tabindex=${isDead(state) ? "-1" : "0"}
        role="application"
        aria-roledescription="slice view"
        aria-label=${this.describe(scene)}
      >
        ${this.picture.element}${this.annotations.element}${this.labelLayer.render()}${scene && context.ui.shown ? this.labels(scene) : nothing}
        ${stateOverlay(context, state, Math.ceil((this.retryAt - performance.now()) / 1000))}
      </div>
      <div class="ring" aria-hidden="true"><i></i><i></i><i></i><i></i></div>
    `;
  }

  /** For people who hear the page: the slice, and what the picture spans. */
  private describe(scene: Scene | null): string {
    if (!scene) return "Slice view, no volume";
    const { info, placement } = scene;
    const span = [placement.plane.columnAxis, placement.plane.rowAxis].map((index) => {
      const along = axisOf(info, index);
      const unit = along.unit ? ` ${along.unit}` : "";
      return `${axisTitle(along)} ${numberText(along, 0)} to ${numberText(along, along.n - 1)}${unit}`;
    });
    return [...this.titleOf(scene), ...span].join(", ");
  }

  /** What is shown: the slice, and the slab around it; or the section. */
  private titleOf({ volume, base, grid }: Scene): readonly string[] {
    const { state } = this.context.session;
    const slice = grid
      ? sectionText(grid)
      : sliceText(volume, base, this.shownSlice(base)).join(" ");
    return [slice, slabText(volume, state), wiggleText(volume, state)].filter(Boolean);
  }

  private shownSlice(axis: number): number {
    const { shown } = this.context.ui;
    return shown && shown.axis === axis
      ? shown.slice_idx
      : (this.context.session.state.slice_idx[axis] ?? 0);
  }

  private rulers(scene: Scene): TemplateResult {
    const { width, height } = this.context.ui.pane;
    const { top, left } = rulersOf(scene, width, height);
    const fits = top.caption !== left.caption && top.caption.length + left.caption.length <= 5;
    const across = fits ? top.caption : "";
    return html`
      <div class="corner" aria-hidden="true" title="${top.title} →, ${left.title} ↓">
        <span>${across}</span><span>${left.caption}</span>
      </div>
      ${this.ruler(top, "top")} ${this.ruler(left, "left")}
    `;
  }

  private ruler(ruler: Ruler, side: "top" | "left"): TemplateResult {
    const direction = side === "top" ? "X" : "Y";
    return html`<div class="ruler ${side}" aria-hidden="true" title=${ruler.title}>
      ${ruler.ticks.map(
        ({ at, text }) =>
          html`<span style="transform:translate${direction}(${at.toFixed(1)}px)"><b>${text}</b></span>`,
      )}
    </div>`;
  }

  private labels(scene: Scene): TemplateResult {
    const { info, volume, base, grid } = scene;
    const [title, position] = grid
      ? [sectionText(grid), ""]
      : sliceText(volume, base, this.shownSlice(base));
    const slab = slabText(volume, this.context.session.state);
    const wiggle = wiggleText(volume, this.context.session.state);
    const { letters, remark } = lettersOf(scene);
    const bar = scaleBarOf(scene);
    const north = northOf(scene);
    const colour = styleMap({ background: grid ? "#fff" : planeColour(volume, base) });
    const { crosshair, ui, session } = this.context;
    const isLarge = ui.maximised || session.state.maximised;
    return html`
      ${personPointers(scene, session.people, this.shownSlice(base), this.context.ui.pane)}
      ${ui.linked ? linkedPointer(scene, ui.linked, this.shownSlice(base)) : nothing}
      ${crosshair ? this.crosshair(scene, crosshair) : nothing}
      ${this.fence.render(scene)}
      <button
        class="slice"
        part="slice"
        tabindex="-1"
        aria-pressed=${isLarge ? "true" : "false"}
        title="${this.maximiseWords(isLarge)} (Z)"
        @click=${() => this.maximise()}
      >
        <span class="label">
          <span class="square" style=${colour}></span><b>${title}</b>
          ${info.kind === "medical" ? html`<span class="less">${position}</span>` : html`<b>${position}</b>`}
          ${volume.time && volume.time.n > 1 ? html`<span class="less" part="step">${shortTime(volume, session.state.time_idx)}</span>` : nothing}
          ${slab ? html`<span class="less" part="slab">${slab}</span>` : nothing}
          ${wiggle ? html`<span class="less" part="wiggle">${wiggle}</span>` : nothing}
        </span>
      </button>
      ${grid ? this.backToSlice(volume, base) : nothing}
      ${north === null ? nothing : this.compass(north)}
      ${remark ? html`<div class="label remark"><span class="less">${remark}</span></div>` : nothing}
      ${letters.map((letter, i) =>
        letter ? html`<span class="letter ${"lrtb".charAt(i)}">${letter}</span>` : nothing,
      )}
      ${
        bar
          ? html`<div class="label scale">
            ${bar.text}<u style="width:${bar.length.toFixed(1)}px"></u>
          </div>`
          : nothing
      }
      ${this.colourBar(scene)} ${this.profile()} ${swipeDivider(this.context)}
    `;
  }

  private crosshair(scene: Scene, voxel: Voxel): TemplateResult | typeof nothing {
    const { context } = this;
    const crosshair = crosshairOf(scene, voxel, planesBeside(scene, voxel, context.whole));
    if (!crosshair) return nothing;
    return html`${crosshairLines(crosshair, context.ui.pane.pixelRatio)}
    ${this.turning.handles(scene, voxel, crosshair)}`;
  }

  private backToSlice(volume: VolumeInfo, base: number): TemplateResult {
    const title = axisTitle(axisOf(volume, base));
    const words = `Back to the ${title.toLowerCase()} slice`;
    return html`<button
      class="label back"
      part="section-off"
      aria-label=${words}
      title=${words}
      ?disabled=${!this.context.actions.canDrive}
      @click=${() => this.context.take(() => this.context.actions.endSection())}
    >
      ${icon("close")}${title}
    </button>`;
  }

  /** The first of linked panes says what the colours of all mean. */
  private get hasOthersColours(): boolean {
    const { session, index, ui } = this.context;
    const { layout, linked, maximised } = session.state;
    const alone = layout === "single" || maximised || ui.compact;
    return index > 0 && linked && !alone;
  }

  private colourBar(scene: Scene): TemplateResult | typeof nothing {
    return this.hasOthersColours ? nothing : colourBar(this.context, scene);
  }

  private get isOneOfSeveral(): boolean {
    return this.context.session.state.layout !== "single" && !this.context.ui.compact;
  }

  private maximiseWords(isLarge: boolean): string {
    if (this.isOneOfSeveral) return isLarge ? "Back to all panes" : "This pane alone";
    return isLarge ? "Back to the page" : "Fill the window";
  }

  private maximise(): void {
    this.focusView();
    this.context.ask("maximise");
  }

  /** The profile that is chosen here, and what is known of it. */
  private get curve(): readonly [Annotation, Profile | null] | null {
    const { desk } = this.context;
    const item = desk.editor.selection.single;
    if (item?.kind !== "profile" || desk.editor.surface !== this.annotations) return null;
    return [item, desk.readings.of(item, desk.channel)?.profile ?? null];
  }

  /** Is the curve another one than was drawn last? */
  private curveChanged(): boolean {
    const now = this.curve;
    const before = this.drawnCurve;
    this.drawnCurve = now;
    return now?.[0] !== before?.[0] || now?.[1] !== before?.[1];
  }

  private profile(): TemplateResult | typeof nothing {
    const { curve } = this;
    return curve ? plotOf(curve[1], curve[0].color) : nothing;
  }

  private compass(degrees: number): TemplateResult {
    const words = `North is ${Math.round(degrees)}° clockwise from up`;
    return html`<div class="label remark" role="img" aria-label=${words} title=${words}>
      <span style="transform:rotate(${degrees.toFixed(1)}deg)">${icon("north")}</span>N
    </div>`;
  }
}

define("blustream-slice-pane", SlicePane);
