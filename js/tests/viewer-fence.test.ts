import { describe, expect, it } from "vitest";
import type { PaneState, ViewState } from "../src/protocol";
import { crosshairOf } from "../src/viewer/crosshair";
import { fencePatch, type Node } from "../src/viewer/fence";
import { planesBeside, turnedPanes, uprightPanes } from "../src/viewer/planes";
import { sceneOf } from "../src/viewer/scene";
import { INFO, STATE } from "./fakes";

const POINTS: readonly Node[] = [
  [10, 20],
  [40, 60],
];
const PANE = { width: 480, height: 270, pixelRatio: 2 };

function panesOf(...axes: number[]): ViewState {
  const { axis: _, slice_idx, channel, window, level, colormap, reverse, zoom, pan } = STATE;
  const panes = axes.map(
    (axis) =>
      ({
        ...{ axis, slice_idx, channel, window, level, colormap, reverse, zoom, pan },
        ...{ stretch: 1, interpolate: true, rotation: 0, flip_x: false, flip_y: false },
        ...{ slab: 1, slab_mode: "max", section: null },
      }) as unknown as PaneState,
  );
  const [first] = axes;
  return { ...STATE, layout: "orthogonal", axis: first ?? 0, panes };
}

describe("a fence that was picked", () => {
  it("comes into the first pane that shows no horizontal slice", () => {
    const { panes } = fencePatch(panesOf(2, 1, 0), POINTS, 0, 2);
    expect(panes?.map(({ section }) => section?.kind)).toEqual([undefined, "fence", undefined]);
  });

  it("comes beside a pane that is alone", () => {
    const patch = fencePatch({ ...STATE, axis: 2 }, POINTS, 0, 2);
    expect(patch.layout).toBe("1x2");
    expect(patch.panes?.map(({ axis, section }) => [axis, section?.kind])).toEqual([
      [2, undefined],
      [0, "fence"],
    ]);
  });
});

describe("planes that are turned", () => {
  it("are lines at that angle on the other panes, until they are turned back", () => {
    const state = panesOf(2, 0, 1);
    const info = { ...INFO, affine: null };
    const panes = turnedPanes(info, state, 2, [0, 0, 1], Math.PI / 6);
    expect(panes.map(({ section }) => section?.kind)).toEqual([undefined, "oblique", "oblique"]);
    const turned = { ...state, panes };
    const scene = sceneOf(info, 2, state, PANE);
    const beside = planesBeside(scene, state.slice_idx, turned);
    const angles = crosshairOf(scene, state.slice_idx, beside)?.lines.map(({ angle }) => angle);
    expect(angles?.some((angle) => angle !== 0 && angle !== 90)).toBe(true);
    const back = turnedPanes(info, turned, 2, [0, 0, 1], -Math.PI / 6);
    expect(back.map(({ section }) => section)).toEqual([null, null, null]);
    expect(uprightPanes(turned).every(({ section }) => section === null)).toBe(true);
  });
});
