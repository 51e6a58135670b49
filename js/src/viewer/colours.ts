/** Colour maps as CSS gradients and plain colours, for swatches, the colour bar and saved pictures. */
import { COLORMAP_FAMILIES, COLORMAP_HEX } from "../colormaps";
import { ownStops } from "../palettes";
import { COLORMAPS, type Colormap } from "../protocol";

const TITLES: Readonly<Partial<Record<Colormap, string>>> = {
  seismic: "Blue–white–red",
  "red-white-blue": "Red–white–blue",
  "black-white-red": "Black–white–red",
  "brown-white-grey": "Brown–white–grey",
  petrel: "Blue–grey–yellow",
  bwr: "Pure blue–white–red",
  batlowk: "Batlow, from black",
  batloww: "Batlow, to white",
  romao: "Roma O",
  viko: "Vik O",
  broco: "Broc O",
  corko: "Cork O",
  rdbu: "Red–blue",
  rdgy: "Red–grey",
  puor: "Purple–orange",
  brbg: "Brown–blue–green",
  prgn: "Purple–green",
  nipy_spectral: "Nipy spectral",
  gist_earth: "Earth",
  afmhot: "Hot, longer (afmhot)",
  hsv: "Hue (hsv)",
};
/** More stops than that do not show in a swatch of 128 pixels or a bar of 200. */
const MOST_STOPS = 65;

const split = new Map<string, readonly string[]>();

function isKnown(name: string): name is Colormap {
  return (COLORMAPS as readonly string[]).includes(name);
}

export function colormapTitle(name: string): string {
  if (!isKnown(name)) return name;
  return TITLES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
}

/** Words by which a map is found, besides its title. */
export function colormapWords(name: string): string {
  return `${name} ${isKnown(name) ? (COLORMAP_FAMILIES[name] ?? "") : ""}`;
}

/** Colours from low to high at equal steps, as the map is told exactly. */
export function coloursAlong(name: string): readonly string[] {
  let stops = ownStops(name) ?? split.get(name);
  if (!stops) {
    const hex = COLORMAP_HEX[isKnown(name) ? name : "grey"];
    stops = Array.from({ length: hex.length / 6 }, (_, i) => `#${hex.slice(6 * i, 6 * i + 6)}`);
    split.set(name, stops);
  }
  return stops;
}

/** `n` of them at equal steps, both ends among them; all if there are fewer. */
export function thinned<T>(all: readonly T[], n: number): readonly T[] {
  if (all.length <= n) return all;
  const step = (all.length - 1) / (n - 1);
  return Array.from({ length: n }, (_, i) => all[Math.round(i * step)] as T);
}

/** Colours from low to high, as many as can be seen. */
export function stopsOf(name: string, reverse: boolean): readonly string[] {
  const stops = thinned(coloursAlong(name), MOST_STOPS);
  return reverse && name !== "labels" ? [...stops].reverse() : stops;
}

/** `towards`: "right" or "top", where the high values are. Labels show as bands. */
export function gradient(name: string, reverse: boolean, towards: "right" | "top"): string {
  const stops = stopsOf(name, reverse);
  if (name !== "labels") return `linear-gradient(to ${towards}, ${stops.join(", ")})`;
  const bands = stops.slice(0, 12);
  const share = 100 / bands.length;
  const list = bands.map((colour, i) => `${colour} ${i * share}% ${(i + 1) * share}%`);
  return `linear-gradient(to ${towards}, ${list.join(", ")})`;
}
