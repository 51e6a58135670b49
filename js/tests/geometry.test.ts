import { describe, expect, it } from "vitest";
import { placeSlice, planeOf, turnOf } from "../src/geometry";
import type { VolumeInfo } from "../src/protocol";
import { contract } from "./contract";

describe("the table that Python made", () => {
  it.each(contract.geometry)("$name", (example) => {
    const info = example.info as unknown as VolumeInfo;
    const { pan, ...rest } = example.view;
    const view = { ...rest, pan: pan as [number, number] };
    const placement = placeSlice(info, example.normal, view);
    expect(planeOf(info, example.normal, view.north_up, turnOf(view))).toEqual(example.plane);
    const rect = [placement.x0, placement.y0, placement.width, placement.height];
    rect.forEach((value, i) => {
      expect(value).toBeCloseTo(example.rect[i] ?? Number.NaN, 8);
    });
    const [x, y] = example.pixel as [number, number];
    const pixel = placement.toPixel(10, 20.25);
    expect(pixel.x).toBeCloseTo(x, 8);
    expect(pixel.y).toBeCloseTo(y, 8);
    const voxel = placement.toVoxel(x, y);
    expect(voxel.column).toBeCloseTo(10, 8);
    expect(voxel.row).toBeCloseTo(20.25, 8);
  });
});
