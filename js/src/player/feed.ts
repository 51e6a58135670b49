/** From encoded pictures of the file to pictures that can be shown, for whichever time is wanted. */
import type { FrameHeader } from "../protocol";
import type { Frame } from "../session";
import { BASELINE, codecOf } from "../video-pictures";
import type { Encoded } from "./encoded";
import type { Timeline } from "./timeline";

export interface Feed {
  /** What is shown now, and how many behind it will be wanted soon: a few. */
  want(picture: number, ahead: number): void;
  /** The newest picture that is ready, from one number to another; the caller closes its image. */
  take(from: number, to: number): Taken | null;
  /** It cannot be shown: what it depends on, or it itself, is damaged. */
  isLost(picture: number): boolean;
  close(): void;
}

export interface Taken {
  readonly picture: number;
  readonly frame: Frame;
}

export interface FeedEvents {
  /** Something is ready, or lost. */
  progress(): void;
  /** Pictures from here to the next keyframe are lost. */
  damaged(picture: number): void;
  /** The pictures cannot be got: the reason is a `Refusal` if the kernel gave it. */
  failed(reason: unknown): void;
  /** This browser does not decode H.264 after all. */
  unusable(reason: string): void;
}

interface Pictures {
  get(picture: number): Promise<Encoded>;
  foresee(picture: number): void;
}

/** Decoders have few places for pictures, and stop when all are held. */
const MOST_KEPT = 8;
const MOST_KEPT_BYTES = 64 * 2 ** 20;
const MOST_UNDERWAY = 4;
/** Encoded pictures are asked for this far ahead. */
const READ_AHEAD = 48;
/** A decoder that holds pictures back is made to give them after this long. */
const FLUSH_MS = 300;
/** Groups in a row without one decoded picture that mean "this does not work here". */
const MOST_FAILURES = 3;

export class VideoFeed implements Feed {
  readonly #timeline: Timeline;
  readonly #pictures: Pictures;
  readonly #events: FeedEvents;
  readonly #kept = new Map<number, { readonly header: FrameHeader; readonly image: VideoFrame }>();
  readonly #underway = new Map<number, FrameHeader>();
  /** By keyframe, the first picture of its group that is lost. */
  readonly #lostFrom = new Map<number, number>();
  #decoder: VideoDecoder | null = null;
  #config = "";
  /** The picture that the decoder takes next; -1: it must begin at a keyframe. */
  #next = -1;
  #want = -1;
  #ahead = 0;
  #isRunning = false;
  #isClosed = false;
  #failures = 0;
  #wake: () => void = () => {};

  constructor(timeline: Timeline, pictures: Pictures, events: FeedEvents) {
    this.#timeline = timeline;
    this.#pictures = pictures;
    this.#events = events;
  }

  want(picture: number, ahead: number): void {
    if (this.#isClosed || picture < 0) return;
    this.#want = picture;
    this.#ahead = ahead;
    this.#wake();
    void this.#run();
  }

  take(from: number, to: number): Taken | null {
    let best = -1;
    for (const picture of this.#kept.keys()) {
      if (picture >= from && picture <= to && picture > best) best = picture;
    }
    const kept = this.#kept.get(best);
    if (!kept) return null;
    return { picture: best, frame: { header: kept.header, image: kept.image.clone() } };
  }

  isLost(picture: number): boolean {
    const key = this.#timeline.keyAt(picture);
    return key < 0 || (this.#lostFrom.get(key) ?? Number.POSITIVE_INFINITY) <= picture;
  }

  close(): void {
    this.#isClosed = true;
    this.#reset();
    for (const { image } of this.#kept.values()) image.close();
    this.#kept.clear();
    this.#wake();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (!this.#isClosed && (await this.#step()));
    } catch (reason) {
      if (!this.#isClosed) this.#events.failed(reason);
    } finally {
      this.#isRunning = false;
    }
  }

  /** One picture further; false when all that is wanted is on its way. */
  async #step(): Promise<boolean> {
    const last = Math.min(this.#want + this.#ahead, this.#timeline.pictures - 1);
    // For what is lost nothing is decoded: the next that is whole may be wanted soon.
    const isLost = this.isLost(this.#want);
    const want = isLost ? this.#timeline.keyAfter(this.#want) : this.#want;
    if (want > last || (last === want && this.#kept.has(want))) return false;
    if (!this.#leadsTo(want)) this.#begin(want);
    if (this.isLost(this.#next)) this.#next = this.#timeline.keyAfter(this.#next);
    if (this.#next > last) return this.#settle(want);
    if (this.#underway.size >= MOST_UNDERWAY) {
      await this.#progress(FLUSH_MS);
      return true;
    }
    const picture = this.#next;
    this.#pictures.foresee(picture + READ_AHEAD);
    const encoded = await this.#pictures.get(picture);
    // Meanwhile something else may be wanted, or the decoder may have failed.
    if (picture === this.#next && !this.#isClosed) this.#decode(picture, encoded);
    return true;
  }

  /** Whether going on from where the decoder is comes to a picture, or it is here. */
  #leadsTo(picture: number): boolean {
    if (this.#next < 0) return false;
    if (picture < this.#next) return this.#kept.has(picture) || this.#underway.has(picture);
    const key = this.#timeline.keyAt(picture);
    // A group need not be decoded to its end to begin the next.
    if (key > this.#next) this.#next = key;
    return true;
  }

  #begin(picture: number): void {
    this.#reset();
    this.#next = Math.max(this.#timeline.keyAt(picture), 0);
  }

  /** All is fed: wait for it, and make a decoder that holds something back give it. */
  async #settle(want: number): Promise<boolean> {
    if (!this.#underway.has(want)) return false;
    const isNews = await this.#progress(FLUSH_MS);
    if (isNews || !this.#underway.has(want) || this.#decoder?.state !== "configured") return true;
    this.#next = -1; // behind a flush only a keyframe can come
    await this.#decoder.flush().catch(() => undefined);
    if (this.#underway.has(want)) this.#lose(want);
    return true;
  }

  /** Wait until something happens; false: nothing has. */
  #progress(mostMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), mostMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #decode(picture: number, { unit, header }: Encoded): void {
    this.#next = picture + 1;
    if (!unit || !header) {
      this.#lose(picture);
      return;
    }
    const isKey = this.#timeline.keyAt(picture) === picture;
    try {
      if (isKey) this.#configure(unit, header);
      this.#underway.set(picture, header);
      const type = isKey ? "key" : "delta";
      // The decoder only carries the timestamp through: it says which picture came out.
      this.#decoder?.decode(new EncodedVideoChunk({ type, timestamp: picture, data: unit }));
    } catch {
      this.#failed();
    }
  }

  #configure(unit: Uint8Array, { width_px, height_px }: FrameHeader): void {
    const codec = codecOf(unit) ?? BASELINE;
    const config = `${codec} ${width_px}x${height_px}`;
    if (config === this.#config && this.#decoder?.state === "configured") return;
    if (!this.#decoder || this.#decoder.state === "closed") this.#decoder = this.#create();
    const size = { codedWidth: width_px, codedHeight: height_px };
    this.#decoder.configure({ codec, ...size, optimizeForLatency: true });
    this.#config = config;
  }

  #create(): VideoDecoder {
    const decoder: VideoDecoder = new VideoDecoder({
      output: (image) => {
        if (decoder === this.#decoder) this.#output(image);
        else image.close();
      },
      error: () => {
        if (decoder === this.#decoder) this.#failed();
      },
    });
    return decoder;
  }

  #output(image: VideoFrame): void {
    const picture = image.timestamp;
    const header = this.#underway.get(picture);
    for (const each of [...this.#underway.keys()]) {
      if (each <= picture) this.#underway.delete(each);
    }
    if (!header) {
      image.close();
      return;
    }
    this.#failures = 0;
    this.#kept.get(picture)?.image.close();
    this.#kept.set(picture, { header, image });
    this.#trim();
    this.#wake();
    this.#events.progress();
  }

  /** What will be wanted next stays; of all others the nearest, for who goes back. */
  #trim(): void {
    const [from, to] = [this.#want, this.#want + this.#ahead];
    const isNext = (picture: number): boolean => picture >= from && picture <= to;
    const away = (picture: number): number =>
      Math.abs(picture - from) + (isNext(picture) ? 0 : this.#timeline.pictures);
    const order = [...this.#kept.keys()].sort((a, b) => away(a) - away(b));
    let bytes = 0;
    for (const [i, picture] of order.entries()) {
      const frame = this.#kept.get(picture);
      if (!frame) continue;
      bytes += (frame.header.width_px * frame.header.height_px * 3) / 2;
      if (isNext(picture) || (i < MOST_KEPT && bytes <= MOST_KEPT_BYTES)) continue;
      frame.image.close();
      this.#kept.delete(picture);
    }
  }

  /** The decoder gave up, at the first picture that has not come out. */
  #failed(): void {
    const picture = Math.min(this.#next - 1, ...this.#underway.keys());
    this.#failures += 1;
    this.#reset();
    if (this.#failures >= MOST_FAILURES) {
      this.#events.unusable("This browser's decoder does not take the pictures.");
      return;
    }
    this.#lose(Math.max(picture, 0));
  }

  #lose(picture: number): void {
    const key = this.#timeline.keyAt(picture);
    this.#lostFrom.set(key, Math.min(this.#lostFrom.get(key) ?? picture, picture));
    this.#wake();
    this.#events.damaged(picture);
    this.#events.progress();
  }

  #reset(): void {
    this.#underway.clear();
    this.#next = -1;
    this.#config = "";
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = null;
  }
}
