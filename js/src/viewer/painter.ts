/**
 * Puts frames on a canvas the cheapest way.
 *
 * Without a GPU `drawImage` of a video frame converts its colours slowly: 6.4 ms of processor time
 * for each picture of 1280 x 720, all told, against 4.6 ms for `copyTo` and `putImageData`
 * (Chromium 156, headless, two cores). The copy comes a few milliseconds later, so it is for pictures
 * in motion; one after a pause, the answer to a single step, is drawn. Where a graphics processor draws,
 * frames are there already, and a copy would have to be fetched from it and brought back: all are drawn
 * (by reasoning; not measured on such a machine).
 */
import type { Frame } from "../session";
import { drawsInSoftware, lookForGraphics } from "./graphics";

const PAUSE_MS = 100;

type CopyTo = (target: Uint8ClampedArray, options: { format: "RGBA" }) => Promise<PlaneLayout[]>;

export class Painter {
  /** Browsers that copy only in the frame's own format are asked once. */
  private static copies = true;
  private pixels: ImageData | null = null;
  private newest = 0;
  private lastMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly brush: CanvasRenderingContext2D) {
    lookForGraphics();
  }

  /** Paint `frame` and call `painted`, at once or a moment later; not if a newer frame came first. */
  paint({ image, header }: Frame, painted: () => void): void {
    const turn = ++this.newest;
    const { width_px: width, height_px: height } = header;
    const now = performance.now();
    const inMotion = now - this.lastMs < PAUSE_MS;
    this.lastMs = now;
    const isVideo = typeof VideoFrame !== "undefined" && image instanceof VideoFrame;
    const mayCopy = inMotion && Painter.copies && drawsInSoftware();
    if (!mayCopy || !isVideo || image.displayWidth !== width) {
      this.draw(image, width, height, painted);
      return;
    }
    const pixels = this.pixelsOf(width, height);
    const copyTo = image.copyTo.bind(image) as unknown as CopyTo;
    // The frame may be closed before the copy is made.
    const spare = image.clone();
    copyTo(pixels.data, { format: "RGBA" })
      .then(
        () => {
          if (turn !== this.newest) return;
          this.fit(width, height);
          this.brush.putImageData(pixels, 0, 0);
          painted();
        },
        () => {
          Painter.copies = false;
          if (turn === this.newest) this.draw(spare, width, height, painted);
        },
      )
      .finally(() => spare.close());
  }

  /** What is under way is old: something else shows the picture now. */
  cancel(): void {
    this.newest += 1;
  }

  private draw(image: CanvasImageSource, width: number, height: number, painted: () => void): void {
    this.fit(width, height);
    this.brush.drawImage(image, 0, 0, width, height);
    painted();
  }

  /** Setting the size clears the canvas, which costs a flash if it is done for nothing. */
  private fit(width: number, height: number): void {
    const { canvas } = this.brush;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
  }

  private pixelsOf(width: number, height: number): ImageData {
    if (this.pixels?.width !== width || this.pixels.height !== height) {
      this.pixels = new ImageData(width, height);
    }
    return this.pixels;
  }
}
