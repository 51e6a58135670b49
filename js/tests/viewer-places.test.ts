import { describe, expect, it } from "vitest";
import { makeVolume } from "../dev/volumes";
import type { VolumeInfo } from "../src/protocol";
import { positionText, type Voxel, worldOf } from "../src/viewer/axes";
import { isInside, parsePlace, voxelAt } from "../src/viewer/places";

// Lines of 12.5 and 25 m, turned against north; 4 ms downwards.
const survey: VolumeInfo = {
  ...makeVolume("seismic").info,
  affine: [10, -15, 0, 431000, 7.5, 20, 0, 6521000, 0, 0, 4, 100, 0, 0, 0, 1],
};
const head: VolumeInfo = {
  ...makeVolume("medical").info,
  affine: [-1, 0, 0, 90, 0, 1, 0, -126, 0, 0, 1, -72, 0, 0, 0, 1],
};
const AT: Voxel = [3, 5, 7];

function found(info: VolumeInfo, text: string): Voxel | null {
  const place = parsePlace(info, text, AT);
  return place && voxelAt(info, place);
}

describe("a place that is typed", () => {
  it("is map coordinates, at the depth that is shown where none is given", () => {
    const [x, y, z] = worldOf(survey, [20, 11, 30]) ?? [];
    expect(found(survey, `${x}, ${y}`)).toEqual([20, 11, 7]);
    expect(found(survey, `${x}; ${y}; ${z}`)).toEqual([20, 11, 30]);
    expect(found(survey, "431 035, 6 521 370")).toEqual([20, 11, 7]);
  });

  it("is read as the field of a medical volume shows it", () => {
    const voxel: Voxel = [60, 80, 40];
    expect(found(head, positionText(head, voxel))).toEqual(voxel);
    expect(found(head, "30, -46, -32")).toEqual(voxel);
    expect(found(head, "i 32 r 30 p 46")).toEqual(voxel);
  });

  it.each(["1412", "12,5", "1 412", "30, -46", "L 3 R 4 S 5", "a, b, c", "1, 2, 3, 4", ""])(
    "is not “%s”",
    (text) => {
      expect(parsePlace(head, text, AT)).toBeNull();
    },
  );

  it("is known to lie outside", () => {
    expect(isInside(head, found(head, "500, 0, 0") as Voxel)).toBe(false);
    expect(isInside(head, AT)).toBe(true);
  });

  it("needs a volume that has coordinates", () => {
    expect(parsePlace({ ...head, affine: null }, "1, 2, 3", AT)).toBeNull();
    expect(voxelAt({ ...head, affine: Array(16).fill(0) }, [1, 2, 3])).toBeNull();
  });
});
