/** Pictures that the kernel decodes, for a browser that has no decoder of its own: one at a time. */
import { headersOf } from "./encoded";
import type { Feed, FeedEvents, Taken } from "./feed";
import { Refusal, type Source } from "./source";
import type { Timeline } from "./timeline";

/** A picture file as the page shows it. */
export type MakeBitmap = (bytes: DataView, mime: string) => Promise<ImageBitmap>;

/** The picture's numbers are the data's colours: a display profile must not change them. */
export const browserBitmap: MakeBitmap = (bytes, mime) =>
  createImageBitmap(new Blob([bytes as DataView<ArrayBuffer>], { type: mime }), {
    colorSpaceConversion: "none",
  });

export class JpegFeed implements Feed {
  readonly #source: Pick<Source, "ask">;
  readonly #timeline: Timeline;
  readonly #events: FeedEvents;
  readonly #bitmap: MakeBitmap;
  readonly #lost = new Set<number>();
  /** Ready, and not taken yet. */
  #taken: Taken | null = null;
  /** Number of the picture that came last. */
  #last = -1;
  #want = -1;
  #isRunning = false;
  #isClosed = false;

  constructor(
    source: Pick<Source, "ask">,
    timeline: Timeline,
    events: FeedEvents,
    bitmap: MakeBitmap = browserBitmap,
  ) {
    this.#source = source;
    this.#timeline = timeline;
    this.#events = events;
    this.#bitmap = bitmap;
  }

  want(picture: number): void {
    this.#want = picture;
    void this.#run();
  }

  take(from: number, to: number): Taken | null {
    const taken = this.#taken;
    if (!taken || taken.picture < from || taken.picture > to) return null;
    this.#taken = null;
    return taken;
  }

  isLost(picture: number): boolean {
    return this.#lost.has(picture);
  }

  close(): void {
    this.#isClosed = true;
    this.#taken?.frame.image.close();
    this.#taken = null;
  }

  /** While one comes only the newest waits. */
  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (!this.#isClosed && this.#want >= 0 && this.#want !== this.#last) {
        if (this.#lost.has(this.#want)) break;
        await this.#get(this.#want);
      }
    } catch (reason) {
      if (!this.#isClosed) this.#events.failed(reason);
    } finally {
      this.#isRunning = false;
    }
  }

  async #get(picture: number): Promise<void> {
    try {
      const { content, buffers } = await this.#source.ask("jpeg", { at: picture });
      const [header] = headersOf(buffers[1], content.header_bytes);
      const bytes = buffers[0];
      if (!header || !bytes) throw new TypeError("no picture");
      const image = await this.#bitmap(bytes, "image/jpeg");
      if (this.#isClosed) {
        image.close();
        return;
      }
      this.#taken?.frame.image.close();
      this.#taken = { picture, frame: { header, image } };
      this.#last = picture;
    } catch (reason) {
      // Of a damaged picture the kernel says so; the file that is gone will not come back.
      if (!(reason instanceof Refusal) || !/damaged/.test(reason.message)) throw reason;
      const end = this.#timeline.keyAfter(picture);
      for (let each = picture; each < end; each++) this.#lost.add(each);
      this.#events.damaged(picture);
    }
    this.#events.progress();
  }
}
