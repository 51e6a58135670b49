/** Colours that the session's user brought: maps, and colours and names of labels. */
import { bytesOf } from "./base64";
import { COLORMAPS, type LabelStyle, type OwnMap, type SetPalette } from "./protocol";

/** Of all sessions of the page; a server keeps 64 maps and 8 styles for each. */
const MOST_MAPS = 512;
const MOST_STYLES = 16;

/** Colours of the maps that came to this page, by name: a name is made from its colours. */
const stops = new Map<string, readonly string[]>();

/** Put last, in the place of what was not used for longest. */
function keep<T>(held: Map<string, T>, name: string, value: T, most: number): void {
  held.delete(name);
  held.set(name, value);
  for (const oldest of held.keys()) {
    if (held.size <= most) return;
    held.delete(oldest);
  }
}

function decoded({ colors }: OwnMap): readonly string[] {
  const bytes = bytesOf(colors);
  const hex = (byte: number | undefined): string => (byte ?? 0).toString(16).padStart(2, "0");
  return Array.from(
    { length: bytes.length / 3 },
    (_, i) => `#${hex(bytes[3 * i])}${hex(bytes[3 * i + 1])}${hex(bytes[3 * i + 2])}`,
  );
}

/** Colours of a map of a user's at equal steps from low to high; undefined for any other name. */
export function ownStops(name: string): readonly string[] | undefined {
  const found = stops.get(name);
  if (found) keep(stops, name, found, MOST_MAPS);
  return found;
}

export class Palettes {
  readonly #maps = new Map<number, OwnMap>();
  readonly #styles = new Map<string, LabelStyle>();
  /** Grows with everything that comes. */
  revision = 0;

  add({ palette, idx }: SetPalette): void {
    if (palette.kind === "map") {
      keep(stops, palette.name, decoded(palette), MOST_MAPS);
      // A new server may number it anew.
      for (const [at, { name }] of this.#maps) if (name === palette.name) this.#maps.delete(at);
      this.#maps.delete(idx);
      this.#maps.set(idx, palette);
    } else keep(this.#styles, palette.name, palette, MOST_STYLES);
    this.revision++;
  }

  /** Maps of this session, newest last. */
  get maps(): readonly OwnMap[] {
    return [...this.#maps.values()];
  }

  /** Name of the map that a picture was drawn with; "" if it is not known here. */
  nameOf(colormapIdx: number): string {
    return COLORMAPS[colormapIdx] ?? this.#maps.get(colormapIdx)?.name ?? "";
  }

  titleOf(name: string): string {
    const maps = this.maps;
    const at = maps.findIndex((map) => map.name === name);
    return maps[at]?.title || (at < 0 ? name : `Yours ${at + 1}`);
  }

  styleOf(name: string): LabelStyle | undefined {
    const found = this.#styles.get(name);
    if (found) keep(this.#styles, name, found, MOST_STYLES);
    return found;
  }
}
