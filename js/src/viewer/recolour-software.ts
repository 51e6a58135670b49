/** Gives pictures another look on the processor: where the browser has no graphics processor. */
import { NOWHERE, placesOf, recolour } from "./recolour";
import type { Recolourer } from "./recolouring";

/** Pictures with more pixels are recoloured at half their size: it lasts until the next one. */
const MOST_PIXELS = 2_200_000;

export function softwareRecolourer(): Recolourer | null {
  const canvas = document.createElement("canvas");
  const brush = canvas.getContext("2d", { alpha: false });
  // Pixels are read back: a canvas on the graphics processor would be slow at that.
  const scratch = document
    .createElement("canvas")
    .getContext("2d", { alpha: false, willReadFrequently: true });
  if (!brush || !scratch) return null;
  let source = new ImageData(1, 1);
  let target = new ImageData(1, 1);
  let places = new Uint16Array(1).fill(NOWHERE);
  return {
    canvas,
    isQuick: false,
    load(image, width, height, look): void {
      const shrink = width * height > MOST_PIXELS ? 2 : 1;
      const [w, h] = [Math.ceil(width / shrink), Math.ceil(height / shrink)];
      if (canvas.width !== w || canvas.height !== h) {
        canvas.width = scratch.canvas.width = w;
        canvas.height = scratch.canvas.height = h;
        target = new ImageData(w, h);
        places = new Uint16Array(w * h);
      }
      scratch.drawImage(image, 0, 0, w, h);
      source = scratch.getImageData(0, 0, w, h);
      placesOf(source.data, look, places);
    },
    draw(colours): boolean {
      const words = (pixels: ImageData): Uint32Array => new Uint32Array(pixels.data.buffer);
      recolour(words(source), places, colours, words(target));
      brush.putImageData(target, 0, 0);
      return true;
    },
  };
}
