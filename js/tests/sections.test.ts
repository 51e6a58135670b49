import { describe, expect, it } from "vitest";
import type { VolumeInfo } from "../src/protocol";
import {
  gridOf,
  liesLike,
  movedAlong,
  type Oblique,
  placeOf,
  planeAcross,
  projected,
  type Section,
  turned,
  type Vector,
} from "../src/sections";
import { contract } from "./contract";

const { volumes, cases } = contract.sections as unknown as {
  volumes: Record<string, VolumeInfo>;
  cases: readonly {
    name: string;
    volume: string;
    section: Section;
    columns: number;
    rows: number;
    steps: readonly [number, number];
    nodes: readonly number[];
    kind: string;
    down: string;
    place: Vector;
    turned?: Oblique;
  }[];
};

function infoOf(name: string): VolumeInfo {
  const info = volumes[name];
  if (!info) throw new Error(`no volume ${name}`);
  return info;
}

function expectClose(got: readonly number[], wanted: readonly number[], digits = 6): void {
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i] ?? Number.NaN, digits);
  });
}

describe("the table of sections that Python made", () => {
  it.each(cases)("$name", (example) => {
    const info = infoOf(example.volume);
    const grid = gridOf(info, example.section);
    expect([grid.nColumns, grid.nRows]).toEqual([example.columns, example.rows]);
    expectClose([grid.columnStep, grid.rowStep], example.steps);
    expectClose(grid.nodes, example.nodes);
    expect([grid.info.kind, grid.info.axes[2].name]).toEqual([example.kind, example.down]);
    expectClose(placeOf(grid, 12.25, 7.5), example.place);
    const { column, row, distance } = projected(info, grid, example.place);
    expectClose([column, row, distance], [12.25, 7.5, 0], 5);
    if (!example.turned || example.section.kind === "fence") return;
    const now = turned(example.section, [0.3, -1, 2], (77.7 * Math.PI) / 180, [1, 2, 3]);
    expectClose([...now.right, ...now.down], [...example.turned.right, ...example.turned.down]);
  });
});

describe("a plane", () => {
  const info = infoOf("seismic");
  const plane = planeAcross(info, 0, [45, 50, 20]);

  it("that is turned there and back lies as before", () => {
    const there = turned(plane, [0, 0, 1], 0.7, [45, 50, 20]);
    expect(liesLike(there, plane)).toBe(false);
    expect(liesLike(turned(there, [0, 0, 1], -0.7, [45, 50, 20]), plane)).toBe(true);
  });

  it("moves by voxels along its normal, and not out of the volume", () => {
    expect(movedAlong(info, plane, 3)?.origin).toEqual([48, 50, 20]);
    expect(movedAlong(info, plane, 46)).toBeNull();
  });
});
