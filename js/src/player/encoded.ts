/** Pictures of the file as they were encoded: fetched in runs, kept while there is room. */
import { type FrameHeader, unpackHeader } from "../protocol";
import type { Source } from "./source";
import type { Timeline } from "./timeline";

export interface Encoded {
  /** An access unit with start codes; null: its bytes cannot be one. */
  readonly unit: Uint8Array<ArrayBuffer> | null;
  /** What the picture shows; null where the file does not say. */
  readonly header: FrameHeader | null;
}

/** Pictures of one question. The kernel gives fewer if they are large. */
const RUN = 64;
/** Of encoded pictures that are kept: minutes of most recordings. */
const MOST_BYTES = 48 * 2 ** 20;

/** Turn lengths into start codes, which take as much room; false if a length leads out of the unit. */
export function toAnnexB(unit: Uint8Array): boolean {
  const view = new DataView(unit.buffer, unit.byteOffset, unit.byteLength);
  let at = 0;
  while (at + 4 <= unit.length) {
    const length = view.getUint32(at);
    if (length === 0 || at + 4 + length > unit.length) return false;
    view.setUint32(at, 1);
    at += 4 + length;
  }
  return at === unit.length && at > 0;
}

/** Headers that lie one behind the other. */
export function headersOf(buffer: DataView | undefined, lengths: unknown): (FrameHeader | null)[] {
  let at = 0;
  return (Array.isArray(lengths) ? lengths : []).map((told: unknown) => {
    const length = Number(told);
    if (!buffer || !(length > 0) || at + length > buffer.byteLength) return null;
    const header = unpackHeader(new DataView(buffer.buffer, buffer.byteOffset + at, length));
    at += length;
    return header;
  });
}

export class EncodedPictures {
  readonly #source: Pick<Source, "ask">;
  readonly #timeline: Timeline;
  /** Sizes in the file, in bytes. */
  readonly #sizes: readonly number[];
  readonly #mostBytes: number;
  readonly #kept = new Map<number, Encoded>();
  readonly #coming = new Map<number, Promise<void>>();
  #bytes = 0;

  constructor(
    source: Pick<Source, "ask">,
    timeline: Timeline,
    sizes: readonly number[],
    mostBytes = MOST_BYTES,
  ) {
    this.#source = source;
    this.#timeline = timeline;
    this.#sizes = sizes;
    this.#mostBytes = mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A picture and, with the same question, those behind it. */
  async get(picture: number): Promise<Encoded> {
    for (;;) {
      const found = this.#kept.get(picture);
      if (found) {
        this.#kept.delete(picture);
        this.#kept.set(picture, found); // used last
        return found;
      }
      await this.#fetch(picture);
    }
  }

  /** Have a picture here before it is wanted. A refusal is told to who really wants it. */
  foresee(picture: number): void {
    if (picture < this.#timeline.pictures && !this.#kept.has(picture)) {
      this.#fetch(picture).catch(() => undefined);
    }
  }

  #fetch(first: number): Promise<void> {
    const under = [...this.#coming].find(([from]) => from <= first && first < from + RUN)?.[1];
    if (under) return under;
    const fetched = this.#ask(first).finally(() => this.#coming.delete(first));
    this.#coming.set(first, fetched);
    return fetched;
  }

  async #ask(first: number): Promise<void> {
    let last = Math.min(first + RUN, this.#timeline.pictures) - 1;
    for (let picture = first + 1; picture <= last; picture++) {
      if (this.#kept.has(picture)) last = picture - 1;
    }
    const { content, buffers } = await this.#source.ask("pictures", { first, last });
    const [data, packed] = buffers;
    const headers = headersOf(packed, content.header_bytes);
    let at = 0;
    for (const [i, header] of headers.entries()) {
      const length = this.#sizes[first + i] ?? 0;
      this.#keep(first + i, header, data, at, length);
      at += length;
    }
    // Without any the question would be asked for ever.
    if (headers.length === 0) this.#keep(first, null, undefined, 0, 0);
  }

  #keep(
    picture: number,
    header: FrameHeader | null,
    data: DataView | undefined,
    at: number,
    length: number,
  ): void {
    const isThere = data !== undefined && length > 0 && at + length <= data.byteLength;
    // A copy: the buffer of the whole answer must not live as long as one of its pictures.
    const unit = isThere
      ? new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset + at, length).slice()
      : null;
    if (this.#kept.delete(picture)) this.#bytes -= length; // two answers may hold the same
    const encoded = { unit: unit && toAnnexB(unit) ? unit : null, header };
    this.#kept.set(picture, encoded);
    this.#bytes += length;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#mostBytes || oldest === picture) break;
      this.#kept.delete(oldest);
      this.#bytes -= this.#sizes[oldest] ?? 0;
    }
  }
}
