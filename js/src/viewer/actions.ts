/** Everything a user can do to the view, as absolute patches of the session's state. */
import { type Point, placeSlice, type Turn, turnedPan, UPRIGHT } from "../geometry";
import { activation } from "../panes";
import { mayDrive } from "../people";
import type { Oblique, ViewPatch, ViewState, VolumeInfo } from "../protocol";
import { SLAB_MAX, WINDOW_MAX, WINDOW_MIN } from "../protocol";
import { gridOf, movedAlong, placeOf, projected, type Vector } from "../sections";
import type { Session } from "../session";
import type { Voxel } from "./axes";
import { type Camera, panBy, zoomAt } from "./camera";
import { clamp } from "./format";
import { type Look, ViewHistory } from "./history";
import { autoRange, channelOf, dragRange, isSigned, presetsOf, type Range } from "./range";
import type { SlabMode } from "./slab";

/** Share of the pane that one Shift + arrow moves the picture by. */
const PAN_STEP = 0.1;
/** Shift held: finer window and level. */
const FINE = 0.2;

type PlaneCamera = Camera & Turn & { stretch: number };

const WHOLE: PlaneCamera = { zoom: 1, pan: [0.5, 0.5], stretch: 1, ...UPRIGHT };

/** The voxel that is nearest to a place. */
function nearestIn({ axes }: VolumeInfo, place: Vector): Voxel {
  const [i, j, k] = place.map((at, axis) => clamp(Math.round(at), 0, (axes[axis]?.n ?? 1) - 1));
  return [i ?? 0, j ?? 0, k ?? 0];
}

export class Actions {
  readonly history = new ViewHistory();
  /** Keep the window symmetric about zero; null = as the field does, so for seismic data. */
  private lockWanted: boolean | null = null;
  /** Zoom, pan and turn of the planes that are not shown, so that they come back as they were left. */
  private readonly cameras = new Map<number, PlaneCamera>();

  /** Window and colours of the channels that are not shown, so that they come back as they were left. */
  private readonly looks = new Map<number, ViewPatch>();

  /** @param refused called when a hand would move a view that it may not move */
  constructor(
    private readonly session: Session,
    private readonly refused: () => void = () => {},
  ) {}

  get state(): ViewState {
    return this.session.state;
  }

  /** Move the view that is seen here. */
  get canDrive(): boolean {
    return mayDrive(this.session.role) || this.session.ownView.isOn;
  }

  patch(patch: ViewPatch): void {
    if (!this.session.info) return;
    if (this.canDrive) this.session.patch(patch);
    else this.refused();
  }

  private withInfo(body: (info: VolumeInfo, state: ViewState) => void): void {
    if (this.session.info) body(this.session.info, this.session.state);
  }

  // ------------------------------------------------------------- slices

  get sliceIdx(): number {
    return this.state.slice_idx[this.state.axis] ?? 0;
  }

  get sliceCount(): number {
    return this.session.info?.axes[this.state.axis]?.n ?? 1;
  }

  goTo(slice: number): void {
    const idx = clamp(Math.round(slice), 0, this.sliceCount - 1);
    if (idx === this.sliceIdx) return;
    const at: [number, number, number] = [...this.state.slice_idx];
    at[this.state.axis] = idx;
    this.patch({ slice_idx: at });
  }

  /** Show the slices that cut in a voxel. A section stays where it is. */
  goToVoxel(voxel: Voxel): void {
    const { section } = this.state;
    this.patch(section ? { slice_idx: voxel, section } : { slice_idx: voxel });
  }

  /** Slices further; a plane goes along its normal by as many voxels, a fence stays. */
  step(slices: number): void {
    const { section } = this.state;
    if (section?.kind === "oblique") this.moveAlong(section, slices);
    else if (!section) this.goTo(this.sliceIdx + slices);
  }

  private moveAlong(plane: Oblique, voxels: number): void {
    this.withInfo((info, state) => {
      const section = movedAlong(info, plane, voxels);
      if (!section) return;
      // The crosshair goes along, as far as voxels allow.
      const grid = gridOf(info, section);
      const { column, row } = projected(info, grid, state.slice_idx);
      this.patch({ section, slice_idx: nearestIn(info, placeOf(grid, column, row)) });
    });
  }

  setAxis(axis: number): void {
    const { axis: old, zoom, pan, stretch, rotation, flip_x, flip_y, section } = this.state;
    if (!this.session.info?.axes[axis]) return;
    if (axis === old) {
      if (section) this.endSection();
      return;
    }
    this.cameras.set(old, { zoom, pan, stretch, rotation, flip_x, flip_y });
    this.patch({ axis, ...(this.cameras.get(axis) ?? WHOLE), section: null });
  }

  /** Show the slice again that a section stands in the place of. */
  endSection(): void {
    const { zoom, pan } = WHOLE;
    if (this.state.section) this.patch({ section: null, zoom, pan });
  }

  // ------------------------------------------------------------- crosshair

  showCrosshair(on: boolean): void {
    this.patch({ crosshair: on });
  }

  /** Move the other two slices to where they cut the shown one in `voxel`. */
  placeCrosshair(voxel: Voxel): void {
    const at: [number, number, number] = [...voxel];
    if (!this.state.section) at[this.state.axis] = this.sliceIdx;
    this.goToVoxel(at);
  }

  /** Move the crosshair by voxels of the shown slice, right and down on the screen. */
  moveCrosshair(right: number, down: number): void {
    this.withInfo((info, state) => {
      const { plane } = placeSlice(info, state.axis, state);
      if (state.section) {
        const grid = gridOf(info, state.section);
        const { column, row } = projected(info, grid, state.slice_idx);
        const by: [number, number, number] = [0, 0, 0];
        by[plane.columnAxis as 0] = plane.flipX ? -right : right;
        by[plane.rowAxis as 0] = plane.flipY ? -down : down;
        this.placeCrosshair(nearestIn(info, placeOf(grid, column + by[1], row + by[2])));
        return;
      }
      const at: [number, number, number] = [...state.slice_idx];
      const move = (axis: number, by: number): void => {
        at[axis] = clamp((at[axis] ?? 0) + by, 0, (info.axes[axis]?.n ?? 1) - 1);
      };
      move(plane.columnAxis, plane.flipX ? -right : right);
      move(plane.rowAxis, plane.flipY ? -down : down);
      this.patch({ slice_idx: at });
    });
  }

  /** Pan so that the crosshair lies in the middle of the pane. */
  centreOnCrosshair(): void {
    this.withInfo((info, state) => {
      const placed = placeSlice(info, state.axis, state);
      const { columnAxis, rowAxis } = placed.plane;
      let at: Voxel = state.slice_idx;
      if (state.section) {
        const { column, row } = projected(info, gridOf(info, state.section), at);
        at = [0, column, row];
      }
      const { x, y } = placed.toPixel(at[columnAxis] ?? 0, at[rowAxis] ?? 0);
      this.patch({ pan: [(x - placed.x0) / placed.width, (y - placed.y0) / placed.height] });
    });
  }

  // ------------------------------------------------------------- zoom and pan

  zoomAt(factor: number, at: Point): void {
    this.withInfo((info, state) => this.patch(zoomAt(info, state, factor, at)));
  }

  zoomAtCentre(factor: number): void {
    this.zoomAt(factor, { x: this.state.width_px / 2, y: this.state.height_px / 2 });
  }

  /** Pan from the view `from`, so that a drag of many events adds no rounding. */
  panFrom(from: ViewState, dx: number, dy: number): void {
    this.withInfo((info) => this.patch(panBy(info, from, dx, dy)));
  }

  panStep(x: number, y: number): void {
    const { width_px: width, height_px: height } = this.state;
    this.panFrom(this.state, x * width * PAN_STEP, y * height * PAN_STEP);
  }

  /** Pinch: the point that was under `start` when the fingers came down lies under `now`. */
  pinchFrom(from: ViewState, factor: number, start: Point, now: Point): void {
    this.withInfo((info) => {
      const zoomed = { ...from, ...zoomAt(info, from, factor, start) };
      this.patch(panBy(info, zoomed, now.x - start.x, now.y - start.y));
    });
  }

  get isFitted(): boolean {
    const { zoom, pan } = this.state;
    return zoom === 1 && pan[0] === 0.5 && pan[1] === 0.5;
  }

  /** The whole slice; when it is whole already, without stretch. */
  fit(): void {
    const { zoom, pan } = WHOLE;
    this.patch(this.isFitted ? { stretch: 1 } : { zoom, pan });
  }

  /** Turn the time slice; what lies in the middle of the pane stays there. */
  setNorthUp(north_up: boolean): void {
    this.withInfo((info, state) => {
      if (north_up === state.north_up) return;
      const [x, y] = [state.width_px / 2, state.height_px / 2];
      const before = placeSlice(info, state.axis, state);
      const { column, row } = before.toVoxel(x, y);
      const after = placeSlice(info, state.axis, { ...state, north_up, pan: [0.5, 0.5] });
      const isTurned = after.plane.columnAxis !== before.plane.columnAxis;
      const at = isTurned ? after.toPixel(row, column) : after.toPixel(column, row);
      const pan = [(at.x - after.x0) / after.width, (at.y - after.y0) / after.height] as const;
      const isMap = state.axis === 2 && !state.section;
      this.patch(isMap ? { north_up, pan: [...pan] } : { north_up });
    });
  }

  /** Turn and mirror the slice; what lies in the middle of the pane stays there. */
  setTurn(change: Partial<Turn>): void {
    const { rotation, flip_x, flip_y, pan } = this.state;
    const turn = { rotation, flip_x, flip_y, ...change };
    this.patch({ ...turn, pan: [...turnedPan(pan, this.state, turn)] });
  }

  /** Turn the slice by quarters, clockwise as it is seen: a mirrored one turns the other way round. */
  rotate(quarters: number): void {
    const { rotation, flip_x, flip_y } = this.state;
    const way = flip_x === flip_y ? quarters : -quarters;
    this.setTurn({ rotation: (rotation + 90 * way + 360) % 360 });
  }

  flip(side: "x" | "y"): void {
    const { flip_x, flip_y } = this.state;
    this.setTurn(side === "x" ? { flip_x: !flip_x } : { flip_y: !flip_y });
  }

  get isTurned(): boolean {
    const { rotation, flip_x, flip_y } = this.state;
    return rotation !== 0 || flip_x || flip_y;
  }

  /** Slices that are reduced to one picture; 1: none but the shown one. */
  setSlab(slices: number): void {
    this.patch({ slab: clamp(Math.round(slices), 1, Math.min(SLAB_MAX, this.sliceCount)) });
  }

  setSlabMode(slab_mode: SlabMode): void {
    this.patch({ slab_mode });
  }

  setStretch(stretch: number): void {
    this.patch({ stretch: clamp(stretch, 0.1, 20) });
  }

  reset(): void {
    this.withInfo((info, state) => {
      const channel = channelOf(info, state.channel);
      this.cameras.clear();
      const whole = { slab: 1, section: null, display: "density" };
      const seen = { interpolate: !channel.is_label, ...whole };
      this.patch({ ...WHOLE, ...autoRange(info, channel), ...seen });
    });
  }

  back(): void {
    this.look(this.history.back());
  }

  forward(): void {
    this.look(this.history.forward());
  }

  private look(look: Look | null): void {
    if (!look) return;
    const at: [number, number, number] = [...this.state.slice_idx];
    at[look.axis] = look.slice_idx[look.axis] ?? 0; // the others are the crosshair's
    const { active, ...view } = look;
    // In the pane where it was seen, if there still is one.
    this.patch({ ...activation(this.state, active), ...view, slice_idx: at });
  }

  // ------------------------------------------------------------- colours

  get symmetricLock(): boolean {
    return this.lockWanted ?? this.session.info?.kind === "seismic";
  }

  set symmetricLock(on: boolean) {
    this.lockWanted = on;
    if (on) this.patch({ level: 0 });
  }

  /** The window is symmetric and stays so. One that was set off zero on purpose is left there. */
  get isSymmetric(): boolean {
    const { info, state } = this.session;
    const centred = Math.abs(state.level) <= state.window * 1e-6;
    return (
      this.symmetricLock && centred && !!info && isSigned(info, channelOf(info, state.channel))
    );
  }

  setRange(range: Range): void {
    const window = clamp(range.window, WINDOW_MIN, WINDOW_MAX);
    this.patch({ window, level: this.isSymmetric ? 0 : range.level });
  }

  setEnds(low: number, high: number): void {
    if (this.isSymmetric)
      this.setRange({ window: 2 * Math.max(Math.abs(low), Math.abs(high)), level: 0 });
    else if (high > low) this.setRange({ window: high - low, level: (low + high) / 2 });
  }

  /** Drag by a share of the screen: right is a wider window, down a higher level. */
  dragRangeFrom(from: Range, shareX: number, shareY: number, fine: boolean): void {
    this.withInfo((info, state) => {
      const span = dragRange(channelOf(info, state.channel)) * (fine ? FINE : 1);
      const least = Math.min(span * 1e-3, from.window);
      const window = Math.max(least, from.window + shareX * span);
      this.setRange({ window, level: from.level + shareY * span });
    });
  }

  /** Keys: scale the window, move the level by a share of it. */
  nudgeRange(factor: number, shift: number): void {
    const { window, level } = this.state;
    this.setRange({ window: window * factor, level: level + shift * window });
  }

  autoRange(): void {
    this.withInfo((info, state) => this.patch(autoRange(info, channelOf(info, state.channel))));
  }

  preset(index: number): void {
    this.withInfo((info, state) => {
      const preset = presetsOf(info, channelOf(info, state.channel))[index];
      if (preset) this.patch({ window: preset.window, level: preset.level });
    });
  }

  setColormap(colormap: string): void {
    this.patch({ colormap });
  }

  setReverse(reverse: boolean): void {
    this.patch({ reverse });
  }

  setInterpolate(interpolate: boolean): void {
    this.patch({ interpolate });
  }

  /** Another channel has other values: its range and a fitting map come with it. */
  setChannel(channel: number): void {
    this.withInfo((info, state) => {
      const of = info.channels[channel];
      if (!of || channel === state.channel) return;
      const { window, level, colormap: map, reverse, interpolate } = state;
      this.looks.set(state.channel, { window, level, colormap: map, reverse, interpolate });
      const left = this.looks.get(channel);
      if (left) {
        this.patch({ channel, ...left });
        return;
      }
      const wasLabel = channelOf(info, state.channel).is_label;
      const fallback = isSigned(info, of) && info.kind === "seismic" ? "seismic" : "grey";
      const colormap = of.is_label ? "labels" : wasLabel ? fallback : state.colormap;
      this.patch({ channel, ...autoRange(info, of), colormap, interpolate: !of.is_label });
    });
  }
}
