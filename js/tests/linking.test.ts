import { describe, expect, it } from "vitest";
import { Guide, gridMap } from "../src/linking";
import type { ViewState, VolumeInfo } from "../src/protocol";
import { contract } from "./contract";

const volumes = contract.linking.volumes as unknown as Record<string, VolumeInfo>;

function volume(name: string): VolumeInfo {
  const info = volumes[name];
  if (!info) throw new Error(`no volume ${name}`);
  return info;
}

describe("a view that follows another", () => {
  it.each(contract.linking.cases)("$name", (example) => {
    const guide = new Guide(
      volume(example.leader),
      volume(example.follower),
      new Set(example.what),
    );
    const [before, now, state] = [example.before, example.now, example.state] as unknown as [
      ViewState,
      ViewState,
      ViewState,
    ];
    const patch: Record<string, unknown> = { ...guide.patch(before, now, state) };
    const expected: Record<string, unknown> = example.patch;
    expect(Object.keys(patch)).toEqual(expect.arrayContaining(Object.keys(expected)));
    for (const [name, value] of Object.entries(patch)) {
      // Python leaves out what differs by rounding only.
      const wanted = expected[name] ?? state[name as keyof ViewState];
      [value].flat().forEach((number, i) => {
        expect(number, name).toBeCloseTo([wanted].flat()[i] as number, 8);
      });
    }
  });

  it("has no place in common with a volume of another shape and without coordinates", () => {
    const other = { ...volume("generic"), affine: null };
    const axes = [{ ...other.axes[0], n: 5 }, other.axes[1], other.axes[2]] as const;
    expect(gridMap(volume("medical ras"), { ...other, axes })).toBeNull();
  });
});
