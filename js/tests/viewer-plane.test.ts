import { describe, expect, it } from "vitest";
import { makeVolume } from "../dev/volumes";
import { placeSlice, planeOf, turnedPan, turnOf } from "../src/geometry";
import { OwnView } from "../src/own-view";
import type { ViewPatch, ViewState, VolumeInfo } from "../src/protocol";
import type { Session } from "../src/session";
import { Actions } from "../src/viewer/actions";
import { isSamePlane, viewOf } from "../src/viewer/camera";
import { modeText, slabText, thicknessText } from "../src/viewer/slab";
import { header, STATE } from "./fakes";

const medical = makeVolume("medical").info;
const seismic = makeVolume("seismic").info;

class StateOnly {
  readonly role = "owner";
  readonly ownView = new OwnView(() => false);
  constructor(
    readonly info: VolumeInfo,
    public state: ViewState,
  ) {}
  patch(patch: ViewPatch): void {
    this.state = { ...this.state, ...patch };
  }
  get actions(): Actions {
    return new Actions(this as unknown as Session);
  }
}

const TURNS = [0, 90, 180, 270].flatMap((rotation) =>
  [false, true].flatMap((flip_x) => [false, true].map((flip_y) => ({ rotation, flip_x, flip_y }))),
);

function lettersOf(session: StateOnly): readonly string[] {
  return planeOf(medical, session.state.axis, false, turnOf(session.state)).letters;
}

describe("turning by hand", () => {
  it.each(TURNS)("goes by what is seen: from %o", (turn) => {
    const session = new StateOnly(medical, { ...STATE, axis: 2, ...turn });
    const [left, right, top, bottom] = lettersOf(session);
    session.actions.rotate(1);
    expect(lettersOf(session)).toEqual([bottom, top, left, right]);
    session.actions.rotate(-1);
    expect(lettersOf(session)).toEqual([left, right, top, bottom]);
    session.actions.flip("x");
    expect(lettersOf(session)).toEqual([right, left, top, bottom]);
    session.actions.flip("y");
    expect(lettersOf(session)).toEqual([right, left, bottom, top]);
  });

  it("keeps the voxel in the middle where it is", () => {
    const session = new StateOnly(medical, { ...STATE, axis: 2, zoom: 3, pan: [0.2, 0.7] });
    const middle = (): Record<number, number> => {
      const placed = placeSlice(medical, 2, session.state);
      const { plane } = placed;
      const at = placed.toVoxel(480, 270);
      return { [plane.columnAxis]: at.column, [plane.rowAxis]: at.row };
    };
    const before = middle();
    for (const turn of TURNS) {
      session.actions.setTurn(turn);
      const now = middle();
      for (const axis of [0, 1]) expect(now[axis]).toBeCloseTo(before[axis] ?? 0, 6);
    }
    const { rotation, flip_x, flip_y } = session.state;
    expect(turnedPan(session.state.pan, { rotation, flip_x, flip_y }, turnOf({}))[0]).toBeCloseTo(
      0.2,
      9,
    );
  });

  it("is of one plane, and comes back with it", () => {
    const session = new StateOnly(medical, { ...STATE, axis: 2 });
    const { actions } = session;
    actions.rotate(1);
    actions.setAxis(0);
    expect(session.state.rotation).toBe(0);
    actions.setAxis(2);
    expect(session.state.rotation).toBe(90);
    actions.reset();
    expect(session.state.rotation).toBe(0);
  });

  it("is told from what a frame shows", () => {
    const state = { ...STATE, rotation: 270, flip_y: true };
    const shown = header({ turn: 11 });
    expect(viewOf(shown)).toMatchObject({ rotation: 270, flip_x: false, flip_y: true });
    expect(isSamePlane(shown, state)).toBe(true);
    expect(isSamePlane(header(), state)).toBe(false);
  });
});

describe("slabs in the words of the field", () => {
  const slab = { ...STATE, slab: 9, slab_mode: "max" };

  it("have a thickness in the unit of the axis", () => {
    const scan = { ...medical, world_unit: "mm" };
    const [a0, a1, a2] = scan.axes;
    const thin: VolumeInfo = { ...scan, axes: [a0, a1, { ...a2, spacing: 2.5 }] };
    expect(slabText(thin, { ...slab, axis: 2 })).toBe("MIP 22.5\u00a0mm");
    const time = seismic.axes[2];
    expect(thicknessText(seismic, 2, 9)).toBe(`${9 * time.step}\u00a0${time.unit}`);
    expect(thicknessText({ ...seismic, world_unit: "" }, 0, 9)).toBe("9 slices");
    expect(modeText(seismic, "min")).toBe("Minimum");
  });

  it("are none of one slice, nor of labels", () => {
    expect(slabText(seismic, STATE)).toBe("");
    const channels = seismic.channels.map((channel) => ({ ...channel, is_label: true }));
    expect(slabText({ ...seismic, channels }, slab)).toBe("");
  });

  it("of a section are as thick as its voxels across it, the shortest of a fence", () => {
    const at = { kind: "oblique", origin: [9, 9, 9] } as const;
    const scan = { ...medical, affine: null, world_unit: "mm" };
    const axes = scan.axes.map((axis) => ({
      ...axis,
      spacing: 2,
    })) as unknown as VolumeInfo["axes"];
    const plane = { ...slab, section: { ...at, right: [1, 1, 0], down: [0, 0, 1] } } as const;
    expect(slabText({ ...scan, axes }, plane)).toBe("MIP 18\u00a0mm");
    const tilted = { ...slab, section: { ...at, right: [0, 1, 0], down: [1, 0, 1] } } as const;
    expect(slabText({ ...seismic, world_unit: "m" }, tilted)).toBe("Maximum 9 planes");
    const [inline, crossline, sample] = seismic.axes;
    const survey: VolumeInfo = {
      ...{ ...seismic, affine: null, world_unit: "m" },
      axes: [{ ...inline, spacing: 25 }, { ...crossline, spacing: 12.5 }, sample],
    };
    const fence = (...points: [number, number][]): ViewState => ({
      ...slab,
      section: { kind: "fence", points },
    });
    expect(slabText(survey, fence([3, 1], [3, 9]))).toBe("Maximum 225\u00a0m");
    expect(slabText(survey, fence([3, 1], [3, 9], [7, 9]))).toBe("Maximum 113\u00a0m");
  });

  it("are not thicker than the volume", () => {
    const session = new StateOnly(seismic, STATE);
    session.actions.setSlab(10_000);
    expect(session.state.slab).toBe(Math.min(512, seismic.axes[0].n));
    session.actions.setSlab(-3);
    expect(session.state.slab).toBe(1);
  });
});
