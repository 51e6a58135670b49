import { describe, expect, it } from "vitest";
import { ownStops, Palettes } from "../src/palettes";
import { COLORMAPS, type LabelStyle, type OwnMap } from "../src/protocol";

const colors = btoa("\0\0\0\u00ff\u00ff\u00ff");

function map(n: number): OwnMap {
  return { kind: "map", name: `user-${n.toString(16).padStart(8, "0")}`, title: "", colors };
}

function style(n: number): LabelStyle {
  return { kind: "labels", name: `labels-${n}`, colors: {}, names: {} };
}

describe("the user's colours", () => {
  it("does not keep each one of thousands that were tried", () => {
    const palettes = new Palettes();
    for (let n = 0; n < 2000; n++) {
      palettes.add({ palette: map(n), idx: 128 + (n % 64) } as never);
      palettes.add({ palette: style(n), idx: 0 } as never);
      ownStops(map(0).name); // in use all the time
    }
    expect(palettes.maps).toHaveLength(64);
    expect(ownStops(map(0).name)).toEqual(["#000000", "#ffffff"]);
    expect(ownStops(map(1999).name)).toBeDefined();
    expect(palettes.styleOf(style(1999).name)).toBeDefined();
    const kept = Array.from({ length: 2000 }, (_, n) => n);
    expect(kept.filter((n) => ownStops(map(n).name)).length).toBeLessThan(600);
    expect(kept.filter((n) => palettes.styleOf(style(n).name)).length).toBeLessThan(50);
  });

  it("has a map once, though a new server numbers it anew", () => {
    const palettes = new Palettes();
    for (const idx of [130, 128]) palettes.add({ palette: map(7), idx } as never);
    expect(palettes.maps).toHaveLength(1);
    expect(palettes.nameOf(128)).toBe(map(7).name);
    expect(palettes.nameOf(0)).toBe(COLORMAPS[0]);
  });
});
