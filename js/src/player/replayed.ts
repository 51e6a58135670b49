/** The voices of a recording that happens again in this view: the kernel replays it, and tells the time. */
import type { MessagePort } from "../relay";
import type { SessionError } from "../session";
import { Source } from "./source";
import { type Played, Voices, type VoicesOptions } from "./voices";

/** What the kernel says twice a second, and when something changes. */
interface Told {
  readonly kind: "replay";
  /** Of the replay: the next one has a higher number. */
  readonly n: number;
  /** Seconds of the recording. */
  readonly t: number;
  readonly speed: number;
  readonly playing: boolean;
  /** How often somebody went to another time. */
  readonly jumps: number;
  readonly over: boolean;
  readonly duration: number;
  readonly speakers: readonly (readonly [id: string, name: string, color: string])[];
}

export interface ReplayedOptions {
  say(notice: SessionError): void;
  readonly voices?: VoicesOptions;
}

/** A kernel that runs a cell tells nothing, and the view stands still. */
const STALE_MS = 1200;
/** A word may be on its way so much longer than others, in seconds: the time goes on as before. */
const LATE_S = 0.4;
/** So many words in a row that are late say that the view is: by as much as the least of them. */
const LATE_WORDS = 4;
const APART_S = 0.1;
const LOOK_MS = 100;

function toldOf(content: unknown): Told | null {
  const told = (content ?? {}) as Partial<Told>;
  return told.kind === "replay" && typeof told.n === "number" ? (told as Told) : null;
}

/** The time of a replay, between two words of the kernel. */
class ReplayClock implements Played {
  readonly timeline = { isGrowing: false };
  #told: Told;
  #at = { t: 0, ms: 0 };
  #toldMs = performance.now();
  #lates: number[] = [];

  constructor(told: Told) {
    this.#told = told;
    this.#at = { t: told.t, ms: this.#toldMs };
  }

  take(told: Told): void {
    const before = this.t;
    const { playing, speed, jumps } = this.#told;
    const isOther = told.playing !== playing || told.speed !== speed || told.jumps !== jumps;
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

  get t(): number {
    const { playing, speed, duration } = this.#told;
    if (!playing) return this.#at.t;
    const until = Math.min(performance.now(), this.#toldMs + STALE_MS);
    return Math.min(this.#at.t + (Math.max(0, until - this.#at.ms) / 1000) * speed, duration);
  }

  get playing(): boolean {
    return this.#told.playing;
  }

  get speed(): number {
    return this.#told.speed;
  }

  get duration(): number {
    return this.#told.duration;
  }

  get isHidden(): boolean {
    return document.visibilityState === "hidden";
  }

  tell(): void {}
}

interface Heard {
  readonly n: number;
  readonly clock: ReplayClock;
  readonly voices: Voices;
}

/** Play the voices of whatever is replayed in a notebook's viewer, until the signal ends. */
export function playReplays(
  port: MessagePort,
  signal: AbortSignal,
  options: ReplayedOptions,
): void {
  const source = new Source(port, signal);
  let heard: Heard | null = null;
  let last = 0;
  let timer: ReturnType<typeof setInterval> | undefined;

  const end = (): void => {
    clearInterval(timer);
    timer = undefined;
    heard?.voices.close();
    heard = null;
  };

  const begin = (told: Told): Heard => {
    end();
    const clock = new ReplayClock(told);
    const voices = new Voices(source, clock, options.voices);
    voices.speakers = told.speakers.map(([id, name, color]) => ({ id, name, color }));
    if (voices.trouble) options.say({ code: "", message: voices.trouble, hint: "" });
    timer = setInterval(() => voices.follow(), LOOK_MS);
    return { n: told.n, clock, voices };
  };

  const receive = (content: unknown): void => {
    const told = toldOf(content);
    // What a replay said last may come behind the first words of the next one.
    if (!told || told.n < last) return;
    last = told.n;
    if (told.over) {
      end();
      return;
    }
    if (heard?.n === told.n) heard.clock.take(told);
    else heard = begin(told);
    heard.voices.follow();
  };

  port.on("msg:custom", receive);
  const stop = (): void => {
    port.off("msg:custom", receive);
    end();
  };
  signal.addEventListener("abort", stop, { once: true });
}
