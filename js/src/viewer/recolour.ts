/**
 * Another look for a picture that is there: from its colours back to places on the colour map, and from
 * those to the colours of another window, level or map.
 *
 * What the picture's own window clipped is not in it. Most of that lies far beyond (air around a head), so
 * it stays at the end of the map.
 */
import { ownStops, type Palettes } from "../palettes";
import { COLORMAPS, type FrameHeader } from "../protocol";
import { coloursAlong, thinned } from "./colours";

/** "#rrggbb" of what lies outside the window, and of no value; "" or left out: none of their own. */
export interface ColourEnds {
  readonly below_color?: string;
  readonly above_color?: string;
  readonly no_value_color?: string;
}

/** How values are turned into colours. */
export interface Look extends ColourEnds {
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
/** So near it must lie to a colour beside the map. */
const NEAR = 32;
/** Places below this are of colours that are not on the map. */
export const OFF_THE_MAP = -1e5;
/** Places so near an end hold what was clipped: two steps of 256, the noise of a video. */
const CLIPPED = PLACES / 128;
/** Pieces of a map that its inverse is made from: 32 take 20 ms. */
const MOST_PIECES = 32;
/** Share of a map that its inverse may miss a place by, and the share of its places that may. */
const ASTRAY = 0.04;
const FEW_ASTRAY = 0.02;
/** Half a megabyte each. */
const MOST_INVERSES = 16;
const OPAQUE = 0xff000000;

type Rgb = readonly [number, number, number];

function rgbOf(hex: string): Rgb {
  const rgb = Number.parseInt(hex.slice(1), 16);
  return [rgb >> 16, (rgb >> 8) & 255, rgb & 255];
}

function rgbAlong(colormap: string): readonly Rgb[] {
  return coloursAlong(colormap).map(rgbOf);
}

/** The part of a session that says what the numbers and ends of its pictures are. */
export interface Palette {
  readonly palettes: Palettes;
  readonly state: ColourEnds;
}

/** How a picture was drawn. Its ends are taken to be those of now: they hardly ever change. */
export function lookOf(header: FrameHeader, session?: Palette): Look {
  const { colormap_idx, is_reversed, window, level } = header;
  const look = { reverse: is_reversed !== 0, window, level };
  if (!session) return { colormap: COLORMAPS[colormap_idx] ?? "", ...look };
  const { below_color = "", above_color = "", no_value_color = "" } = session.state;
  const colormap = session.palettes.nameOf(colormap_idx);
  return { colormap, ...look, below_color, above_color, no_value_color };
}

/** Names are no amounts: a label's colour says nothing of its neighbours. */
export function isContinuous(colormap: string): boolean {
  if (colormap === "labels") return false;
  return (COLORMAPS as readonly string[]).includes(colormap) || ownStops(colormap) !== undefined;
}

export function sameLook(a: Look, b: Look): boolean {
  return (
    a.colormap === b.colormap &&
    a.reverse === b.reverse &&
    (a.below_color ?? "") === (b.below_color ?? "") &&
    (a.above_color ?? "") === (b.above_color ?? "") &&
    (a.no_value_color ?? "") === (b.no_value_color ?? "") &&
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

/** Colours of no place on the map, and the place that stands for what they mean. */
function beside(look: Look): readonly (readonly [Rgb, number])[] {
  const [low, high] = look.reverse ? [PLACES - 1, 0] : [0, PLACES - 1];
  const all: readonly (readonly [string | undefined, number])[] = [
    [look.below_color, low],
    [look.above_color, high],
    [look.no_value_color, 2 * OFF_THE_MAP],
  ];
  return all.flatMap(([hex, place]) => (hex ? [[rgbOf(hex), place] as const] : []));
}

function distance(a: Rgb, red: number, green: number, blue: number): number {
  return (a[0] - red) ** 2 + (a[1] - green) ** 2 + (a[2] - blue) ** 2;
}

/** For each cell of the colour cube, how a colour in it is turned into a place on the map. */
function inverted(look: Look): Float32Array {
  const pieces = piecesOf(thinned(rgbAlong(look.colormap), MOST_PIECES + 1));
  const others = beside(look);
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
    const other = others.find(([rgb]) => {
      const far = distance(rgb, red, green, blue);
      return far < NEAR ** 2 && far <= least;
    });
    if (other) {
      cells[c] = other[1];
      continue;
    }
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

/** Looks of the same key have the same inverse: where their window lies does not matter. */
export function inverseKey(look: Look): string {
  const { colormap, below_color = "", above_color = "", no_value_color = "" } = look;
  const others = below_color + above_color ? `${below_color},${above_color},${look.reverse}` : "";
  return `${colormap} ${others} ${no_value_color}`;
}

/** Takes about 20 ms the first time that a map is asked for. */
export function inverseOf(look: Look): Float32Array {
  const key = inverseKey(look);
  let found = inverses.get(key);
  if (!found) {
    // Of a map that is being made, or a colour that is being chosen, there are many.
    if (inverses.size >= MOST_INVERSES) inverses.delete(inverses.keys().next().value ?? "");
    found = inverted(look);
    inverses.set(key, found);
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
    placesOf(new Uint8ClampedArray(colours.buffer), as, places);
    const astray = places.filter((place, i) => Math.abs(place - i) > PLACES * ASTRAY).length;
    found = astray <= PLACES * FEW_ASTRAY;
    inversions.set(colormap, found);
  }
  return found;
}

/** Place on the colour map of every pixel of `pixels` (RGBA); `NOWHERE` for colours of no map. */
export function placesOf(pixels: Uint8ClampedArray, look: Look, places: Uint16Array): void {
  const cells = inverseOf(look);
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

/** As 32 bits of RGBA in memory. */
function wordOf([red, green, blue]: Rgb): number {
  return (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Values that the places of a picture drawn as `from` stand for; infinite where it was clipped. */
function valuesOf(from: Look): Float64Array {
  const low = from.level - from.window / 2;
  // What the window clipped has a colour of its own, or one of the map's ends.
  const [lowEnd, highEnd] = [from.below_color, from.above_color].map((hex) => (hex ? 1 : CLIPPED));
  return Float64Array.from({ length: PLACES }, (_, place) => {
    const upwards = from.reverse ? PLACES - 1 - place : place;
    if (upwards < (lowEnd ?? CLIPPED)) return Number.NEGATIVE_INFINITY;
    if (upwards >= PLACES - (highEnd ?? CLIPPED)) return Number.POSITIVE_INFINITY;
    return low + ((upwards + 0.5) / PLACES) * from.window;
  });
}

/** Colours (as 32 bits of RGBA in memory) that places of a picture drawn as `from` have as `to`. */
export function coloursOf(from: Look, to: Look): Uint32Array {
  const stops = rgbAlong(to.colormap);
  const low = to.level - to.window / 2;
  const [below, above] = [to.below_color, to.above_color].map((hex) => hex && wordOf(rgbOf(hex)));
  return Uint32Array.from(valuesOf(from), (value) => {
    const share = (value - low) / to.window;
    if (share < 0 && below) return below;
    if (share > 1 && above) return above;
    const inside = Math.min(Math.max(share, 0), 1);
    const stop = (to.reverse ? 1 - inside : inside) * (stops.length - 1);
    const s = Math.min(Math.floor(stop), stops.length - 2);
    const [a, b] = [stops[s] as Rgb, stops[s + 1] as Rgb];
    const mix = (c: 0 | 1 | 2): number => Math.round(a[c] + (b[c] - a[c]) * (stop - s));
    return wordOf([mix(0), mix(1), mix(2)]);
  });
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
