/** What this browser decodes, asked once and corrected when it proves wrong; whether it wants calm. */
import type { Picture } from "./decoder";

export type ProbePictures = () => Promise<{ pictures: Picture[]; reason: string }>;

export class Abilities {
  readonly #probe: ProbePictures;
  #pictures: Picture[] | null = null;
  #reason = "";

  constructor(probe: ProbePictures) {
    this.#probe = probe;
  }

  /** Why pictures come as JPEG; "" while they come as video. */
  get reason(): string {
    return this.#reason;
  }

  get isJpegOnly(): boolean {
    return this.#pictures?.[0] === "jpeg";
  }

  /** Who looks has asked the system for less motion: nothing blinks by itself. */
  get wantsCalm(): boolean {
    return globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
  }

  /** Best first. */
  async pictures(): Promise<Picture[]> {
    if (this.#pictures) return this.#pictures;
    const { pictures, reason } = await this.#probe();
    this.#pictures = pictures;
    this.#reason = reason;
    return pictures;
  }

  /** Video does not work after all. */
  giveUpVideo(reason: string): void {
    this.#pictures = ["jpeg"];
    this.#reason = reason;
  }
}
