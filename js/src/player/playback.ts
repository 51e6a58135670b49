/** Where a recording is and how it goes on: time, play and pause, speed, steps, chapters. */
import { Listeners } from "../listeners";
import type { CineClock } from "../viewer/cine";
import type { Playable } from "./controls";
import type { Chapter, Timeline } from "./timeline";

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8] as const;

/** A page that was away does not catch up: this much of the clock counts at a time. */
const MOST_MS = 250;

export interface PlaybackHost {
  /** Whether the picture of this time is here, or soon will be: else the time waits for it. */
  mayGoTo(t: number): boolean;
  /** Another time, or another way to go on. `jumped`: not by playing. */
  changed(jumped: boolean): void;
}

export class Playback implements Playable {
  readonly timeline: Timeline;
  readonly #clock: CineClock;
  readonly #host: PlaybackHost;
  readonly #listeners = new Listeners<null>();
  #t = 0;
  #speed = 2;
  #lastMs = 0;
  #cancel: (() => void) | null = null;

  readonly mayDrive = true;
  /** Nobody can see it: the time stands still. */
  isHidden = false;
  /** The kernel is busy: pictures come when it is not. */
  isKernelBusy = false;

  constructor(timeline: Timeline, clock: CineClock, host: PlaybackHost) {
    this.timeline = timeline;
    this.#clock = clock;
    this.#host = host;
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener, signal);
  }

  /** Something that is shown of it is other now. */
  tell(): void {
    this.#listeners.emit(null);
  }

  /** Seconds since the first picture. */
  get t(): number {
    return this.#t;
  }

  get duration(): number {
    return this.timeline.duration;
  }

  get playing(): boolean {
    return this.#cancel !== null;
  }

  get chapters(): readonly Chapter[] {
    return this.timeline.chapters;
  }

  get speed(): number {
    return SPEEDS[this.#speed] ?? 1;
  }

  set speed(speed: number) {
    const found = (SPEEDS as readonly number[]).indexOf(speed);
    if (found < 0) return;
    this.#speed = found;
    this.#changed(false);
  }

  faster(by: 1 | -1): void {
    this.speed = SPEEDS[Math.min(Math.max(this.#speed + by, 0), SPEEDS.length - 1)] ?? 1;
  }

  /** From its end it begins anew. */
  play(): void {
    if (this.playing || this.timeline.pictures === 0) return;
    if (this.#t >= this.duration && !this.timeline.isGrowing) this.#t = 0;
    this.#lastMs = this.#clock.now();
    this.#schedule();
    this.#changed(this.#t === 0);
  }

  pause(): void {
    if (!this.playing) return;
    this.#stop();
    this.#changed(false);
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(t: number): void {
    if (!Number.isFinite(t)) return;
    this.#t = Math.min(Math.max(t, 0), this.duration);
    this.#changed(true);
  }

  /** To the picture before or behind; it stands still there. */
  step(by: 1 | -1): void {
    this.#stop();
    const { timeline } = this;
    const picture = timeline.pictureAt(this.#t);
    const start = timeline.times[picture] ?? 0;
    // From within a rest, back means to where it began.
    const to = by < 0 && this.#t > start + 1e-3 ? picture : picture + by;
    this.seek(to >= timeline.pictures ? this.duration : (timeline.times[Math.max(to, 0)] ?? 0));
  }

  chapter(by: 1 | -1): void {
    this.seek(this.timeline.chapterFrom(this.#t, by));
  }

  close(): void {
    this.#stop();
  }

  #changed(jumped: boolean): void {
    this.#host.changed(jumped);
    this.tell();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(): void {
    this.#cancel = this.#clock.nextFrame(() => this.#tick());
  }

  #tick(): void {
    const now = this.#clock.now();
    const gone = Math.min(now - this.#lastMs, MOST_MS) / 1000;
    this.#lastMs = now;
    const to = Math.min(this.#t + gone * this.speed, this.duration);
    const moves = !this.isHidden && this.#host.mayGoTo(to);
    if (moves) this.#t = to;
    if (moves && to >= this.duration && !this.timeline.isGrowing) this.#cancel = null;
    else this.#schedule();
    if (moves) this.#changed(false);
  }
}
