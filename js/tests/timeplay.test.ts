import { describe, expect, it } from "vitest";
import { patchOf, traitsOf } from "../src/model";
import type { TimeAxis, ViewPatch, VolumeInfo } from "../src/protocol";
import type { Session } from "../src/session";
import { nearestStep, timeAt } from "../src/time";
import type { Actions } from "../src/viewer/actions";
import { commandOf } from "../src/viewer/bindings";
import { stepText, TimePlay, timeText } from "../src/viewer/timeplay";
import { INFO, STATE } from "./fakes";

const AXIS: TimeAxis = {
  n: 5,
  first: 10,
  step: 2.5,
  unit: "s",
  name: "time",
  values: [],
  names: [],
};
const UNEVEN: TimeAxis = { ...AXIS, values: [10, 11, 15, 90, 100] };

function series(time: TimeAxis | null): VolumeInfo {
  return { ...INFO, time };
}

function bench(time: TimeAxis | null) {
  const patches: ViewPatch[] = [];
  const session = { info: series(time), state: STATE };
  const actions = {
    patch: (patch: ViewPatch) => {
      patches.push(patch);
      session.state = { ...session.state, ...patch };
    },
  };
  let now = 0;
  let tick: (() => void) | null = null;
  const clock = {
    now: () => now,
    nextFrame: (callback: () => void) => {
      tick = callback;
      return () => {
        tick = null;
      };
    },
  };
  const play = new TimePlay(
    session as unknown as Session,
    actions as unknown as Actions,
    clock,
    () => undefined,
  );
  const goOn = (ms: number): void => {
    now += ms;
    tick?.();
  };
  return { play, patches, goOn };
}

describe("time of a series", () => {
  it("says the nearest step, as the kernel does", () => {
    for (const axis of [AXIS, UNEVEN]) {
      const times = [0, 1, 2, 3, 4].map((idx) => timeAt(axis, idx));
      for (let time = 0; time < 120; time += 0.4) {
        const away = times.map((at) => Math.abs(at - time));
        expect(nearestStep(axis, time)).toBe(away.indexOf(Math.min(...away)));
      }
    }
  });

  it("is written with its unit, or as the step's name", () => {
    expect(timeText(series(AXIS), 1)).toBe("12.5\u00a0s");
    expect(timeText(series({ ...AXIS, names: ["a", "b", "c", "d", "e"] }), 2)).toBe("c");
    expect(timeText(series(null), 0)).toBe("");
    expect(stepText(series({ ...AXIS, name: "frequency", unit: "Hz" }), 4)).toBe(
      "Frequency 20.0\u00a0Hz, step 5 of 5",
    );
  });

  it("is mirrored in the traits, both as step and as time", () => {
    expect(traitsOf({ ...STATE, time_idx: 3 }, series(AXIS))).toMatchObject({
      time_idx: 3,
      time: 17.5,
    });
    expect(patchOf("time", 14, STATE, series(AXIS))).toEqual({ time_idx: 2 });
    expect(patchOf("time_idx", 77, STATE, series(AXIS))).toEqual({ time_idx: 4 });
    expect(patchOf("time", Number.NaN, STATE, series(AXIS))).toBeNull();
    expect(patchOf("time_idx", 1, STATE, series(null))).toBeNull();
  });

  it("steps by hand, and no further than its ends", () => {
    const { play, patches } = bench(AXIS);
    play.step(1);
    play.step(9);
    play.step(1);
    play.goTo(-3);
    expect(patches).toEqual([{ time_idx: 1 }, { time_idx: 4 }, { time_idx: 0 }]);
  });

  it("is played at its speed and starts again; a step by hand ends that", () => {
    const { play, patches, goOn } = bench(AXIS);
    play.cine.framesPerSecond = 10;
    play.cine.start();
    for (let n = 0; n < 6; n++) goOn(100);
    expect(patches.map((patch) => patch.time_idx)).toEqual([1, 2, 3, 4, 0, 1]);
    play.step(1);
    expect(play.cine.playing).toBe(false);
  });

  it("is not played where there is no time axis", () => {
    const { play, patches, goOn } = bench(null);
    play.cine.start();
    goOn(500);
    expect([play.cine.playing, patches]).toEqual([false, []]);
  });

  it("has keys: < and >, and \\ to play", () => {
    const key = (name: string, shiftKey = false) =>
      commandOf(
        {
          key: name,
          code: "",
          shiftKey,
          ctrlKey: false,
          metaKey: false,
          altKey: false,
          isComposing: false,
        },
        "navigate",
      );
    expect(key("<", true)).toEqual({ do: "time", steps: -1 });
    expect(key("<")).toEqual({ do: "time", steps: -1 }); // a German keyboard
    expect(key(">", true)).toEqual({ do: "time", steps: 1 });
    expect(key("\\")).toEqual({ do: "playtime" });
  });
});
