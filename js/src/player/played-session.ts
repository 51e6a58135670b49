/** A recording as a session: what looks at one shows what was seen, and nothing can be changed. */

import { LiveCall } from "../call/call";
import { supportedPictures } from "../decoder";
import { LiveLabels } from "../labels/link";
import { Listeners } from "../listeners";
import { LiveAnnotations } from "../live-annotations";
import { LiveRecording } from "../live-recording";
import { OwnView } from "../own-view";
import { Palettes } from "../palettes";
import { People } from "../people";
import { Pointing } from "../pointing";
import { FrameFlags, MessageType, type ViewState, type VolumeInfo } from "../protocol";
import type { MessagePort } from "../relay";
import type { Frame, Session, SessionError, SessionStatus } from "../session";
import { FIRST_STATUS, sameValues } from "../status";
import { NOTHING_YET } from "../store";
import { ViewLinks } from "../view-links";
import { browserClock, type CineClock } from "../viewer/cine";
import { EncodedPictures, headersOf } from "./encoded";
import { type Feed, type FeedEvents, VideoFeed } from "./feed";
import { Film, type FilmState, filmText } from "./film";
import { browserBitmap, JpegFeed, type MakeBitmap } from "./jpeg-feed";
import { Playback } from "./playback";
import { doublesOf, Refusal, Source, wordsOf } from "./source";
import { type Chapter, type Happened, Timeline } from "./timeline";
import { runsFrom, Voices, type VoicesOptions } from "./voices";

export interface PlayedOptions {
  readonly clock?: CineClock;
  readonly bitmap?: MakeBitmap;
  /** What this browser can decode, and why not more. */
  readonly pictures?: typeof supportedPictures;
  readonly voices?: VoicesOptions;
}

/** Pictures that are decoded before they are due while it plays. */
const AHEAD = 3;
/** Pictures may be this late, in seconds of the clock, before the time waits for them. */
const MOST_LATE_S = 0.4;
/** An exact picture that would be shown shorter than this is not fetched while it plays. */
const LEAST_REST_S = 0.3;
const GROW_MS = 2000;

const KERNEL_GONE: SessionError = {
  code: "recording",
  message: "The recording cannot be played.",
  hint: "Run the cell again.",
};

function errorOf(reason: unknown): SessionError {
  return reason instanceof Refusal ? reason.error : { ...KERNEL_GONE, hint: String(reason) };
}

export class PlayedSession implements Session {
  readonly palettes = new Palettes();
  readonly pointing = new Pointing();
  readonly people = new People(() => false);
  readonly recording = new LiveRecording(() => false);
  readonly labels = new LiveLabels(() => false);
  readonly ownView = new OwnView(() => false);
  readonly call = new LiveCall({ send: () => false });
  readonly viewLinks = new ViewLinks(() => false);
  readonly annotations = new LiveAnnotations(() => false);
  readonly segmentations = [];
  readonly role = "viewer";
  readonly guestPage = "";
  readonly timeline = new Timeline();
  readonly playback: Playback;
  readonly film: Film;
  readonly voices: Voices;
  readonly #signal: AbortSignal;
  readonly #source: Source;
  readonly #options: Required<PlayedOptions>;
  readonly #sizes: number[] = [];
  readonly #encoded: EncodedPictures;
  readonly #frames = new Listeners<Frame>();
  readonly #states = new Listeners<ViewState>();
  readonly #statuses = new Listeners<SessionStatus>();
  readonly #infos = new Listeners<VolumeInfo>();
  readonly #notices = new Listeners<SessionError>();
  #feed: Feed | null = null;
  #jpegReason: string | null = null;
  #status: SessionStatus = { ...FIRST_STATUS, phase: "opening", worker: "ready", progress: 1 };
  #state: ViewState | null = null;
  #edits = 0;
  #frame: Frame | null = null;
  /** Number of the picture that is shown, and the least that may be shown since the last jump. */
  #shown = -1;
  #floor = 0;
  /** Number of the exact picture that is shown, and of the one that was asked for. */
  #still = -1;
  #askedStill = -1;
  #palettesKnown = 0;
  #isOpen = false;
  #isOpening = false;
  #growing: ReturnType<typeof setTimeout> | undefined;

  constructor(port: MessagePort, signal: AbortSignal, options: PlayedOptions = {}) {
    this.#options = {
      clock: browserClock,
      bitmap: browserBitmap,
      pictures: supportedPictures,
      voices: {},
      ...options,
    };
    this.#signal = signal;
    this.#source = new Source(port, signal, (isBusy) => {
      this.playback.isKernelBusy = isBusy;
      this.playback.tell();
      this.#statuses.emit(this.#status);
    });
    this.#encoded = new EncodedPictures(this.#source, this.timeline, this.#sizes);
    this.playback = new Playback(this.timeline, this.#options.clock, {
      mayGoTo: (t) => this.#mayGoTo(t),
      changed: (jumped) => this.#moved(jumped),
    });
    this.voices = new Voices(runsFrom(this.#source), this.playback, this.#options.voices);
    this.film = new Film(this.#source, signal, (before) => this.#filmChanged(before));
    signal.addEventListener("abort", () => this.stop(), { once: true });
  }

  // ------------------------------------------------------------ life

  /** Somebody looks. */
  start(): void {
    if (this.#signal.aborted) return;
    if (!this.#isOpen) void this.#open();
    else if (!this.#feed) void this.#makeFeed();
  }

  /** Nobody does: pictures are given back, the time stays. */
  stop(): void {
    this.playback.pause();
    clearTimeout(this.#growing);
    this.#growing = undefined;
    this.#feed?.close();
    this.#feed = null;
    this.voices.close();
  }

  setVisible(visible: boolean): void {
    this.playback.isHidden = !visible;
    this.voices.follow();
  }

  retry(): void {
    this.#refresh({ phase: "opening", error: null });
    if (this.#isOpen) {
      this.#feed?.close();
      this.#feed = null;
      void this.#makeFeed();
    } else void this.#open();
  }

  cancel(): void {}
  patch(): void {}
  probe(): void {}

  // ------------------------------------------------------------ what is known

  get state(): ViewState {
    return this.#state ?? NOTHING_YET;
  }

  get info(): VolumeInfo | null {
    return this.#isOpen ? this.timeline.info : null;
  }

  get status(): SessionStatus {
    return this.#status;
  }

  lastFrame(): Frame | null {
    return this.#frame;
  }

  onFrame(listener: (frame: Frame) => void, signal: AbortSignal): void {
    this.#frames.add(listener, signal);
  }

  onState(listener: (state: ViewState) => void, signal: AbortSignal): void {
    this.#states.add(listener, signal);
  }

  onStatus(listener: (status: SessionStatus) => void, signal: AbortSignal): void {
    this.#statuses.add(listener, signal);
  }

  onInfo(listener: (info: VolumeInfo) => void, signal: AbortSignal): void {
    this.#infos.add(listener, signal);
  }

  onValue(): void {}

  onNotice(listener: (error: SessionError) => void, signal: AbortSignal): void {
    this.#notices.add(listener, signal);
  }

  // ------------------------------------------------------------ the file

  async #open(): Promise<void> {
    if (this.#isOpening) return;
    this.#isOpening = true;
    try {
      await this.#learn();
      if (this.#signal.aborted) return;
      this.#isOpen = true;
      if (this.timeline.info) this.#infos.emit(this.timeline.info);
      await this.#makeFeed();
    } catch (reason) {
      this.#failed(reason);
    } finally {
      this.#isOpening = false;
    }
  }

  /** Ask for what is in the file, until all is known. */
  async #learn(): Promise<void> {
    const { timeline } = this;
    for (;;) {
      const { pictures: samples, events } = timeline;
      const places = { samples, events, stills: timeline.stills.length };
      const { content, buffers } = await this.#source.ask("index", places);
      const sizes = wordsOf(buffers[1]);
      // A picture's highest bit says that it decodes alone.
      for (const size of sizes) this.#sizes.push(size % 2 ** 31);
      const chapters = content.chapters as readonly (readonly [number, string])[];
      const speakers = (content.speakers ?? []) as readonly (readonly [string, string, string])[];
      this.voices.speakers = speakers.map(([id, name, color]) => ({ id, name, color }));
      timeline.add({
        times: doublesOf(buffers[0]),
        sizes,
        stills: doublesOf(buffers[2]),
        events: JSON.parse(new TextDecoder().decode(buffers[3])) as Happened[],
        duration: Number(content.duration_s),
        isFinished: content.is_finished === true,
        isGrowing: content.is_growing === true,
        chapters: chapters.map(([t, title]): Chapter => ({ t, title })),
      });
      const isAll =
        timeline.pictures >= Number(content.n_samples) &&
        timeline.stills.length >= Number(content.n_stills) &&
        timeline.events >= Number(content.n_events);
      const isNothing = timeline.pictures === samples && timeline.events === events;
      if (isAll || isNothing || this.#signal.aborted) break;
    }
    for (const palette of timeline.palettes.slice(this.#palettesKnown)) {
      this.palettes.add({ type: MessageType.PALETTE, ...palette });
    }
    this.#palettesKnown = timeline.palettes.length;
  }

  /** While it is still made, there is more of it every second. */
  #grow(): void {
    if (!this.timeline.isGrowing || this.#growing || this.#signal.aborted) return;
    this.#growing = setTimeout(async () => {
      this.#growing = undefined;
      try {
        if (!this.playback.isHidden) await this.#learn();
        this.#moved(false);
        this.playback.tell();
        this.#grow();
      } catch (reason) {
        this.#failed(reason);
      }
    }, GROW_MS);
  }

  async #makeFeed(): Promise<void> {
    if (this.#jpegReason === null) {
      const { pictures, reason } = await this.#options.pictures();
      this.#jpegReason = pictures.includes("h264") ? "" : reason;
    }
    if (this.#signal.aborted || this.#feed) return;
    const events = this.#feedEvents();
    this.#feed = this.#jpegReason
      ? new JpegFeed(this.#source, this.timeline, events, this.#options.bitmap)
      : new VideoFeed(this.timeline, this.#encoded, events);
    const codec = this.#jpegReason ? "jpeg" : "h264";
    this.#refresh({ codec, reason: this.#jpegReason });
    this.#moved(true);
    this.playback.tell();
    this.#grow();
  }

  #feedEvents(): FeedEvents {
    return {
      progress: () => this.#moved(false),
      damaged: (picture) => this.#damaged(picture),
      failed: (reason) => this.#failed(reason),
      unusable: (reason) => {
        this.#jpegReason = reason;
        this.#feed?.close();
        this.#feed = null;
        void this.#makeFeed();
      },
    };
  }

  #filmChanged({ phase }: FilmState): void {
    const { state } = this.film;
    if (state.phase === "failed") {
      this.#notices.emit({ code: "recording", message: state.message, hint: state.hint });
    } else if (state.phase === "done" && phase === "on") {
      this.#notices.emit({ code: "", message: filmText(state), hint: `In ${state.folder}` });
    }
    this.playback.tell();
  }

  #damaged(picture: number): void {
    const next = this.timeline.keyAfter(picture);
    const isEnd = next >= this.timeline.pictures;
    const message = "Pictures of the recording are damaged.";
    const hint = isEnd ? "Nothing behind them can be shown." : "It goes on at the next whole one.";
    this.#notices.emit({ code: "recording", message, hint });
  }

  #failed(reason: unknown): void {
    if (this.#signal.aborted) return;
    this.playback.pause();
    this.#refresh({ phase: "failed", error: errorOf(reason) });
  }

  // ------------------------------------------------------------ the time

  /** The time waits for a picture that is late: none is left out that could be shown. */
  #mayGoTo(t: number): boolean {
    const picture = this.timeline.pictureAt(t);
    if (picture <= this.#shown || !this.#feed || this.#feed.isLost(picture)) return true;
    const due = this.timeline.times[Math.max(this.#shown, this.#floor) + 1] ?? t;
    if (this.#shown < this.#floor && !this.#feed.isLost(this.#floor)) return false;
    return t - due <= MOST_LATE_S * this.playback.speed || this.#feed.isLost(picture - 1);
  }

  #moved(jumped: boolean): void {
    if (!this.#isOpen || this.#signal.aborted) return;
    const { timeline, playback } = this;
    const picture = timeline.pictureAt(playback.t);
    if (jumped) {
      this.#floor = picture;
      if (picture !== this.#shown) this.#shown = -1;
    }
    this.#feed?.want(picture, playback.playing ? AHEAD : 0);
    this.#follow(playback.t);
    const taken = this.#feed?.take(Math.max(this.#floor, this.#shown + 1), picture);
    if (taken) {
      this.#shown = taken.picture;
      this.#still = -1;
      this.#show(taken.frame);
    }
    this.#showStill(picture);
    this.voices.follow();
  }

  /** State, pointers and annotations of the time. */
  #follow(t: number): void {
    this.people.play(this.timeline.pointersAt(t));
    const state = this.timeline.stateAt(t);
    if (state && state !== this.#state) {
      this.#state = state;
      this.#states.emit(state);
    }
    const edits = this.timeline.editsUntil(t);
    if (edits === this.#edits) return;
    const changes = this.timeline.changesBetween(this.#edits, edits);
    this.#edits = edits;
    const made = { seq: 0, can_undo: false, can_redo: false, revision: 0, more: false };
    this.annotations.received({ ...made, ...changes });
  }

  #show(frame: Frame): void {
    const before = this.#frame;
    this.#frame = frame;
    if (this.#status.phase !== "live") this.#refresh({ phase: "live", error: null });
    this.#frames.emit(frame);
    before?.image.close();
    const { flags, lod } = frame.header;
    const exact = (flags & FrameFlags.STILL) !== 0 && (flags & FrameFlags.EXACT) !== 0;
    this.#refresh({ exact, lod });
  }

  /** Where the view rested there is the exact picture. */
  #showStill(picture: number): void {
    const { playback, timeline } = this;
    const still = timeline.stillAt(playback.t);
    if (still < 0 || picture !== this.#shown || still === this.#still) return;
    const lasts = timeline.restAfter(timeline.stills[still] ?? 0) / playback.speed;
    if (still === this.#askedStill || (playback.playing && lasts < LEAST_REST_S)) return;
    this.#askedStill = still;
    void this.#fetchStill(still).finally(() => {
      if (this.#askedStill === still) this.#askedStill = -1;
    });
  }

  async #fetchStill(still: number): Promise<void> {
    try {
      const { content, buffers } = await this.#source.ask("still", { at: still });
      const [header] = headersOf(buffers[1], content.header_bytes);
      if (!header || !buffers[0]) return;
      const image = await this.#options.bitmap(buffers[0], "image/png");
      const { t } = this.playback;
      const isDue =
        this.timeline.stillAt(t) === still && this.timeline.pictureAt(t) === this.#shown;
      if (!isDue || !this.#feed) {
        image.close();
        return;
      }
      this.#still = still;
      this.#show({ header, image });
    } catch {
      // The video shows the same, less exactly.
      this.#still = still;
    }
  }

  #refresh(change: Partial<SessionStatus>): void {
    const status = { ...this.#status, ...change };
    if (sameValues(status, this.#status)) return;
    this.#status = status;
    this.#statuses.emit(status);
  }
}
