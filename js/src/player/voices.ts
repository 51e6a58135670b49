/** The voices of a recording, in step with its picture: fetched, decoded and played piece by piece. */
import { PIECE_MS } from "../protocol";
import type { Source } from "./source";

/** What they are in step with; `Playback` is one. */
export interface Played {
  /** Seconds since the first picture. */
  readonly t: number;
  readonly duration: number;
  readonly playing: boolean;
  readonly isHidden: boolean;
  readonly speed: number;
  readonly timeline: { readonly isGrowing: boolean };
  /** Something that is shown of it is other now. */
  tell(): void;
}

export interface Speaker {
  readonly id: string;
  readonly name: string;
  readonly color: string;
}

/** Packets of one voice, without a gap. */
export interface Run {
  readonly who: string;
  /** When the first begins, in seconds of the recording. */
  readonly at: number;
  readonly packets: readonly Uint8Array[];
}

/** One voice for `PIECE_S` seconds. */
export interface Piece {
  readonly who: string;
  readonly samples: Float32Array<ArrayBuffer>;
}

/** What is said in the piece of this number, and just before. */
export type FetchRuns = (piece: number) => Promise<readonly Run[]>;

export type Decode = (runs: readonly Run[], from: number) => Promise<readonly Piece[]>;

export interface VoicesOptions {
  readonly decode?: Decode;
  readonly context?: () => AudioContext;
}

export const RATE_HZ = 48_000;
export const PIECE_S = PIECE_MS / 1000;
/** Pieces that are kept: what is heard, the next one, and those just before. */
const MOST_KEPT = 6;
/** What was said comes so much behind the end of a recording that is still made, in seconds. */
const BEHIND_S = 1.5;
/** Voices may be this far from the picture, in seconds. */
const MOST_APART_S = 0.12;
const LOOK_MS = 100;
/** A decoded voice comes late by so many samples (Opus, as it is coded here). */
const LOOKAHEAD = 312;
const PACKET_US = 20_000;
/** A page that may play sound does so after this long. */
const HELD_MS = 500;
/** So long a browser may take to begin with sound. */
const STARTS_MS = 5000;
/** What could not be got is asked for again after this long. */
const AGAIN_MS = 1000;
/** Faster or slower nobody is understood. */
const HEARD = { from: 0.5, to: 2 };

interface Sounding {
  readonly source: AudioBufferSourceNode;
  readonly piece: number;
}

interface Known {
  /** Until when all that was said was in the recording as it was asked for. */
  readonly until: number;
  readonly made: readonly Piece[] | null;
  readonly isComing: boolean;
}

export class Voices {
  speakers: readonly Speaker[] = [];
  /** Why nothing is heard; "" if something can be. */
  trouble = "";
  /** The browser plays no sound before somebody pressed something on this page. */
  isHeldBack = false;
  #heldMs: number | null = null;
  readonly #fetchRuns: FetchRuns;
  readonly #playback: Played;
  readonly #decode: Decode;
  readonly #makeContext: () => AudioContext;
  readonly #muted = new Set<string>();
  /** By number of the piece. */
  readonly #pieces = new Map<number, Known>();
  readonly #gains = new Map<string, GainNode>();
  #context: AudioContext | null = null;
  #sounding: Sounding[] = [];
  /** When in the context's time which time of the recording is heard, and how fast. */
  #begun: { at: number; t: number; speed: number } | null = null;
  /** The time at the last look; null while it was not played. */
  #looked: number | null = null;
  #resumedMs = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(fetchRuns: FetchRuns, playback: Played, options: VoicesOptions = {}) {
    this.#fetchRuns = fetchRuns;
    this.#playback = playback;
    this.#decode = options.decode ?? decodeOpus;
    this.#makeContext = options.context ?? (() => new AudioContext({ sampleRate: RATE_HZ }));
    if (!options.decode && typeof AudioDecoder === "undefined") {
      this.trouble = "This browser plays no voices: save a film to hear them.";
    }
  }

  isMuted(who: string): boolean {
    return this.#muted.has(who);
  }

  setMuted(who: string, on: boolean): void {
    if (on) this.#muted.add(who);
    else this.#muted.delete(who);
    const gain = this.#gains.get(who);
    if (gain) gain.gain.value = on ? 0 : 1;
    this.#playback.tell();
  }

  /** At the speed that was chosen, voices can be understood. */
  get isHeard(): boolean {
    const { speed } = this.#playback;
    return speed >= HEARD.from && speed <= HEARD.to;
  }

  /** The time went on, or jumped, or something else of the playing is other now. */
  follow(): void {
    const { playing, isHidden, speed, t } = this.#playback;
    if (!playing || isHidden || !this.isHeard || this.trouble || this.speakers.length === 0) {
      this.#hold(false);
      this.#silence();
      this.#looked = null;
      return;
    }
    this.#context ??= this.#makeContext();
    const isHeld = this.#context.state !== "running";
    this.#hold(isHeld);
    if (isHeld) {
      this.#silence();
      this.#resume(this.#context);
      return;
    }
    const stands = t === this.#looked;
    this.#looked = t;
    const { currentTime } = this.#context;
    const heard = this.#begun && this.#begun.t + (currentTime - this.#begun.at) * speed;
    const isOther = this.#begun !== null && speed !== this.#begun.speed;
    if (heard === null || isOther || Math.abs(heard - t) > MOST_APART_S) {
      this.#silence();
      // The picture waits: what was heard would be heard again and again.
      if (stands && !isOther) return;
      this.#begun = { at: currentTime, t, speed };
    }
    this.#timer ??= setInterval(() => this.follow(), LOOK_MS);
    const piece = Math.floor(t / PIECE_S);
    this.#play(piece);
    this.#play(piece + 1);
  }

  close(): void {
    this.#end();
    this.#pieces.clear();
  }

  /**
   * Have them heard, now that somebody pressed something; false: sound does not start. Without anything to
   * play by, Firefox's contexts never do, and say nothing.
   */
  async allow(): Promise<boolean> {
    const context = this.#context;
    if (!context) return true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STARTS_MS);
    });
    await Promise.race([context.resume().catch(() => {}), late]);
    clearTimeout(timer);
    if (this.#context !== context) return true; // nobody waits for this one any more
    if (context.state !== "running") this.#end();
    this.follow();
    return context.state === "running";
  }

  /** The next one may be let start, or find a speaker. */
  #end(): void {
    this.#silence();
    this.#gains.clear();
    void this.#context?.close();
    this.#context = null;
  }

  #hold(isHeld: boolean): void {
    const now = performance.now();
    this.#heldMs = isHeld ? (this.#heldMs ?? now) : null;
    // Every context takes a moment to begin.
    const isLong = this.#heldMs !== null && now - this.#heldMs >= HELD_MS;
    if (isLong === this.isHeldBack) return;
    this.isHeldBack = isLong;
    this.#playback.tell();
  }

  /** The browser holds sound back, until somebody presses something or another program ends. */
  #resume(context: AudioContext): void {
    const now = performance.now();
    if (now - this.#resumedMs < LOOK_MS) return;
    this.#resumedMs = now;
    context.resume().catch(() => {});
  }

  #silence(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#begun = null;
    for (const { source } of this.#sounding) source.stop();
    this.#sounding = [];
  }

  /** Have a piece heard at its time, once it is here. */
  #play(piece: number): void {
    const from = piece * PIECE_S;
    const { duration } = this.#playback;
    if (from >= duration) return;
    const known = this.#pieces.get(piece);
    const isWhole = known && known.until >= from + PIECE_S;
    if (!isWhole && !known?.isComing && this.#until !== known?.until) void this.#fetch(piece);
    const context = this.#context;
    const begun = this.#begun;
    if (!known?.made || !context || !begun) return;
    if (this.#sounding.some((sounding) => sounding.piece === piece)) return;
    const now = begun.t + (context.currentTime - begun.at) * begun.speed;
    const gone = Math.max(0, now - from);
    if (gone >= PIECE_S) return;
    const when = context.currentTime + Math.max(0, from - now) / begun.speed;
    for (const { who, samples } of known.made) {
      const buffer = context.createBuffer(1, samples.length, RATE_HZ);
      buffer.copyToChannel(samples, 0);
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.playbackRate.value = begun.speed;
      source.connect(this.#gainOf(who, context));
      source.start(when, gone);
      const sounding = { source, piece };
      source.onended = () => {
        source.disconnect();
        this.#sounding = this.#sounding.filter((other) => other !== sounding);
      };
      this.#sounding.push(sounding);
    }
  }

  #gainOf(who: string, context: AudioContext): GainNode {
    const known = this.#gains.get(who);
    if (known) return known;
    const gain = context.createGain();
    gain.gain.value = this.#muted.has(who) ? 0 : 1;
    gain.connect(context.destination);
    this.#gains.set(who, gain);
    return gain;
  }

  /** Until when all that was said can be had by now. */
  get #until(): number {
    const { duration, timeline } = this.#playback;
    return timeline.isGrowing ? duration - BEHIND_S : Number.POSITIVE_INFINITY;
  }

  async #fetch(piece: number): Promise<void> {
    const until = this.#until;
    const before = this.#pieces.get(piece);
    // One that grew is asked for anew; meanwhile what is known is heard.
    this.#pieces.delete(piece);
    this.#pieces.set(piece, { until, made: before?.made ?? null, isComing: true });
    for (const old of this.#pieces.keys()) {
      if (this.#pieces.size <= MOST_KEPT) break;
      this.#pieces.delete(old);
    }
    try {
      const made = await this.#decode(await this.#fetchRuns(piece), piece * PIECE_S);
      if (!this.#pieces.has(piece)) return;
      this.#pieces.set(piece, { until, made, isComing: false });
      this.#replace(piece);
    } catch {
      // The picture goes on without; asking at every moment would hold up its pictures too.
      if (!this.#pieces.has(piece)) return;
      const made = before?.made ?? [];
      const failed = { until: Number.POSITIVE_INFINITY, made, isComing: false };
      this.#pieces.set(piece, failed);
      setTimeout(() => {
        if (this.#pieces.get(piece) === failed) this.#pieces.delete(piece);
      }, AGAIN_MS);
    }
  }

  /** More of a piece that is heard is known. */
  #replace(piece: number): void {
    const former = this.#sounding.filter((sounding) => sounding.piece === piece);
    if (former.length === 0) return;
    this.#sounding = this.#sounding.filter((sounding) => sounding.piece !== piece);
    for (const { source } of former) source.stop();
    this.#play(piece);
  }
}

/** The voices of a file that the kernel has, which answers this page alone. */
export function runsFrom(source: Pick<Source, "ask">): FetchRuns {
  return async (piece) => {
    const places = { from: piece * PIECE_MS, until: (piece + 1) * PIECE_MS };
    const { content, buffers } = await source.ask("voices", places);
    return runsOf(content.runs, buffers[0]);
  };
}

/** Runs as the kernel tells them, with their bytes. */
export function runsOf(told: unknown, buffer: DataView | undefined): Run[] {
  const runs = told as readonly { who: string; at: number; bytes: readonly number[] }[];
  let at = 0;
  return runs.map(({ who, at: t, bytes }) => {
    const packets = bytes.map((n) => {
      at += n;
      return buffer
        ? new Uint8Array(buffer.buffer, buffer.byteOffset + at - n, n)
        : new Uint8Array();
    });
    return { who, at: t, packets };
  });
}

/** Decode what is said in the seconds from `from` on, one piece for each voice. */
export async function decodeOpus(runs: readonly Run[], from: number): Promise<Piece[]> {
  const pieces = new Map<string, Float32Array<ArrayBuffer>>();
  for (const who of new Set(runs.map((run) => run.who))) {
    const samples = new Float32Array(PIECE_S * RATE_HZ);
    pieces.set(who, samples);
    await decodeVoice(
      runs.filter((run) => run.who === who),
      (at, block) => addTo(samples, block, Math.round((at - from) * RATE_HZ) - LOOKAHEAD),
    );
  }
  return [...pieces].map(([who, samples]) => ({ who, samples }));
}

async function decodeVoice(
  runs: readonly Run[],
  made: (at: number, block: Float32Array) => void,
): Promise<void> {
  let at = 0;
  const decoder = new AudioDecoder({
    output: (sound) => {
      const block = new Float32Array(sound.numberOfFrames);
      sound.copyTo(block, { planeIndex: 0, format: "f32-planar" });
      sound.close();
      made(at, block);
      // A decoder's own times go on evenly from the first packet, as this does within a run.
      at += block.length / RATE_HZ;
    },
    error: () => {},
  });
  try {
    decoder.configure({ codec: "opus", sampleRate: RATE_HZ, numberOfChannels: 1 });
    for (const run of runs) {
      at = run.at;
      for (const [i, data] of run.packets.entries()) {
        decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: i * PACKET_US, data }));
      }
      await decoder.flush();
    }
  } finally {
    if (decoder.state !== "closed") decoder.close();
  }
}

function addTo(samples: Float32Array, block: Float32Array, at: number): void {
  const part = block.subarray(Math.max(0, -at), Math.max(0, samples.length - at));
  if (part.length > 0) samples.set(part, Math.max(0, at));
}
