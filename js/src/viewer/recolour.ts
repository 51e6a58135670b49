/**
 * Another look for a picture that is there: from its colours back to places on the colour map, and from
 * those to the colours of another window, level or map.
 *
 * What the picture's own window clipped is not in it. Most of that lies far beyond (air around a head), so
 * it stays at the end of the map.
 */
import { COLORMAPS, type FrameHeader } from "../protocol";
import { coloursAlong } from "./colours";

/** How values are turned into colours. */
export interface Look {
  readonly colormap: string;
  readonly reverse: boolean;
  readonly window: number;
  readonly level: number;
}

/** Places on a colour map that are told apart; as many as the server's tables have. */
export const PLACES = 1024;
/** "Not a colour of this map": no data, the surround. */
export const NOWHERE = PLACES;
/** Colours in a cube of 32 x 32 x 32 cells. */
const CELL_BITS = 5;
export const CELLS = 1 << CELL_BITS;
const CELL_SHIFT = 8 - CELL_BITS;
/** Coefficients of a cell: place = c + r·red + g·green + b·blue. */
const COEFFICIENTS = 4;
/** Chroma at half the size mixes neighbours: so far from the map may a colour lie. */
const FAR = 80;
/** Places below this are of colours that are not on the map. */
export const OFF_THE_MAP = -1e5;
/** Places so near an end hold what was clipped: two steps of 256, the noise of a video. */
const CLIPPED = PLACES / 128;
/** Pieces of a map that its inverse is made from: 32 take 20 ms. */
const MOST_PIECES = 32;
/** Share of a map that its inverse may miss a place by, and the share of its places that may. */
const ASTRAY = 0.04;
const FEW_ASTRAY = 0.02;
const OPAQUE = 0xff000000;

type Rgb = readonly [number, number, number];

function rgbAlong(colormap: string): readonly Rgb[] {
  return coloursAlong(colormap).map((hex): Rgb => {
    const rgb = Number.parseInt(hex.slice(1), 16);
    return [rgb >> 16, (rgb >> 8) & 255, rgb & 255];
  });
}

/** How a picture was drawn. */
export function lookOf(header: FrameHeader): Look {
  const { colormap_idx, is_reversed, window, level } = header;
  return { colormap: COLORMAPS[colormap_idx] ?? "", reverse: is_reversed !== 0, window, level };
}

/** Names are no amounts: a label's colour says nothing of its neighbours. */
export function isContinuous(colormap: string): boolean {
  return colormap !== "labels" && (COLORMAPS as readonly string[]).includes(colormap);
}

export function sameLook(a: Look, b: Look): boolean {
  return (
    a.colormap === b.colormap &&
    a.reverse === b.reverse &&
    // Of a picture these are 32-bit floats.
    Math.fround(a.window) === Math.fround(b.window) &&
    Math.fround(a.level) === Math.fround(b.level)
  );
}

/** A straight piece of a colour map: from one stop to the next. */
interface Piece {
  readonly from: Rgb;
  readonly along: Rgb;
  readonly square: number;
}

function piecesOf(stops: readonly Rgb[]): readonly Piece[] {
  return stops.slice(1).map((to, i) => {
    const from = stops[i] as Rgb;
    const along: Rgb = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
    return { from, along, square: along[0] ** 2 + along[1] ** 2 + along[2] ** 2 || 1 };
  });
}

/** Square of the distance from a colour to a piece of the map. */
function distanceTo(
  { from, along, square }: Piece,
  red: number,
  green: number,
  blue: number,
): number {
  const [r, g, b] = [red - from[0], green - from[1], blue - from[2]];
  const at = Math.min(Math.max((r * along[0] + g * along[1] + b * along[2]) / square, 0), 1);
  return (r - at * along[0]) ** 2 + (g - at * along[1]) ** 2 + (b - at * along[2]) ** 2;
}

/** For each cell of the colour cube, how a colour in it is turned into a place on the map. */
function inverted(colormap: string): Float32Array {
  const stops = rgbAlong(colormap);
  const by = Math.max(1, (stops.length - 1) / MOST_PIECES);
  const pieces = piecesOf(stops.filter((_, i) => i % by === 0));
  const cells = new Float32Array(CELLS ** 3 * COEFFICIENTS);
  const step = PLACES / pieces.length;
  const size = 1 << CELL_SHIFT;
  for (let cell = 0; cell < CELLS ** 3; cell++) {
    const red = ((cell >> (2 * CELL_BITS)) + 0.5) * size;
    const green = (((cell >> CELL_BITS) & (CELLS - 1)) + 0.5) * size;
    const blue = ((cell & (CELLS - 1)) + 0.5) * size;
    let nearest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < pieces.length; i++) {
      const distance = distanceTo(pieces[i] as Piece, red, green, blue);
      if (distance < least) {
        least = distance;
        nearest = i;
      }
    }
    const { from, along, square } = pieces[nearest] as Piece;
    const c = cell * COEFFICIENTS;
    if (least > FAR ** 2) {
      cells[c] = 2 * OFF_THE_MAP;
      continue;
    }
    // Within the cell the place grows along this piece of the map.
    const [r, g, b] = [0, 1, 2].map((i) => ((along[i] ?? 0) * step) / square) as [
      number,
      number,
      number,
    ];
    cells[c] = nearest * step - r * from[0] - g * from[1] - b * from[2];
    cells[c + 1] = r;
    cells[c + 2] = g;
    cells[c + 3] = b;
  }
  return cells;
}

const inverses = new Map<string, Float32Array>();

/** Takes about 20 ms the first time that a map is asked for. */
export function inverseOf(colormap: string): Float32Array {
  let found = inverses.get(colormap);
  if (!found) {
    found = inverted(colormap);
    inverses.set(colormap, found);
  }
  return found;
}

const inversions = new Map<string, boolean>();

/**
 * Whether a colour tells the place on the map that it stands for. Where a map comes back to its own
 * colours (phases do), another look cannot be had from its pictures.
 */
export function isInvertible(colormap: string): boolean {
  let found = inversions.get(colormap);
  if (found === undefined) {
    const as: Look = { colormap, reverse: false, window: 1, level: 0 };
    const colours = coloursOf(as, as);
    const places = new Uint16Array(PLACES);
    placesOf(new Uint8ClampedArray(colours.buffer), colormap, places);
    const astray = places.filter((place, i) => Math.abs(place - i) > PLACES * ASTRAY).length;
    found = astray <= PLACES * FEW_ASTRAY;
    inversions.set(colormap, found);
  }
  return found;
}

/** Place on the colour map of every pixel of `pixels` (RGBA); `NOWHERE` for colours of no map. */
export function placesOf(pixels: Uint8ClampedArray, colormap: string, places: Uint16Array): void {
  const cells = inverseOf(colormap);
  for (let i = 0, p = 0; i < places.length; i++, p += 4) {
    const red = pixels[p] as number;
    const green = pixels[p + 1] as number;
    const blue = pixels[p + 2] as number;
    const cell =
      ((red >> CELL_SHIFT) << (2 * CELL_BITS)) |
      ((green >> CELL_SHIFT) << CELL_BITS) |
      (blue >> CELL_SHIFT);
    const c = cell * COEFFICIENTS;
    const place =
      (cells[c] as number) +
      (cells[c + 1] as number) * red +
      (cells[c + 2] as number) * green +
      (cells[c + 3] as number) * blue;
    places[i] =
      place > 0 ? (place < PLACES ? place : PLACES - 1) : place > OFF_THE_MAP ? 0 : NOWHERE;
  }
}

/** Colours (as 32 bits of RGBA in memory) that places of a picture drawn as `from` have as `to`. */
export function coloursOf(from: Look, to: Look): Uint32Array {
  const stops = rgbAlong(to.colormap);
  const colours = new Uint32Array(PLACES);
  const low = from.level - from.window / 2;
  const newLow = to.level - to.window / 2;
  for (let place = 0; place < PLACES; place++) {
    const at =
      place < CLIPPED
        ? Number.NEGATIVE_INFINITY
        : place >= PLACES - CLIPPED
          ? Number.POSITIVE_INFINITY
          : (place + 0.5) / PLACES;
    const value = low + (from.reverse ? 1 - at : at) * from.window;
    const share = Math.min(Math.max((value - newLow) / to.window, 0), 1);
    const stop = (to.reverse ? 1 - share : share) * (stops.length - 1);
    const s = Math.min(Math.floor(stop), stops.length - 2);
    const [a, b] = [stops[s] as Rgb, stops[s + 1] as Rgb];
    const mix = (c: 0 | 1 | 2): number => Math.round(a[c] + (b[c] - a[c]) * (stop - s));
    colours[place] = (OPAQUE | (mix(2) << 16) | (mix(1) << 8) | mix(0)) >>> 0;
  }
  return colours;
}

/** Give the pixels of a picture their new colours; those of no map keep theirs. */
export function recolour(
  source: Uint32Array,
  places: Uint16Array,
  colours: Uint32Array,
  target: Uint32Array,
): void {
  for (let i = 0; i < target.length; i++) {
    const place = places[i] as number;
    target[i] = (place === NOWHERE ? source[i] : colours[place]) as number;
  }
}
