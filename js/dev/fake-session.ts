/** A `Session` without a server: keeps the state, draws frames by formula, gives values at once. */
import { LiveCall } from "../src/call/call";
import { placeSlice } from "../src/geometry";
import { LiveLabels } from "../src/labels/link";
import { LiveRecording } from "../src/live-recording";
import { OwnView } from "../src/own-view";
import { Palettes } from "../src/palettes";
import { shownPanes, viewOfPane } from "../src/panes";
import { People } from "../src/people";
import { Pointing } from "../src/pointing";
import {
  FrameFlags,
  type FrameHeader,
  NO_PANES,
  type ViewPatch,
  type ViewState,
  type VolumeInfo,
} from "../src/protocol";
import type { Frame, ProbedValue, Session, SessionError, SessionStatus } from "../src/session";
import { ViewLinks } from "../src/view-links";
import { stopsOf } from "../src/viewer/colours";
import { autoRange, channelOf } from "../src/viewer/range";
import { coloursOf, isContinuous } from "../src/viewer/recolour";
import { FakeAnnotations } from "./fake-annotations";
import { ALONE, headerOf, patched, stacked } from "./fake-panes";
import type { DevVolume } from "./volumes";

class Hub<T> {
  private readonly listeners = new Set<(value: T) => void>();

  add(listener: (value: T) => void, signal: AbortSignal): void {
    this.listeners.add(listener);
    signal.addEventListener("abort", () => this.listeners.delete(listener), { once: true });
  }

  get size(): number {
    return this.listeners.size;
  }

  tell(value: T): void {
    for (const listener of [...this.listeners]) listener(value);
  }
}

/** "frame": each change is drawn before the next repaint; "hand": only when `deliver` is called. */
export type Delivery = "frame" | "hand";

export class FakeSession implements Session {
  state: ViewState;
  info: VolumeInfo | null = null;
  role = "owner";
  readonly palettes = new Palettes();
  readonly pointing = new Pointing();
  readonly people = new People(() => false);
  readonly ownView = new OwnView(() => false);
  readonly call = new LiveCall({ send: () => false });
  readonly viewLinks = new ViewLinks(() => false);
  guestPage = "https://hub.example.org/blustream/guest";
  segmentations: Session["segmentations"] = [];
  status: SessionStatus = {
    phase: "connecting",
    transport: "websocket",
    via: "direct",
    reason: "",
    encoder: "libx264",
    codec: "h264",
    displayedFps: 60,
    heldBack: "",
    latencyMs: 31,
    lod: 0,
    progress: 1,
    trouble: "",
    exact: true,
    worker: "ready",
    viewers: 1,
    loaded: { axis: 0, channel: 0, runs: [[123, 270]] },
    retryInMs: 0,
    isNotebookBusy: false,
    error: null,
  };
  /** Every patch since the start, for tests. */
  readonly patches: ViewPatch[] = [];
  retries = 0;
  readonly recording = new LiveRecording(() => false);
  readonly labels = new LiveLabels(() => false);
  readonly annotations: FakeAnnotations;
  private readonly frames = new Hub<Frame>();
  private readonly states = new Hub<ViewState>();
  private readonly statuses = new Hub<SessionStatus>();
  private readonly infos = new Hub<VolumeInfo>();
  private readonly values = new Hub<ProbedValue>();
  private readonly notices = new Hub<SessionError>();
  private last: Frame | null = null;
  private asked = false;
  private frameNo = 0;

  constructor(
    private readonly volume: DevVolume,
    private readonly delivery: Delivery,
  ) {
    this.annotations = new FakeAnnotations(volume);
    const { info } = volume;
    const axis = info.kind === "medical" ? 2 : 0;
    this.state = {
      revision: 0,
      axis,
      slice_idx: info.axes.map((a) => Math.floor(a.n * 0.433)) as [number, number, number],
      time_idx: 0,
      channel: 0,
      ...autoRange(info, channelOf(info, 0)),
      colormap: info.kind === "seismic" ? "seismic" : "grey",
      reverse: false,
      below_color: "",
      above_color: "",
      no_value_color: "",
      label_style: "",
      zoom: 1,
      pan: [0.5, 0.5],
      stretch: 1,
      interpolate: true,
      north_up: false,
      rotation: 0,
      flip_x: false,
      flip_y: false,
      slab: 1,
      slab_mode: "max",
      display: "density",
      wiggle_excursion: 1,
      wiggle_fill: true,
      wiggle_polarity: "normal",
      section: null,
      crosshair: false,
      segmentations: [],
      show_segmentations: true,
      overlays: [],
      show_overlays: true,
      width_px: 960,
      height_px: 540,
      ...ALONE,
    };
    if (info.kind === "medical") this.state = { ...this.state, window: 150, level: 40 };
  }

  /** Who still listens; none once all views are gone. */
  get listeners(): number {
    const { frames, states, statuses, infos, values, notices } = this;
    return [frames, states, statuses, infos, values, notices].reduce((n, hub) => n + hub.size, 0);
  }

  /** The volume is open: pictures come. */
  open(): void {
    this.info = this.volume.info;
    this.infos.tell(this.info);
    this.setStatus({ phase: "live" });
    this.request();
  }

  setStatus(change: Partial<SessionStatus>): void {
    this.status = { ...this.status, ...change };
    this.statuses.tell(this.status);
  }

  patch(patch: ViewPatch): void {
    this.patches.push(patch);
    this.state = {
      ...patched(this.state, patch, this.volume.info),
      revision: this.state.revision + 1,
    };
    this.states.tell(this.state);
    this.request();
  }

  private request(): void {
    if (this.asked || this.delivery === "hand") return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.deliver();
    });
  }

  /** Draw the newest state and show it. */
  deliver(): void {
    if (!this.info) return;
    const { state } = this;
    const several = state.panes.length > 0;
    const views = shownPanes(state).map((index) => [index, viewOfPane(state, index)] as const);
    const header: FrameHeader = {
      ...headerOf(state),
      flags: FrameFlags.KEY | FrameFlags.EXACT,
      lod: this.status.lod,
      frame_no: ++this.frameNo,
      revision: state.revision,
      timestamp_90k: 0,
      n_panes: 0,
      panes: NO_PANES,
    };
    const old = this.last;
    this.last = several
      ? stacked(header, views, (view) => draw(this.volume, view))
      : { header, image: draw(this.volume, state) };
    this.frames.tell(this.last);
    old?.image.close();
  }

  probe(voxel: readonly [number, number, number]): void {
    queueMicrotask(() =>
      this.values.tell({ voxel, value: this.volume.value(...voxel), labels: [], overlays: [] }),
    );
  }

  retry(): void {
    this.retries++;
  }

  cancel(): void {
    this.setStatus({ phase: "stopped" });
  }

  setVisible(): void {}

  notice(error: SessionError): void {
    this.notices.tell(error);
  }

  onFrame(listener: (frame: Frame) => void, signal: AbortSignal): void {
    this.frames.add(listener, signal);
  }

  onState(listener: (state: ViewState) => void, signal: AbortSignal): void {
    this.states.add(listener, signal);
  }

  onStatus(listener: (status: SessionStatus) => void, signal: AbortSignal): void {
    this.statuses.add(listener, signal);
  }

  onInfo(listener: (info: VolumeInfo) => void, signal: AbortSignal): void {
    this.infos.add(listener, signal);
  }

  onValue(listener: (value: ProbedValue) => void, signal: AbortSignal): void {
    this.values.add(listener, signal);
  }

  onNotice(listener: (error: SessionError) => void, signal: AbortSignal): void {
    this.notices.add(listener, signal);
  }

  lastFrame(): Frame | null {
    return this.last;
  }
}

/** Colours from low to high, as 32 bits of RGBA in memory. */
function tableOf(state: ViewState): Uint32Array {
  if (isContinuous(state.colormap)) return coloursOf({ ...state, reverse: false }, state);
  return Uint32Array.from(stopsOf(state.colormap, state.reverse), (hex) => {
    const rgb = Number.parseInt(hex.slice(1), 16);
    return (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
  });
}

function draw(volume: DevVolume, state: ViewState): ImageBitmap {
  const { width_px: width, height_px: height } = state;
  const pixels = new ImageData(width, height);
  const words = new Uint32Array(pixels.data.buffer);
  const table = tableOf(state);
  const low = state.level - state.window / 2;
  const place = placeSlice(volume.info, state.axis, state);
  const { columnAxis, rowAxis } = place.plane;
  const at: [number, number, number] = [...state.slice_idx];
  const surround = volume.info.kind === "medical" ? 0xff000000 : 0xff110e0c;
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++, o++) {
      const { column, row } = place.toVoxel(x + 0.5, y + 0.5);
      if (
        column < -0.5 ||
        row < -0.5 ||
        column >= place.nColumns - 0.5 ||
        row >= place.nRows - 0.5
      ) {
        words[o] = surround;
        continue;
      }
      at[columnAxis] = state.interpolate ? column : Math.round(column);
      at[rowAxis] = state.interpolate ? row : Math.round(row);
      const share = (volume.value(...at) - low) / state.window;
      words[o] =
        table[Math.min(table.length - 1, Math.max(0, Math.round(share * (table.length - 1))))] ?? 0;
    }
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  return canvas.transferToImageBitmap();
}
