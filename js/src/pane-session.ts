/**
 * One pane of a view, seen as a session of its own: its part of the pictures, its part of the state.
 *
 * What shows one slice need not know of the others. While the view has one pane alone, everything goes
 * through as it is.
 */

import { Listeners } from "./listeners";
import type { Palettes } from "./palettes";
import { activation, paneCount, resizing, viewOfPane } from "./panes";
import type { People } from "./people";
import type { Pointing } from "./pointing";
import {
  FrameFlags,
  type FrameHeader,
  NO_PANES,
  type PaneHeader,
  type SegmentationInfo,
  type ViewPatch,
  type ViewState,
  type VolumeInfo,
} from "./protocol";
import type { Frame, ProbedValue, Session, SessionError, SessionStatus } from "./session";

/** Cuts a rectangle out of a picture; the result belongs to the caller. */
export type Cut = (
  image: Frame["image"],
  x: number,
  y: number,
  width: number,
  height: number,
) => Frame["image"];

/** A part of a decoded frame is the frame under another name; of a bitmap it is a copy. */
export const cutImage: Cut = (image, x, y, width, height) => {
  if (typeof VideoFrame !== "undefined" && image instanceof VideoFrame) {
    // A maximised pane is the whole picture, whose height need not be of whole blocks: Chromium cuts
    // such a picture wrongly.
    if (image.displayWidth === width && image.displayHeight === height) return image.clone();
    return new VideoFrame(image, { visibleRect: { x, y, width, height } });
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d", { alpha: false })?.drawImage(image, -x, -y);
  return canvas.transferToImageBitmap();
};

function isStill(header: FrameHeader): boolean {
  return (header.flags & FrameFlags.STILL) !== 0;
}

/** The header that the picture of this pane alone would have. */
export function headerOfPane(frame: FrameHeader, pane: PaneHeader): FrameHeader {
  const { pane: _, is_exact, content: __, x_px: ___, y_px: ____, ...view } = pane;
  const exact = is_exact ? FrameFlags.EXACT : 0;
  const flags = (frame.flags & ~FrameFlags.EXACT) | exact;
  return { ...frame, ...view, flags, n_panes: 0, panes: NO_PANES };
}

export class PaneSession implements Session {
  readonly #session: Session;
  readonly #cut: Cut;
  readonly #frames = new Listeners<Frame>();
  /** The newest picture of this pane, if it was cut out of one of several. */
  #own: { readonly frame: Frame; readonly content: number } | null = null;
  #from: ViewState | null = null;
  #state: ViewState;

  constructor(
    session: Session,
    readonly index: number,
    signal: AbortSignal,
    cut: Cut = cutImage,
  ) {
    this.#session = session;
    this.#cut = cut;
    this.#state = session.state;
    const last = session.lastFrame();
    if (last) this.#take(last);
    session.onFrame((frame) => this.#take(frame), signal);
    signal.addEventListener("abort", () => this.#drop(), { once: true });
  }

  get palettes(): Palettes {
    return this.#session.palettes;
  }

  get segmentations(): readonly SegmentationInfo[] {
    return this.#session.segmentations;
  }

  /** It is the pane in use. */
  get isActive(): boolean {
    return this.#session.state.active === this.index;
  }

  get state(): ViewState {
    const { state } = this.#session;
    if (state !== this.#from) {
      this.#from = state;
      // A layout with fewer panes came: this one is about to go.
      if (this.index < paneCount(state)) this.#state = viewOfPane(state, this.index);
    }
    return this.#state;
  }

  get info(): VolumeInfo | null {
    return this.#session.info;
  }

  get status(): SessionStatus {
    return this.#session.status;
  }

  get recording(): Session["recording"] {
    return this.#session.recording;
  }

  get labels(): Session["labels"] {
    return this.#session.labels;
  }

  get annotations(): Session["annotations"] {
    return this.#session.annotations;
  }

  get people(): People {
    return this.#session.people;
  }

  get ownView(): Session["ownView"] {
    return this.#session.ownView;
  }

  get call(): Session["call"] {
    return this.#session.call;
  }

  get viewLinks(): Session["viewLinks"] {
    return this.#session.viewLinks;
  }

  get guestPage(): string {
    return this.#session.guestPage;
  }

  get pointing(): Pointing {
    return this.#session.pointing;
  }

  get role(): string {
    return this.#session.role;
  }

  /** What changes this pane makes it the active one; what changes its size does not. */
  patch(patch: ViewPatch): void {
    const { state } = this.#session;
    const { width_px, height_px, ...view } = patch;
    if (width_px !== undefined && height_px !== undefined) {
      this.#session.patch(resizing(state, this.index, [width_px, height_px]));
    }
    if (Object.keys(view).length > 0) {
      this.#session.patch({ ...activation(this.#session.state, this.index), ...view });
    }
  }

  /** Make it the pane in use. */
  activate(): void {
    if (!this.isActive) this.#session.patch(activation(this.#session.state, this.index));
  }

  probe(voxel: readonly [number, number, number]): void {
    this.#session.probe(voxel);
  }

  retry(): void {
    this.#session.retry();
  }

  cancel(): void {
    this.#session.cancel();
  }

  setVisible(visible: boolean): void {
    this.#session.setVisible(visible);
  }

  onFrame(listener: (frame: Frame) => void, signal: AbortSignal): void {
    this.#frames.add(listener, signal);
  }

  onState(listener: (state: ViewState) => void, signal: AbortSignal): void {
    this.#session.onState(() => listener(this.state), signal);
  }

  onStatus(listener: (status: SessionStatus) => void, signal: AbortSignal): void {
    this.#session.onStatus(listener, signal);
  }

  onInfo(listener: (info: VolumeInfo) => void, signal: AbortSignal): void {
    this.#session.onInfo(listener, signal);
  }

  onValue(listener: (value: ProbedValue) => void, signal: AbortSignal): void {
    this.#session.onValue(listener, signal);
  }

  onNotice(listener: (error: SessionError) => void, signal: AbortSignal): void {
    this.#session.onNotice(listener, signal);
  }

  lastFrame(): Frame | null {
    if (this.#own) return this.#own.frame;
    const frame = this.#session.lastFrame();
    return frame && frame.header.n_panes === 0 && this.index === 0 ? frame : null;
  }

  #take(frame: Frame): void {
    const { header, image } = frame;
    if (header.n_panes === 0) {
      if (this.index === 0) this.#frames.emit(frame);
      this.#drop();
      return;
    }
    const pane = header.panes.find((candidate) => candidate.pane === this.index);
    if (!pane) return;
    const before = this.#own;
    // Exact pixels stay while the video shows the same less exactly, because another pane moves.
    if (before?.content === pane.content && !isStill(header) && this.#isFinal(before.frame)) return;
    const { x_px, y_px, width_px, height_px } = pane;
    const own = {
      header: headerOfPane(header, pane),
      image: this.#cut(image, x_px, y_px, width_px, height_px),
    };
    this.#own = { frame: own, content: pane.content };
    this.#frames.emit(own);
    before?.frame.image.close();
  }

  /** Exact pixels in the size that the pane has. */
  #isFinal({ header }: Frame): boolean {
    const { width_px, height_px } = this.state;
    const hasSize = header.width_px === width_px && header.height_px === height_px;
    return hasSize && isStill(header);
  }

  #drop(): void {
    this.#own?.frame.image.close();
    this.#own = null;
  }
}
