// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { makeVolume } from "../dev/volumes";
import {
  DISPLAYS,
  type Oblique,
  type ViewPatch,
  type ViewState,
  type VolumeInfo,
} from "../src/protocol";
import { commandOf } from "../src/viewer/bindings";
import { isSamePlane, viewOf } from "../src/viewer/camera";
import type { ViewContext } from "../src/viewer/context";
import type { Item } from "../src/viewer/entries";
import { planeEntries } from "../src/viewer/planemenu";
import { DISPLAY_CHOICES, hasWiggles, wiggleStep, wiggleText } from "../src/viewer/wiggle";
import { cycleDisplay } from "../src/viewer/wigglecontrols";
import { header, STATE } from "./fakes";

const seismic = makeVolume("seismic").info;
const WIGGLE = { ...STATE, axis: 0, display: "wiggle" };

/** A section of so many traces and samples, at 0.8 px a trace in 160 x 160 pixels if there are 200. */
function section(traces: number): [VolumeInfo, ViewState] {
  const [inline, crossline, sample] = seismic.axes;
  const axes = [inline, { ...crossline, n: traces }, sample] as const;
  return [
    { ...seismic, axes },
    { ...WIGGLE, width_px: 160, height_px: 160 },
  ];
}

function contextOf(start: ViewState) {
  const said: string[] = [];
  const session = { info: seismic, state: start };
  const context = {
    session,
    actions: {
      isTurned: false,
      patch: (patch: ViewPatch) => {
        session.state = { ...session.state, ...patch };
      },
    },
    say: (words: string) => said.push(words),
    sayDone: (words: string) => said.push(words),
    note: (words: string) => said.push(words),
  } as unknown as ViewContext;
  return { context, session, said };
}

describe("wiggles", () => {
  it("are of sections alone, and say so where they cannot be", () => {
    expect(hasWiggles(seismic, WIGGLE)).toBe(true);
    expect(wiggleText(seismic, STATE)).toBe("");
    const map = { ...WIGGLE, axis: 2 };
    expect(hasWiggles(seismic, map)).toBe(false);
    expect(wiggleText(seismic, map)).toBe("Density: no traces in this plane");
    const channels = seismic.channels.map((channel) => ({ ...channel, is_label: true }));
    expect(wiggleText({ ...seismic, channels }, WIGGLE)).toBe("Density: labels have no traces");
    expect(hasWiggles(makeVolume("medical").info, WIGGLE)).toBe(false);
  });

  it("are of fences and planes that stand upright too", () => {
    const points = [
      [2, 3],
      [20, 30],
    ] as const;
    const fence = { ...WIGGLE, axis: 2, section: { kind: "fence", points } } as const;
    expect(wiggleText(seismic, { ...fence, width_px: 4000 })).toBe("Wiggle");
    const upright: Oblique = {
      kind: "oblique",
      origin: [9, 9, 9],
      right: [0.6, 0.8, 0],
      down: [0, 0, 1],
    };
    const tilted: Oblique = { ...upright, down: [0.8, -0.6, 1] };
    expect(hasWiggles(seismic, { ...WIGGLE, section: upright })).toBe(true);
    expect(hasWiggles(seismic, { ...WIGGLE, section: tilted })).toBe(false);
  });

  it.each([
    [200, 8, "Wiggle, every 8th trace"],
    [50, 2, "Wiggle, every 2nd trace"],
    [20, 1, "Wiggle"],
    [800, 32, "Wiggle, every 32nd trace"],
  ])("of %i traces in 160 pixels are every %ith", (traces, step, text) => {
    const [info, state] = section(traces);
    expect(wiggleStep(info, state)).toBe(step);
    expect(wiggleText(info, state)).toBe(text);
    // A section on its side has its traces across the height.
    expect(wiggleStep(info, { ...state, rotation: 90, width_px: 900 })).toBe(step);
    expect(wiggleText(info, { ...state, wiggle_polarity: "reverse" })).toBe(
      `${text}, reverse polarity`,
    );
  });

  it("go around by a key that names what comes", () => {
    const key = { code: "KeyW", ctrlKey: false, metaKey: false, altKey: false, isComposing: false };
    expect(commandOf({ ...key, key: "W", shiftKey: true }, "navigate")).toEqual({ do: "display" });
    const { context, session, said } = contextOf({ ...WIGGLE, display: "density" });
    const seen = [1, 2, 3].map(() => {
      cycleDisplay(context);
      return session.state.display;
    });
    expect(seen).toEqual(["wiggle", "wiggle+density", "density"]);
    expect(said[0]).toBe("Wiggle, variable area");
    session.state = { ...session.state, axis: 2 };
    cycleDisplay(context);
    expect(session.state.display).toBe("density");
    expect(said.at(-1)).toBe("No wiggles: no traces in this plane.");
  });

  it("are chosen in the menu, which has what the state can have", () => {
    expect(DISPLAY_CHOICES.map(([name]) => name).sort()).toEqual([...DISPLAYS].sort());
    const { context, session } = contextOf({ ...WIGGLE, display: "density" });
    const item = (label: string): Item =>
      planeEntries(context).find(
        (entry): entry is Item => entry !== "line" && "label" in entry && entry.label === label,
      ) as Item;
    expect(item("Fill peaks").disabled).toBe(true);
    item("Wiggle over density").act();
    expect(session.state.display).toBe("wiggle+density");
    item("Fill peaks").act();
    item("Reverse polarity").act();
    item("More excursion").act();
    expect(session.state).toMatchObject({
      wiggle_fill: false,
      wiggle_polarity: "reverse",
      wiggle_excursion: 1.25,
    });
    session.state = { ...session.state, axis: 2 };
    expect(item("Wiggle over density").disabled).toBe(true);
  });

  it("change nothing of where a picture lies", () => {
    const shown = header({ turn: 16 + 11 });
    expect(viewOf(shown)).toMatchObject({ rotation: 270, flip_x: false, flip_y: true });
    expect(isSamePlane(shown, { ...STATE, rotation: 270, flip_y: true })).toBe(true);
  });
});
