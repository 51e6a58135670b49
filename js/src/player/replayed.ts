/** A recording that happens again in this view: the kernel replays it, and tells where it is. */
import { bytesOf } from "../base64";
import { Listeners } from "../listeners";
import {
  type DriveReplay,
  MessageType,
  type ReplayAbout,
  type ReplayState,
  type Said,
  type WantSaid,
} from "../protocol";
import type { SessionError } from "../session";
import { CALM_MS } from "../viewer/part";
import { RateLimit } from "../viewer/rate";
import type { Playable } from "./controls";
import { SPEEDS } from "./playback";
import { type Chapter, chapterFrom } from "./timeline";
import { type FetchRuns, type Played, type Run, Voices, type VoicesOptions } from "./voices";

export interface ReplayedOptions {
  /** By the reliable link; false if there is none. */
  send(message: DriveReplay | WantSaid): boolean;
  say(notice: SessionError): void;
  mayDrive(): boolean;
  readonly voices?: VoicesOptions | undefined;
}

/** A kernel that runs a cell tells nothing for a while, and the view stands still. */
const STALE_MS = 1200;
/** A word may be on its way so much longer than others, in seconds: the time goes on as before. */
const LATE_S = 0.4;
/** So many words in a row that are late say that the view is: by as much as the least of them. */
const LATE_WORDS = 4;
const APART_S = 0.1;
const LOOK_MS = 100;
/** A time that was sought and that nobody confirms is given up. */
const SOUGHT_MS = 3000;
/** A replay that goes on is told with the first words of a connection. */
const TOLD_MS = 2000;

/** The time of a replay, between two words of the kernel. */
class ReplayClock implements Played {
  readonly timeline = { isGrowing: false };
  /** A time that this page went to, until the replay is there; nothing is heard until then. */
  sought: number | null = null;
  /** Nobody tells where it is. */
  isLost = false;
  #told: ReplayState;
  #at: { t: number; ms: number };
  #toldMs = performance.now();
  #lates: number[] = [];

  /** @param tell something that is shown of it is other now */
  constructor(
    told: ReplayState,
    readonly duration: number,
    readonly tell: () => void,
  ) {
    this.#told = told;
    this.#at = { t: told.t, ms: this.#toldMs };
  }

  get told(): ReplayState {
    return this.#told;
  }

  take(told: ReplayState): void {
    const before = this.#t;
    const { playing, waits, speed, jumps } = this.#told;
    const isOther =
      told.playing !== playing ||
      told.waits !== waits ||
      told.speed !== speed ||
      told.jumps !== jumps;
    const lateS = (before - told.t) / told.speed;
    this.#lates = [...this.#lates, lateS].slice(-LATE_WORDS);
    const least = Math.min(...this.#lates);
    const isLate = this.#lates.length === LATE_WORDS && least > APART_S;
    const isTaken = isOther || lateS < 0 || lateS > LATE_S;
    if (isTaken || isLate) this.#lates = [];
    this.#toldMs = performance.now();
    this.#at = { t: before, ms: this.#toldMs };
    if (isTaken) this.#at.t = told.t;
    else if (isLate) this.#at.t = before - least * told.speed;
    this.#told = told;
  }

  get #t(): number {
    const { speed } = this.#told;
    if (!this.playing) return this.#at.t;
    const until = Math.min(performance.now(), this.#toldMs + STALE_MS);
    const gone = Math.max(0, until - this.#at.ms) / 1000;
    return Math.min(this.#at.t + gone * speed, this.duration);
  }

  get t(): number {
    return this.sought ?? this.#t;
  }

  get playing(): boolean {
    return this.#told.playing && !this.#told.waits && !this.isLost;
  }

  get speed(): number {
    return this.#told.speed;
  }

  get isHidden(): boolean {
    return this.sought !== null || document.visibilityState === "hidden";
  }
}

/** One replay, from its first word to its last. */
interface Running {
  readonly clock: ReplayClock;
  readonly voices: Voices;
  about: ReplayAbout;
  chapters: readonly Chapter[];
}

interface Waiting {
  resolve(runs: readonly Run[]): void;
  reject(reason: Error): void;
}

/** Whether it is the replay that is known: another kernel counts from the first again. */
function isSame(known: ReplayAbout, told: ReplayAbout | null): boolean {
  return !told || (told.name === known.name && told.duration_s === known.duration_s);
}

export class Replayed implements Playable {
  readonly #options: ReplayedOptions;
  readonly #listeners = new Listeners<void>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #seeks = new RateLimit(CALM_MS, () => this.#sendSought());
  #run: Running | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** How many jumps the replay has made when all that were sent are done. */
  #jumps = 0;
  #soughtMs = 0;
  /** A time was sought that is not sent yet. */
  #isUnsent = false;
  #backTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ReplayedOptions) {
    this.#options = options;
  }

  // ------------------------------------------------------------ what the server says

  received(told: ReplayState): void {
    const run = this.#run;
    if (told.over) {
      this.#end();
      return;
    }
    clearTimeout(this.#backTimer);
    if (run && run.clock.told.n === told.n && isSame(run.about, told.about)) {
      if (run.clock.isLost) this.#jumps = told.jumps;
      run.clock.isLost = false;
      run.clock.take(told);
      // What confirms an older time comes while the newest one of a drag waits to be sent.
      if (told.jumps >= this.#jumps && !this.#isUnsent) this.#arrive();
    } else if (told.about) this.#begin(told, told.about);
    this.#run?.voices.follow();
    this.#tell();
  }

  said({ n, piece, runs, refused }: Said): void {
    const waiting = n === this.#run?.clock.told.n ? this.#waiting.get(piece) : undefined;
    if (!waiting) return;
    this.#waiting.delete(piece);
    if (refused) waiting.reject(new Error(refused));
    else {
      waiting.resolve(
        runs.map(({ who, at, packets }) => ({ who, at, packets: packets.map(bytesOf) })),
      );
    }
  }

  /** The connection is gone: whether it goes on is not known, and said again with the next one. */
  lost(): void {
    const run = this.#run;
    clearTimeout(this.#backTimer);
    if (!run) return;
    this.#hold();
    run.clock.isLost = true;
    run.clock.sought = null;
    run.voices.follow();
    this.#tell();
  }

  /** There is a connection again: what it does not tell of is over. */
  welcomed(): void {
    if (this.#run?.clock.isLost) this.#backTimer = setTimeout(() => this.#end(), TOLD_MS);
  }

  /** Nothing is shown or heard of it any more. */
  close(): void {
    this.#end();
  }

  #begin(told: ReplayState, about: ReplayAbout): void {
    this.#drop();
    const clock = new ReplayClock(told, about.duration_s, () => this.#tell());
    const voices = new Voices(this.#fetch, clock, this.#options.voices);
    voices.speakers = about.speakers.map(([id, name, color]) => ({ id, name, color }));
    if (voices.trouble && voices.speakers.length > 0) {
      voices.trouble = "This browser plays no voices"; // a film is the player's to save
      this.#options.say({ code: "", message: voices.trouble, hint: "" });
    }
    const chapters = about.chapters.map(([t, title]) => ({ t, title }));
    this.#run = { clock, voices, about, chapters };
    this.#jumps = told.jumps;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  #end(): void {
    const was = this.#run;
    this.#drop();
    if (was) this.#tell();
  }

  #drop(): void {
    clearTimeout(this.#backTimer);
    clearInterval(this.#timer);
    this.#hold();
    this.#run?.voices.close();
    this.#run = null;
  }

  /** Nothing is sent or waited for. */
  #hold(): void {
    this.#seeks.cancel();
    this.#isUnsent = false;
    for (const { reject } of this.#waiting.values()) reject(new Error("lost"));
    this.#waiting.clear();
  }

  #look(): void {
    if (this.#run?.clock.sought != null && performance.now() - this.#soughtMs > SOUGHT_MS) {
      this.#arrive();
    }
    this.#run?.voices.follow();
    if (this.#run?.clock.playing) this.#tell();
  }

  readonly #fetch: FetchRuns = (piece) =>
    new Promise((resolve, reject) => {
      const n = this.#run?.clock.told.n ?? 0;
      this.#waiting.set(piece, { resolve, reject });
      if (!this.#options.send({ type: MessageType.WANT_SAID, n, piece })) reject(new Error("lost"));
    });

  #tell(): void {
    this.#listeners.emit();
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener, signal);
  }

  // ------------------------------------------------------------ what is shown of it

  get isOn(): boolean {
    return this.#run !== null;
  }

  /** The file's name. */
  get name(): string {
    return this.#run?.about.name ?? "";
  }

  get t(): number {
    return this.#run?.clock.t ?? 0;
  }

  get duration(): number {
    return this.#run?.clock.duration ?? 0;
  }

  get playing(): boolean {
    return this.#run?.clock.told.playing ?? false;
  }

  /** The notebook's kernel runs a cell: it goes on behind that. */
  get waits(): boolean {
    return this.#run?.clock.told.waits ?? false;
  }

  get chapters(): readonly Chapter[] {
    return this.#run?.chapters ?? [];
  }

  get voices(): Voices | null {
    return this.#run?.voices ?? null;
  }

  /** There is no connection; whether it goes on is not known. */
  get isLost(): boolean {
    return this.#run?.clock.isLost ?? false;
  }

  get mayDrive(): boolean {
    return !this.isLost && this.#options.mayDrive();
  }

  // ------------------------------------------------------------ what its user does

  get speed(): number {
    return this.#run?.clock.speed ?? 1;
  }

  set speed(speed: number) {
    this.#drive({ speed });
  }

  faster(by: 1 | -1): void {
    const { speed } = this;
    const next =
      by > 0 ? SPEEDS.find((each) => each > speed) : SPEEDS.findLast((each) => each < speed);
    if (next !== undefined) this.speed = next;
  }

  toggle(): void {
    this.#drive({ playing: !this.playing });
  }

  seek(t: number): void {
    if (!this.#run || !this.mayDrive || !Number.isFinite(t)) return;
    this.#run.clock.sought = Math.min(Math.max(t, 0), this.duration);
    this.#soughtMs = performance.now();
    this.#isUnsent = true;
    this.#seeks.request();
    this.#run.voices.follow();
    this.#tell();
  }

  chapter(by: 1 | -1): void {
    this.seek(chapterFrom(this.chapters, this.t, by) ?? this.duration);
  }

  end(): void {
    this.#drive({ end: true });
  }

  #sendSought(): void {
    this.#isUnsent = false;
    const t = this.#run?.clock.sought;
    if (t == null) return;
    this.#jumps = Math.max(this.#jumps, this.#run?.clock.told.jumps ?? 0) + 1;
    this.#drive({ t });
  }

  /** The replay is where it was sent to. */
  #arrive(): void {
    this.#jumps = this.#run?.clock.told.jumps ?? 0;
    if (this.#run) this.#run.clock.sought = null;
  }

  #drive(change: Partial<DriveReplay>): void {
    if (!this.#run || !this.mayDrive) return;
    this.#options.send({ type: MessageType.DRIVE_REPLAY, n: this.#run.clock.told.n, ...change });
  }
}
