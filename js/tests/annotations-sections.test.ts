/** Annotations on fences and oblique planes: where they lie in the volume, and where they are seen. */
import { describe, expect, it } from "vitest";
import { makeVolume } from "../dev/volumes";
import { Grid, keepGrid } from "../src/annotations/grids";
import { quantitiesOf } from "../src/annotations/measure";
import { GridSection } from "../src/annotations/oblique";
import { handlesOf, outlineOf, strokesOf } from "../src/annotations/shape";
import type { Point3 } from "../src/annotations/types";
import { placeSlice } from "../src/geometry";
import type { Fence, Oblique } from "../src/protocol";
import { gridOf, type Section, turned } from "../src/sections";
import { directionLetters, lettersOf, scaleBarOf } from "../src/viewer/rulers";
import { sceneOf } from "../src/viewer/scene";
import { Bench, item, volume } from "./annotations-kit";

const { info } = volume;
const PANE = { width: 1000, height: 500, pixelRatio: 1 };
const VIEW = { zoom: 1, pan: [0.5, 0.5] as const, stretch: 1, width_px: 1000, height_px: 500 };
const FENCE: Fence = {
  kind: "fence",
  points: [
    [10, 20],
    [60, 40],
    [30, 90],
  ],
};
const UPRIGHT: Oblique = {
  kind: "oblique",
  origin: [50, 60, 40],
  right: [0.6, 0.8, 0],
  down: [0, 0, 1],
};
const TILTED: Oblique = { ...UPRIGHT, down: [0.24, -0.18, Math.sqrt(0.91)] };

function on(section: Section, rotation = 0): GridSection {
  const placement = placeSlice(info, 0, { ...VIEW, section, rotation });
  return GridSection.on(info, gridOf(info, section), placement, { scale: 0.5, x: 7, y: 3 });
}

function near(a: Point3, b: Point3): void {
  for (const i of [0, 1, 2] as const) expect(a[i]).toBeCloseTo(b[i], 6);
}

/** A horizon through all nodes: linear in inline and crossline. */
function ramp(stride = 2): Grid {
  const [rows, columns] = info.axes.slice(0, 2).map(({ n }) => Math.ceil(n / stride)) as [
    number,
    number,
  ];
  const samples = Float32Array.from({ length: rows * columns }, (_, o) =>
    rampAt(Math.floor(o / columns) * stride, (o % columns) * stride),
  );
  return new Grid(rows, columns, stride, samples, 0, 100, samples.length, 1);
}

function rampAt(inline: number, crossline: number): number {
  return 10 + 0.25 * inline + 0.125 * crossline;
}

function within(at: number, axis: number, stride: number): number {
  const last = (Math.ceil((info.axes[axis]?.n ?? 1) / stride) - 1) * stride;
  return Math.min(Math.max(at, 0), last);
}

describe("a place on a section", () => {
  it.each([
    ["fence", FENCE, 0],
    ["plane", UPRIGHT, 0],
    ["tilted plane", TILTED, 0],
    ["plane on its side", TILTED, 90],
  ] as const)("of a %s comes back from its pixel, and moves with the hand", (_, section, turn) => {
    const shown = on(section, turn);
    for (const at of [
      { x: 200, y: 100 },
      { x: 380, y: 180 },
    ]) {
      const place = shown.toVoxel(at);
      expect(shown.toPixel(place).x).toBeCloseTo(at.x, 6);
      expect(shown.toPixel(place).y).toBeCloseTo(at.y, 6);
      expect(shown.depthOf(place)).toBeCloseTo(0, 6);
      const by = shown.moveOf(11, -7, at);
      const moved = shown.toPixel([place[0] + by[0], place[1] + by[1], place[2] + by[2]]);
      expect(moved.x).toBeCloseTo(at.x + 11, 5);
      expect(moved.y).toBeCloseTo(at.y - 7, 5);
    }
  });

  it("has a depth in voxels along the normal, which lifts it", () => {
    const shown = on(TILTED);
    const place = shown.lift({ x: 30, y: 20 }, 1.75);
    expect(shown.depthOf(place)).toBeCloseTo(1.75, 9);
    near(
      shown.toPixel(place) && shown.lift(shown.planeOf(place), 0),
      shown.lift({ x: 30, y: 20 }, 0),
    );
  });
});

describe("annotations on a section", () => {
  it("are on it within half a voxel, near it within two and a half", () => {
    const shown = on(TILTED);
    const at = (depth: number): Point3 => shown.lift({ x: 30, y: 20 }, depth);
    const presence = (depth: number): string => shown.presence(item("line", [at(0), at(depth)]));
    expect([0.4, 0.6, 2.4, 2.6].map(presence)).toEqual(["on", "near", "near", "off"]);
    // A shape with an inside is seen where all of it lies, not where two corners do.
    const [a, c] = [shown.lift({ x: 30, y: 20 }, 0), shown.lift({ x: 40, y: 25 }, 0)];
    expect(shown.presence(item("rectangle", [a, [a[0], c[1], c[2]]], { axis: 0 }))).toBe("off");
  });

  it("are drawn by hand where the hand is, in space", () => {
    const bench = new Bench();
    bench.surface.section = on(TILTED);
    bench.pick("distance");
    bench.drag(200, 100, 300, 160);
    const { kind, axis, points } = bench.only;
    expect([kind, axis]).toEqual(["distance", null]);
    const [a, b] = points;
    expect(a && bench.surface.section.toPixel(a).x).toBeCloseTo(200, 1);
    expect(b && bench.surface.section.toPixel(b).y).toBeCloseTo(160, 1);
    expect(bench.surface.section.presence(bench.only)).toBe("on");
  });

  it("take the four corners of a rectangle as a polygon, and ellipses and boxes not at all", () => {
    const bench = new Bench();
    bench.surface.section = on(UPRIGHT);
    bench.pick("rectangle");
    bench.drag(200, 100, 300, 160);
    const { kind, axis, points } = bench.only;
    expect([kind, axis, points.length]).toEqual(["polygon", null, 4]);
    const corners = points.map((point) => bench.surface.section.toPixel(point));
    corners.forEach(({ x, y }, i) => {
      expect(x).toBeCloseTo([200, 300, 300, 200][i] ?? 0, 0);
      expect(y).toBeCloseTo([100, 100, 160, 160][i] ?? 0, 0);
    });
    bench.pick("ellipse");
    bench.drag(200, 200, 300, 260);
    expect(bench.items.length).toBe(1);
    expect(bench.notes.at(-1)).toContain("drawn on slices");
  });

  it("have no area across a bend of a fence", () => {
    const bench = new Bench();
    const section = on(FENCE);
    bench.surface.section = section;
    const bend = section.pixelOf(section.laid(section.grid.nodes[1] ?? 0, 50)).x;
    bench.pick("rectangle");
    bench.drag(bend - 30, 100, bend + 30, 160);
    expect(bench.items.length).toBe(0);
    expect(bench.notes.at(-1)).toContain("bend");
    bench.pick("rectangle");
    bench.drag(bend + 5, 100, bend + 60, 160);
    expect(bench.only.kind).toBe("polygon");
  });

  it("move in their plane, and their handles too", () => {
    const bench = new Bench();
    bench.surface.section = on(TILTED);
    bench.pick("line");
    bench.drag(200, 100, 300, 160);
    bench.pick("select");
    bench.drag(300, 160, 340, 120); // the end
    bench.drag(270, 110, 280, 130); // the line itself
    const [a, b] = bench.only.points.map((point) => bench.surface.section.toPixel(point));
    expect(a?.x).toBeCloseTo(210, 0);
    expect(a?.y).toBeCloseTo(120, 0);
    expect(b?.x).toBeCloseTo(350, 0);
    expect(b?.y).toBeCloseTo(140, 0);
    expect(bench.surface.section.presence(bench.only)).toBe("on");
  });

  it("show a box where the plane cuts it, and a fault stick where it goes through a fence", () => {
    const plane = on(UPRIGHT);
    const centre = plane.lift({ x: 40, y: 40 }, 0);
    const box = item("box", [
      centre.map((v) => v - 5) as unknown as Point3,
      centre.map((v) => v + 5) as unknown as Point3,
    ]);
    expect(plane.presence(box)).toBe("on");
    const { chain } = outlineOf(box, plane);
    expect(chain.length).toBe(4);
    const rows = chain.map(({ y }) => (y - plane.offsetY) / plane.scaleY);
    expect(Math.max(...rows) - Math.min(...rows)).toBeCloseTo(10, 6);

    const fence = on(FENCE);
    const fault = item(
      "fault",
      [
        [35, 20, 10],
        [35, 40, 30],
      ],
      { axis: 0 },
    );
    expect(fence.presence(fault)).toBe("on");
    // The line goes through (35, 30) between its first two nodes, where the stick is half way.
    const [stroke] = strokesOf(fault, fence);
    const at = fence.toPixel([35, 30, 20]);
    const [p, q] = stroke?.chain ?? [];
    expect(((p?.x ?? 0) + (q?.x ?? 0)) / 2).toBeCloseTo(at.x, 6);
    expect(((p?.y ?? 0) + (q?.y ?? 0)) / 2).toBeCloseTo(at.y, 6);
    expect(handlesOf(fault, fence)).toEqual([null, null]);
    expect(
      fence.presence(
        item(
          "fault",
          [
            [35, 31, 10],
            [35, 40, 30],
          ],
          { axis: 0 },
        ),
      ),
    ).toBe("off");
  });
});

describe("a followed horizon", () => {
  it.each([
    ["fence", FENCE],
    ["upright plane", UPRIGHT],
    ["tilted plane", TILTED],
  ] as const)("is a line along a %s, where its samples are", (_, section) => {
    keepGrid("ramp", ramp());
    const shown = on(section);
    const horizon = item("horizon", [[0, 0, rampAt(0, 0)]], { grid: "ramp" });
    expect(shown.presence(horizon)).toBe("on");
    const places = strokesOf(horizon, shown).flatMap(({ chain }) =>
      chain.map((at) => shown.toVoxel(at)),
    );
    expect(places.length).toBeGreaterThan(50);
    for (const [inline, crossline, sample] of places) {
      // Beyond the outermost nodes it goes on level.
      const nodes = [inline, crossline].map((v, axis) => within(v, axis, 2)) as [number, number];
      expect(sample).toBeCloseTo(rampAt(...nodes), 3);
    }
  });

  it("ends where it was not followed", () => {
    const grid = ramp(1);
    const columns = info.axes[1].n;
    for (let o = 0; o < grid.samples.length; o++)
      if (o % columns > 30) grid.samples[o] = Number.NaN;
    keepGrid("short", grid);
    const shown = on(FENCE);
    const lines = strokesOf(item("horizon", [[0, 0, 10]], { grid: "short" }), shown);
    const places = lines.flatMap(({ chain }) => chain.map((at) => shown.toVoxel(at)));
    expect(Math.max(...places.map(([, crossline]) => crossline))).toBeLessThanOrEqual(30 + 1e-6);
    expect(Math.max(...places.map(([, crossline]) => crossline))).toBeGreaterThan(29);
  });
});

describe("numbers of what is drawn on a section", () => {
  it("are those of the world", () => {
    const medical = { ...makeVolume("medical").info, affine: null, world_unit: "mm" };
    const [one, two, three] = medical.axes;
    const cubes = {
      ...medical,
      axes: [
        { ...one, spacing: 2 },
        { ...two, spacing: 2 },
        { ...three, spacing: 2 },
      ] as const,
    };
    // A square with sides of 5 voxels, 10 mm, on a plane of 3 : 4 in the first two axes.
    const square: Point3[] = [
      [0, 0, 0],
      [3, 4, 0],
      [3, 4, 5],
      [0, 0, 5],
    ];
    const numbers = quantitiesOf(item("polygon", square), cubes);
    expect(numbers.map(({ name, unit }) => [name, unit])).toEqual([
      ["area", "mm²"],
      ["perimeter", "mm"],
    ]);
    expect(numbers[0]?.value).toBeCloseTo(100, 9);
    expect(numbers[1]?.value).toBeCloseTo(40, 9);
  });
});

describe("letters and the scale of a section", () => {
  const medical = makeVolume("medical").info;
  const ras = [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] as const;
  const patient = { ...medical, affine: [...ras] };
  const axial: Oblique = {
    kind: "oblique",
    origin: [20, 20, 20],
    right: [-1, 0, 0],
    down: [0, -1, 0],
  };
  const letters = (section: Section, rotation = 0): string =>
    lettersOf(sceneOf(patient, 2, { ...VIEW, section, rotation }, PANE)).letters.join();

  it("say one side, or two where it is turned", () => {
    expect(directionLetters([0, 1, 0])).toBe("A");
    expect(directionLetters([0.5, 1, 0])).toBe("AR");
    expect(directionLetters([-0.1, 0, -1])).toBe("I");
    expect(letters(axial)).toBe("R,L,A,P");
    const about: readonly [number, number, number] = [0, 0, 1];
    const byThirty = turned(axial, about, -Math.PI / 6, axial.origin);
    expect(letters(byThirty)).toBe("RP,LA,AR,PL");
    expect(letters(byThirty, 90)).toBe("PL,AR,RP,LA");
  });

  it("of a fence are those beyond its ends", () => {
    const points = [
      [10, 10],
      [10, 40],
      [40, 40],
    ] as const;
    // Index 0 falls to the right and index 1 to the front: away from the start lies A, ahead L.
    expect(letters({ kind: "fence", points })).toBe("A,L,S,I");
  });

  it("is no length where the screen's x runs across samples", () => {
    const bar = (section: Section, rotation = 0) =>
      scaleBarOf(sceneOf(info, 0, { ...VIEW, section, rotation }, PANE));
    expect(bar(UPRIGHT)).not.toBeNull();
    expect(bar(TILTED)).not.toBeNull();
    expect(bar(TILTED, 90)).toBeNull();
  });
});
