import { describe, expect, it } from "vitest";
import { COLORMAP_GROUPS } from "../src/colormaps";
import { Palettes } from "../src/palettes";
import { COLORMAPS, MessageType } from "../src/protocol";
import {
  coloursOf,
  isContinuous,
  isInvertible,
  type Look,
  lookOf,
  NOWHERE,
  PLACES,
  placesOf,
  recolour,
  sameLook,
} from "../src/viewer/recolour";
import { header } from "./fakes";

const MAPS = COLORMAPS.filter(isContinuous);
/** Phases end where they begin: both ends have one colour. */
const CYCLIC: readonly string[] = COLORMAP_GROUPS.Cyclic;
const look = (colormap: string, change: Partial<Look> = {}): Look => ({
  colormap,
  reverse: false,
  window: 200,
  level: 10,
  ...change,
});

/** A picture with every place of the map once, as the server draws it. */
function drawn(as: Look): Uint32Array {
  const straight = { ...as, reverse: false };
  const colours = coloursOf(straight, straight);
  return as.reverse ? colours.reverse() : colours;
}

function placesIn(picture: Uint32Array, as: string | Look): Uint16Array {
  const places = new Uint16Array(picture.length);
  const drawnAs = typeof as === "string" ? look(as) : as;
  placesOf(new Uint8ClampedArray(picture.slice().buffer), drawnAs, places);
  return places;
}

function recoloured(from: Look, to: Look): Uint32Array {
  const picture = drawn(from);
  const target = new Uint32Array(picture.length);
  recolour(picture, placesIn(picture, from), coloursOf(from, to), target);
  return target;
}

const bytes = (words: Uint32Array): Uint8Array => new Uint8Array(words.slice().buffer);

/**
 * Largest difference of a component at 98 of 100 places. Not of those that may have been clipped; the
 * others lie where a map bends back, or between two pictures' steps where it is steepest.
 */
function apart(a: Uint32Array, b: Uint32Array): number {
  const [one, other] = [bytes(a.subarray(32, -32)), bytes(b.subarray(32, -32))];
  const most = Array.from({ length: one.length / 4 }, (_, i) =>
    Math.max(...[0, 1, 2].map((c) => Math.abs((one[4 * i + c] ?? 0) - (other[4 * i + c] ?? 0)))),
  ).sort((x, y) => x - y);
  return most[Math.floor(most.length * 0.98)] ?? 0;
}

/** What the server will draw for the values of a picture drawn as `from`, none of them clipped. */
function truth(from: Look, to: Look): Uint32Array {
  const table = drawn(to);
  return Uint32Array.from({ length: PLACES }, (_, i) => {
    const value = from.level + ((i + 0.5) / PLACES - 0.5) * from.window;
    const share = (value - to.level) / to.window + 0.5;
    return table[Math.min(PLACES - 1, Math.max(0, Math.floor(share * PLACES)))] ?? 0;
  });
}

describe("another look for a picture that is there", () => {
  it.each(MAPS)("finds the place of every colour of %s", (colormap) => {
    const places = placesIn(drawn(look(colormap)), colormap);
    const ends = CYCLIC.includes(colormap) ? 32 : 0;
    const astray = places
      .map((place, i) => Math.abs(place - i))
      .subarray(ends, PLACES - ends)
      .sort();
    expect(astray[Math.floor(astray.length * 0.98)]).toBeLessThan(PLACES * 0.03);
    expect(isInvertible(colormap)).toBe(true);
  });

  it.each(MAPS)(
    "does not jump when nothing changes, nor when the true picture comes (%s)",
    (map) => {
      const from = look(map);
      expect(apart(recoloured(from, from), drawn(from))).toBeLessThan(16);
      for (const to of [
        look(map, { window: 240, level: 25 }),
        look(map, { reverse: true, window: 230 }),
        look(map === "grey" ? "seismic" : "grey"),
      ]) {
        expect(apart(recoloured(from, to), truth(from, to))).toBeLessThan(
          map === "nipy_spectral" ? 24 : 16, // whose colours jump
        );
      }
    },
  );

  it("takes a picture that was drawn in reverse for what it is", () => {
    const from = look("viridis", { reverse: true });
    const to = look("grey");
    expect(apart(recoloured(from, to), truth(from, to))).toBeLessThan(16);
  });

  it("leaves what the window clipped at the end of the map", () => {
    const grey = recoloured(
      look("grey", { window: 100, level: 0 }),
      look("grey", { window: 200, level: 0 }),
    );
    const red = bytes(grey).filter((_, i) => i % 4 === 0);
    expect([red[0], red[20], red.at(-20), red.at(-1)]).toEqual([
      0,
      expect.closeTo(64 + 3, -0.5),
      expect.closeTo(191 - 3, -0.5),
      255,
    ]);
  });

  it("leaves colours that are not on the map as they are", () => {
    const green = 0xff00ff00;
    const picture = Uint32Array.of(green, 0xfff7f7f7);
    const places = placesIn(picture, "seismic");
    expect([...places]).toEqual([NOWHERE, expect.closeTo(PLACES / 2, -1)]);
    const target = new Uint32Array(2);
    recolour(picture, places, coloursOf(look("seismic"), look("grey")), target);
    expect(target[0]).toBe(green);
    expect(target[1]).not.toBe(picture[1]);
  });

  it("knows how a picture was drawn, in the precision of its header", () => {
    const window = 1 / 3;
    const drawnSo = lookOf(
      header({ colormap_idx: 6, is_reversed: 1, window: Math.fround(window) }),
    );
    expect(drawnSo).toMatchObject({ colormap: "viridis", reverse: true });
    expect(sameLook(drawnSo, look("viridis", { reverse: true, window, level: 0 }))).toBe(true);
    expect(sameLook(drawnSo, look("viridis", { reverse: true, window: 0.34, level: 0 }))).toBe(
      false,
    );
  });

  const ENDS = { below_color: "#00ff00", above_color: "#ff00ff", no_value_color: "#ffff00" };
  const word = (hex: string): number => {
    const rgb = Number.parseInt(hex.slice(1), 16);
    return (0xff000000 | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
  };

  it.each([false, true])("clips with the colours of the ends (source reversed: %s)", (reverse) => {
    const from = look("seismic", { window: 100, level: 0, reverse });
    const to = look("grey", { window: 50, level: 0, ...ENDS });
    const colours = coloursOf(from, to);
    const [low, high] = reverse ? [800, 200] : [200, 800];
    expect(colours[low]).toBe(word(ENDS.below_color));
    expect(colours[high]).toBe(word(ENDS.above_color));
    expect(bytes(colours.slice(512, 513))[0]).toEqual(expect.closeTo(127, -0.5));
  });

  it.each([false, true])("knows clipped values by their colour (reversed: %s)", (reverse) => {
    const from = look("seismic", { window: 100, level: 0, reverse, ...ENDS });
    const picture = Uint32Array.from([ENDS.below_color, ENDS.above_color, "#f7f7f7"], word);
    const target = new Uint32Array(3);
    const to = { ...from, colormap: "grey", below_color: "#0000ff", above_color: "" };
    recolour(picture, placesIn(picture, from), coloursOf(from, to), target);
    const white = reverse ? word("#000000") : word("#ffffff");
    expect([target[0], target[1]]).toEqual([word("#0000ff"), white]);
    expect(bytes(target)[8]).toEqual(expect.closeTo(127, -1));
  });

  it("leaves the colour of no value alone", () => {
    const from = look("seismic", ENDS);
    const picture = Uint32Array.of(word(ENDS.no_value_color));
    expect([...placesIn(picture, from)]).toEqual([NOWHERE]);
  });

  it("takes a map of the user's like any other, and says which picture has it", () => {
    const colors = new Uint8Array(3 * PLACES);
    for (let i = 0; i < PLACES; i++) colors.set([i >> 2, 255 - (i >> 2), 40], 3 * i);
    const palettes = new Palettes();
    const name = "user-00c0ffee";
    const palette = {
      kind: "map",
      name,
      title: "Mine",
      colors: btoa(String.fromCharCode(...colors)),
    } as const;
    palettes.add({ type: MessageType.PALETTE, palette, idx: 130 });
    const drawnSo = lookOf(header({ colormap_idx: 130 }), { palettes, state: ENDS });
    expect(drawnSo).toMatchObject({ colormap: name, ...ENDS });
    expect([palettes.titleOf(name), isInvertible(name)]).toEqual(["Mine", true]);
    const [from, to] = [look(name), look("grey")];
    expect(apart(recoloured(from, to), truth(from, to))).toBeLessThan(16);
    const reversed = bytes(drawn(look(name, { reverse: true })).slice(100, 101));
    expect([...reversed]).toEqual([230, 25, 40, 255]);
    expect(lookOf(header({ colormap_idx: 131 }), { palettes, state: ENDS }).colormap).toBe("");
  });

  it("does not take a map for told that comes back to its own colours", () => {
    const colors = new Uint8Array(3 * PLACES);
    for (let i = 0; i < PLACES; i++) colors.set([i & 255, i & 255, 0], 3 * i);
    const palette = {
      kind: "map",
      name: "user-5a3f00d5",
      title: "",
      colors: btoa(String.fromCharCode(...colors)),
    } as const;
    new Palettes().add({ type: MessageType.PALETTE, palette, idx: 128 });
    expect(isInvertible(palette.name)).toBe(false);
  });

  it("is not made of names", () => {
    expect(isContinuous("labels")).toBe(false);
  });
});
