/** From a microphone's track to packets of Opus, 20 ms each, with the time of their sound. */
import { canListen, type Listening, listen } from "./samples";

export interface Packet {
  /** When it begins, by the clock of that number: each track of a page may have its own. */
  readonly atMs: number;
  readonly clock: number;
  readonly data: Uint8Array;
}

export interface Coder {
  /** Code this track from now on. */
  use(track: MediaStreamTrack): void;
  /** Nothing is coded while it is. */
  muted: boolean;
  /** May be called twice. */
  close(): void;
}

export type MakeCoder = (packet: (packet: Packet) => void, failed: (why: string) => void) => Coder;

/** Of this page; no two have the same number. */
let clocks = 0;
const PACKET_MS = 20;
const BITRATE = 32_000;
/** Sound that comes this much earlier or later than it should goes on, in milliseconds. */
const MOST_APART_MS = 20;

/** False where a voice cannot be recorded: there are no coders for sound, or no way to its samples. */
export function canCode(): boolean {
  return typeof AudioEncoder !== "undefined" && canListen();
}

export class BrowserCoder implements Coder {
  readonly #encoder: AudioEncoder;
  readonly #failed: (why: string) => void;
  readonly #closed = new AbortController();
  /** What is being coded: when it begins. */
  readonly #coded: Omit<Packet, "data">[] = [];
  #listening: Listening | null = null;
  #rateHz = 0;
  #block = new Float32Array(0);
  /** Samples in the block, and when its first one was spoken. */
  #n = 0;
  #atMs = Number.NEGATIVE_INFINITY;
  #isMuted = false;

  constructor(packet: (packet: Packet) => void, failed: (why: string) => void) {
    this.#failed = failed;
    this.#encoder = new AudioEncoder({
      output: (chunk) => {
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        // Its own times go on evenly, whatever pause there was: each block makes one packet.
        const begin = this.#coded.shift();
        if (begin) packet({ ...begin, data });
      },
      error: (error) => this.#fail(error),
    });
  }

  get muted(): boolean {
    return this.#isMuted;
  }

  set muted(on: boolean) {
    this.#isMuted = on;
    this.#n = 0;
  }

  use(track: MediaStreamTrack): void {
    this.#listening?.close();
    this.#n = 0;
    this.#atMs = Number.NEGATIVE_INFINITY;
    clocks += 1;
    this.#listening = listen(
      track,
      (atMs, samples, rateHz) => this.#take(atMs, samples, rateHz),
      (error) => this.#fail(error),
    );
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#listening?.close();
    if (this.#encoder.state !== "closed") this.#encoder.close();
  }

  #take(atMs: number, samples: Float32Array, rateHz: number): void {
    if (this.#isMuted || this.#closed.signal.aborted) return;
    try {
      if (rateHz !== this.#rateHz) this.#configure(rateHz);
      const dueMs = this.#atMs + (this.#n / rateHz) * 1000;
      if (this.#n === 0 && Math.abs(atMs - dueMs) > MOST_APART_MS) this.#atMs = atMs;
      for (let from = 0; from < samples.length; ) {
        const part = samples.subarray(from, from + this.#block.length - this.#n);
        this.#block.set(part, this.#n);
        from += part.length;
        this.#n += part.length;
        if (this.#n === this.#block.length) this.#code();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #configure(rateHz: number): void {
    this.#rateHz = rateHz;
    this.#block = new Float32Array(Math.round((rateHz * PACKET_MS) / 1000));
    this.#n = 0;
    this.#encoder.configure({
      codec: "opus",
      sampleRate: rateHz,
      numberOfChannels: 1,
      bitrate: BITRATE,
      // TypeScript does not know all of it: https://www.w3.org/TR/webcodecs-opus-codec-registration/
      opus: { frameDuration: PACKET_MS * 1000, application: "voip" } as OpusEncoderConfig,
    });
  }

  #code(): void {
    const sound = new AudioData({
      format: "f32-planar",
      sampleRate: this.#rateHz,
      numberOfFrames: this.#block.length,
      numberOfChannels: 1,
      timestamp: Math.round(this.#atMs * 1000),
      data: this.#block,
    });
    this.#coded.push({ atMs: this.#atMs, clock: clocks });
    this.#encoder.encode(sound);
    sound.close();
    this.#atMs += PACKET_MS;
    this.#n = 0;
  }

  #fail(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    this.close();
    this.#failed(error instanceof Error ? error.message : String(error));
  }
}
