import { describe, expect, it } from "vitest";
import vectors from "../../tests/vectors/measures.json";
import { quantitiesOf } from "../src/annotations/measure";
import { crossesItself, isInside, simplify, toEighth, toSquare } from "../src/annotations/planar";
import type { Annotation } from "../src/annotations/types";
import { lengthText, quantityText, wordsOf } from "../src/annotations/words";
import type { VolumeInfo } from "../src/protocol";
import { item } from "./annotations-kit";

interface Table {
  readonly volumes: Readonly<Record<string, Partial<VolumeInfo>>>;
  readonly cases: readonly {
    readonly volume: string;
    readonly item: Partial<Annotation> & Pick<Annotation, "kind">;
    readonly quantities: readonly { name: string; value: number; unit: string }[];
  }[];
}

const table = vectors as unknown as Table;

describe("the measures made by hand", () => {
  it.each(
    table.cases.map(
      (example, i) => [`${i} ${example.volume} ${example.item.kind}`, example] as const,
    ),
  )("%s", (_, example) => {
    const info = table.volumes[example.volume] as VolumeInfo;
    const found = quantitiesOf(
      item(example.item.kind, example.item.points ?? [], example.item),
      info,
    );
    for (const { name, value, unit } of example.quantities) {
      const quantity = found.find((each) => each.name === name);
      expect(quantity?.unit).toBe(unit);
      const error = Math.abs((quantity?.value ?? Number.NaN) - value);
      expect(error).toBeLessThanOrEqual(1e-9 * Math.max(1, value));
    }
  });
});

describe("what has no measure says so", () => {
  const info = (name: string): VolumeInfo => table.volumes[name] as VolumeInfo;
  it("no angle between time and length", () => {
    const angle = item("angle", [
      [10, 4, 0],
      [10, 0, 0],
      [10, 4, 20],
    ]);
    expect(quantitiesOf(angle, info("seismic-time"))).toEqual([]);
    expect(wordsOf(angle, info("seismic-time"), null).more).toContain("no angle");
  });

  it("no area of a ring that crosses itself", () => {
    const bow = item(
      "polygon",
      [
        [10, 0, 0],
        [10, 10, 10],
        [10, 10, 0],
        [10, 0, 10],
      ],
      { axis: 0 },
    );
    expect(quantitiesOf(bow, info("seismic-depth"))).toEqual([]);
    expect(wordsOf(bow, info("seismic-depth"), null).main).toBe("crosses itself");
  });

  it("never a value that is not there yet", () => {
    const ring = item(
      "ellipse",
      [
        [10, 0, 0],
        [10, 10, 10],
      ],
      { axis: 0 },
    );
    expect(wordsOf(ring, info("seismic-depth"), null).more).toBe("computing…");
  });
});

describe("numbers as the field writes them", () => {
  it.each([
    [0.1234, "0.12"],
    [9.994, "9.99"],
    [9.996, "10.0"],
    [38.24, "38.2"],
    [99.96, "100"],
    [1234.4, "1\u202f234"],
  ])("%d is %s", (value, text) => expect(lengthText(value)).toBe(text));

  it("goes to kilometres over ten thousand metres", () => {
    expect(quantityText({ name: "distance", value: 12_400, unit: "m" })).toBe("12.4\u00a0km");
    expect(quantityText({ name: "distance", value: 9_900, unit: "m" })).toBe("9\u202f900\u00a0m");
  });
});

describe("plane geometry", () => {
  it("turns to the nearest 45 degrees and keeps the length", () => {
    const to = toEighth({ x: 0, y: 0 }, { x: 10, y: 1 });
    expect(to.x).toBeCloseTo(Math.sqrt(101), 9);
    expect(to.y).toBeCloseTo(0, 9);
  });

  it("makes squares towards the hand", () => {
    expect(toSquare({ x: 5, y: 5 }, { x: 2, y: 4 })).toEqual({ x: 2, y: 2 });
  });

  it("finds crossings of long rings", () => {
    const circle = Array.from({ length: 2000 }, (_, i) => ({
      x: Math.cos((2 * Math.PI * i) / 2000),
      y: Math.sin((2 * Math.PI * i) / 2000),
    }));
    expect(crossesItself(circle)).toBe(false);
    const knot = [...circle];
    [knot[10], knot[700]] = [knot[700] as never, knot[10] as never];
    expect(crossesItself(knot)).toBe(true);
  });

  it("keeps the vertices of a stroke that its line needs", () => {
    const stroke = Array.from({ length: 101 }, (_, i) => ({ x: i, y: i <= 50 ? 0 : i - 50 }));
    expect(simplify(stroke, 0.5)).toEqual([0, 50, 100]);
  });

  it("counts insides by the even-odd rule", () => {
    const ring = [
      { x: 0, y: 0 },
      { x: 10, y: 0 },
      { x: 10, y: 10 },
      { x: 5, y: 2 },
      { x: 0, y: 10 },
    ];
    expect(isInside(ring, { x: 5, y: 1 })).toBe(true);
    expect(isInside(ring, { x: 5, y: 8 })).toBe(false);
  });
});
