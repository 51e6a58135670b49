/** What a view sees of the widget's connection: one `Session` per widget model, shared by its views. */
import type { AnnotationStore } from "./annotations/store";
import type { AnnotationLink, HorizonLink } from "./annotations/types";
import type { LiveCall } from "./call/call";
import type { LabelLink } from "./labels/link";
import type { RecordingLink } from "./live-recording";
import type { OwnView } from "./own-view";
import type { Palettes } from "./palettes";
import type { People } from "./people";
import type { Film } from "./player/film";
import type { Playback } from "./player/playback";
import type { Replayed } from "./player/replayed";
import type { Voices } from "./player/voices";
import type { Pointing } from "./pointing";
import type {
  FrameHeader,
  LoadedSlices,
  SegmentationInfo,
  ViewPatch,
  ViewState,
  VolumeInfo,
} from "./protocol";
import type { ViewLinks } from "./view-links";

/**
 * A picture to show. Draw it during the callback; the session owns `image`, keeps the newest one for
 * `lastFrame()` and closes it when the next has been shown.
 */
export interface Frame {
  readonly header: FrameHeader;
  readonly image: VideoFrame | ImageBitmap;
  /** When its last byte was there, by the clock of who took it; undefined where nobody knows. */
  readonly thereMs?: number | undefined;
}

/**
 * - `connecting`: no path to the server has answered yet
 * - `opening`: connected, the volume or the first picture is not there yet
 * - `live`: pictures come
 * - `reconnecting`: it was live, the connection broke, `retryInMs` counts to the next try
 * - `failed`: `error` says why there is nothing to show; `retry()` tries again
 * - `stopped`: the user would not wait for the first picture; `retry()` begins again
 * - `ended`: the session was closed and does not come back
 */
export type Phase =
  | "connecting"
  | "opening"
  | "live"
  | "reconnecting"
  | "failed"
  | "stopped"
  | "ended";

export type TransportName = "" | "websocket" | "webrtc" | "comm";

export interface SessionError {
  /** Stable, for example "volume-not-found". */
  readonly code: string;
  readonly message: string;
  /** What to do next; may be empty. */
  readonly hint: string;
}

export interface SessionStatus {
  readonly phase: Phase;
  /** The path that pictures come by. */
  readonly transport: TransportName;
  /** Who carries the messages: nobody ("direct"), Jupyter's "proxy" or the "kernel"; "" = not known. */
  readonly via: string;
  /** Why this path and no better one; empty while the best is used. */
  readonly reason: string;
  /** Why pictures in motion are smaller or fewer than they could be; empty while they are not. */
  readonly heldBack: string;
  /** The server's encoder, for example "libx264". */
  readonly encoder: string;
  /** For example "h264" or "jpeg". */
  readonly codec: string;
  /** Pictures shown in the last second. */
  readonly displayedFps: number;
  /** Input to shown picture, median of the last seconds; 0 while nothing was measured. */
  readonly latencyMs: number;
  /** Coarsest level of detail in the shown picture. */
  readonly lod: number;
  /** Share of the wanted data that is here, 0 to 1. */
  readonly progress: number;
  /** Why no more of it comes at the moment, for example a network that is gone; "" while it does. */
  readonly trouble: string;
  /** Exact pixels are shown: full detail, lossless. */
  readonly exact: boolean;
  /** The worker: "starting", "opening", "ready", "restarting", "failed", "idle"; "" while unknown. */
  readonly worker: string;
  readonly viewers: number;
  /** Slices that are in memory as sharp as the view wants them. */
  readonly loaded: LoadedSlices;
  /** Until the next attempt, while `phase` is "reconnecting" or "connecting"; 0 while one is under way. */
  readonly retryInMs: number;
  /** There is a server, which waits for the notebook: only that can open the volume. */
  readonly isNotebookBusy: boolean;
  readonly error: SessionError | null;
}

/** Value of a probed voxel; null where there is no data. */
export interface ProbedValue {
  readonly voxel: readonly [number, number, number];
  readonly value: number | null;
  /** Labels that are drawn over it: name of the segmentation, label. */
  readonly labels: readonly (readonly [string, number])[];
  /** Values of the overlays over it, as they are drawn; null where there is none. */
  readonly overlays: readonly (readonly [string, number | null])[];
}

export interface Session {
  /** Includes patches that the server has not acknowledged yet. */
  readonly state: ViewState;
  /** Null until the volume is open. */
  readonly info: VolumeInfo | null;
  readonly status: SessionStatus;
  /** Colours that the user brought. */
  readonly palettes: Palettes;
  /** What is known of the labels that lie over the slices; `state.segmentations` says how they look. */
  readonly segmentations: readonly SegmentationInfo[];
  /** "owner", "editor", "annotator", "viewer"; "" before the server has answered. */
  readonly role: string;
  /** The way of annotations to the server and back. */
  readonly annotations: AnnotationLink & {
    readonly store: AnnotationStore;
    readonly horizons: HorizonLink;
  };

  /** The way of edits of labels to the server and back. */
  readonly labels: LabelLink;

  /** Whether what is seen is recorded. */
  readonly recording: RecordingLink;

  /** Of a recording that is played: where it is and how it goes on. */
  readonly playback?: Playback;

  /** A recording that happens again in the view. */
  readonly replay?: Replayed;

  /** Of a recording that is played: who is heard. */
  readonly voices?: Voices;

  /** Of a recording that is played: a film for any player. */
  readonly film?: Film;

  /** Who else is here, their pointers, what they say. */
  readonly people: People;

  /** Whether this page follows, or looks around on its own. */
  readonly ownView: OwnView;

  /** The people who talk to each other, and this page's part in it. */
  readonly call: LiveCall;

  /** Views as text, to copy and to open. */
  readonly viewLinks: ViewLinks;

  /** Where guests would find the view; "" where that is not known, or not this page's to say. */
  readonly guestPage: string;

  /** Where pointers are, here and in linked views. */
  readonly pointing: Pointing;

  /** Change the view. Absolute values; seen in `state` at once, sent once per animation frame. */
  patch(patch: ViewPatch): void;
  /** Ask for the value of a voxel; the newest question wins, `onValue` gets the answer. */
  probe(voxel: readonly [number, number, number]): void;
  /** Try to connect now, after `failed` or while `reconnecting`. */
  retry(): void;
  /** Wait no longer for the first picture: close the connection, stay `stopped` until `retry()`. */
  cancel(): void;
  /** False while no view of this session can be seen: then no pictures come. */
  setVisible(visible: boolean): void;

  onFrame(listener: (frame: Frame) => void, signal: AbortSignal): void;
  onState(listener: (state: ViewState) => void, signal: AbortSignal): void;
  onStatus(listener: (status: SessionStatus) => void, signal: AbortSignal): void;
  onInfo(listener: (info: VolumeInfo) => void, signal: AbortSignal): void;
  onValue(listener: (value: ProbedValue) => void, signal: AbortSignal): void;
  /** An error that took nothing away, for example a refused change: show it for a moment. */
  onNotice(listener: (error: SessionError) => void, signal: AbortSignal): void;

  /** The picture shown now, so that a new view need not wait for one. Valid until the next frame. */
  lastFrame(): Frame | null;
}
