/** Colour maps as CSS gradients and plain colours, for swatches, the colour bar and saved pictures. */
import { COLORMAP_STOPS } from "../colormaps";
import { COLORMAPS, type Colormap } from "../protocol";

const TITLES: Readonly<Record<Colormap, string>> = {
  grey: "Grey",
  seismic: "Blue–white–red",
  "red-white-blue": "Red–white–blue",
  "black-white-red": "Black–white–red",
  "brown-white-grey": "Brown–white–grey",
  petrel: "Blue–grey–yellow",
  viridis: "Viridis",
  magma: "Magma",
  inferno: "Inferno",
  turbo: "Turbo",
  bone: "Bone",
  hot: "Hot",
  labels: "Labels",
};

function isKnown(name: string): name is Colormap {
  return (COLORMAPS as readonly string[]).includes(name);
}

export function colormapTitle(name: string): string {
  return isKnown(name) ? TITLES[name] : name;
}

/** Colours from low to high. */
export function stopsOf(name: string, reverse: boolean): readonly string[] {
  const stops = COLORMAP_STOPS[isKnown(name) ? name : "grey"];
  return reverse ? [...stops].reverse() : stops;
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
