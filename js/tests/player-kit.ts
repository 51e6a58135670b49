/** A recording without a file: a kernel that answers, a decoder that decodes, a clock in the test's hands. */
import { vi } from "vitest";
import { HEADER_BYTES, type ViewState } from "../src/protocol";
import type { MessagePort } from "../src/relay";
import { INFO, STATE } from "./fakes";

type Receive = (content: unknown, buffers: DataView[]) => void;
interface Question {
  readonly n: string;
  readonly ask: string;
  readonly [place: string]: unknown;
}

export class PlayedImage {
  static open = 0;
  #isOpen = true;
  constructor(readonly timestamp: number) {
    PlayedImage.open += 1;
  }
  clone(): PlayedImage {
    return new PlayedImage(this.timestamp);
  }
  close(): void {
    if (this.#isOpen) PlayedImage.open -= 1;
    this.#isOpen = false;
  }
}

/** Gives each picture a moment later; a chunk whose last byte is 13 breaks it. */
export class PlayedDecoder {
  static taken: number[] = [];
  state = "unconfigured";
  constructor(private readonly init: VideoDecoderInit) {}
  configure(): void {
    this.state = "configured";
  }
  decode({ timestamp, data }: { timestamp: number; data: Uint8Array }): void {
    PlayedDecoder.taken.push(timestamp);
    queueMicrotask(() => {
      if (this.state === "closed") return;
      if (data.at(-1) === 13) {
        this.state = "closed";
        this.init.error(new DOMException("broken"));
        return;
      }
      this.init.output(new PlayedImage(timestamp) as unknown as VideoFrame);
    });
  }
  close(): void {
    this.state = "closed";
  }
}

class Chunk {
  readonly timestamp: number;
  readonly data: Uint8Array;
  constructor({ timestamp, data }: EncodedVideoChunkInit) {
    this.timestamp = timestamp;
    this.data = data as Uint8Array;
  }
}

export function stubDecoder(): void {
  PlayedDecoder.taken = [];
  PlayedImage.open = 0;
  vi.stubGlobal("VideoDecoder", PlayedDecoder);
  vi.stubGlobal("EncodedVideoChunk", Chunk);
}

function packed(number: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, 960, true);
  view.setUint16(6, 540, true);
  view.setUint32(8, number, true);
  view.setInt32(20, number, true);
  return bytes;
}

function doubles(values: readonly number[]): DataView {
  return new DataView(Float64Array.from(values).buffer);
}

/** Pictures a tenth of a second apart, a keyframe at each fifth; every picture says its number. */
export class PlayedKernel implements MessagePort {
  readonly questions: Question[] = [];
  readonly #receivers = new Set<Receive>();
  pictures = 20;
  stills: number[] = [];
  chapters: [number, string][] = [[0, "Beginning"]];
  events: { t: number; kind: string; [name: string]: unknown }[] = [
    { t: 0, kind: "info", info: INFO },
    { t: 0, kind: "state", set: STATE },
  ];
  isGrowing = false;
  /** Most pictures of an answer. */
  most = 64;
  broken = new Set<number>();
  error: { code: string; message: string; hint: string } | null = null;
  /** Questions that wait until the test has them answered, as of a kernel that runs a cell. */
  readonly unanswered = new Set<string>();

  on(_: string, receive: Receive): void {
    this.#receivers.add(receive);
  }

  off(_: string, receive: Receive): void {
    this.#receivers.delete(receive);
  }

  get listeners(): number {
    return this.#receivers.size;
  }

  send(content: unknown): void {
    const question = content as Question;
    this.questions.push(question);
    if (!this.unanswered.has(question.ask)) queueMicrotask(() => this.answer(question));
  }

  asked(ask: string): Question[] {
    return this.questions.filter((question) => question.ask === ask);
  }

  state(t: number, set: Partial<ViewState>): void {
    this.events.push({ t, kind: "state", set });
  }

  answer(question: Question): void {
    const { n } = question;
    if (this.error) {
      this.#tell({ kind: "recording", n, error: this.error }, []);
      return;
    }
    const [content, buffers] = this.#answerTo(question);
    this.#tell({ kind: "recording", n, ...content }, buffers);
  }

  #tell(content: unknown, buffers: DataView[]): void {
    for (const receive of [...this.#receivers]) receive(content, buffers);
  }

  #answerTo({ ask, ...places }: Question): [object, DataView[]] {
    const at = Number(places.at);
    if (ask === "index") return this.#index(places as Record<string, unknown>);
    if (ask === "pictures") return this.#run(Number(places.first), Number(places.last));
    const head = { header_bytes: [HEADER_BYTES] };
    const number = ask === "still" ? 1000 + at : at;
    return [
      head,
      [new DataView(new ArrayBuffer(1)), new DataView(packed(number).buffer as ArrayBuffer)],
    ];
  }

  #index({ samples, stills, events }: Record<string, unknown>): [object, DataView[]] {
    const numbers = Array.from({ length: this.pictures }, (_, i) => i).slice(Number(samples));
    const sizes = numbers.map((i) => 9 + (i % 5 === 0 ? 2 ** 31 : 0));
    const content = {
      duration_s: this.pictures / 10,
      n_samples: this.pictures,
      n_stills: this.stills.length,
      n_events: this.events.length,
      is_finished: !this.isGrowing,
      is_growing: this.isGrowing,
      chapters: this.chapters,
    };
    const happened = new TextEncoder().encode(JSON.stringify(this.events.slice(Number(events))));
    return [
      content,
      [
        doubles(numbers.map((i) => i / 10)),
        new DataView(Uint32Array.from(sizes).buffer),
        doubles(this.stills.slice(Number(stills))),
        new DataView(happened.buffer as ArrayBuffer),
      ],
    ];
  }

  #run(first: number, last: number): [object, DataView[]] {
    const numbers = Array.from(
      { length: Math.min(last - first + 1, this.most) },
      (_, i) => first + i,
    );
    const units = numbers.flatMap((i) => [0, 0, 0, 5, 0x65, 1, 2, 3, this.broken.has(i) ? 13 : 4]);
    const headers = numbers.flatMap((i) => [...packed(i)]);
    return [
      { first, header_bytes: numbers.map(() => HEADER_BYTES) },
      [new DataView(Uint8Array.from(units).buffer), new DataView(Uint8Array.from(headers).buffer)],
    ];
  }
}

export class Clock {
  ms = 0;
  #due: (() => void) | null = null;

  now(): number {
    return this.ms;
  }

  nextFrame(callback: () => void): () => void {
    this.#due = callback;
    return () => {
      if (this.#due === callback) this.#due = null;
    };
  }

  get isAsked(): boolean {
    return this.#due !== null;
  }

  /** One repaint, that long after the last. */
  tick(ms = 20): void {
    this.ms += ms;
    const due = this.#due;
    this.#due = null;
    due?.();
  }
}

/** Let everything that waits for nothing but promises happen. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 200; i++) await Promise.resolve();
}
