import { describe, expect, it } from "vitest";
import type { OverlayLook, ViewState } from "../src/protocol";
import type { ProbedValue, Session } from "../src/session";
import { commandOf } from "../src/viewer/bindings";
import { changedOverlays, overlaysText, swiped } from "../src/viewer/overlaylooks";
import { isCovered } from "../src/viewer/recolouring";
import { STATE } from "./fakes";

function look(name: string, fields: Partial<OverlayLook> = {}): OverlayLook {
  return {
    ...{ name, visible: true, opacity: 0.5, colormap: "hot", reverse: false, window: 2, level: 1 },
    ...{ threshold: null, two_sided: false, mode: "blend", tiles: 8, split: 0.5 },
    ...{ divider: "vertical", period_s: 1 },
    ...fields,
  };
}

function over(...overlays: OverlayLook[]): ViewState {
  return { ...STATE, overlays };
}

describe("overlays", () => {
  it("change one by one", () => {
    const [first, second] = changedOverlays(over(look("a"), look("b")), "b", { split: 0.25 });
    expect(first).toEqual(look("a"));
    expect(second).toEqual(look("b", { split: 0.25 }));
  });

  it("have a divider for the uppermost one that is swiped and seen", () => {
    const swipe = { mode: "swipe" } as const;
    const state = over(look("a", swipe), look("b", swipe), look("c", { ...swipe, visible: false }));
    expect(swiped(state)?.name).toBe("b");
    expect(swiped({ ...state, show_overlays: false })).toBeUndefined();
    expect(swiped(over(look("a")))).toBeUndefined();
  });

  it("say their values with their units", () => {
    const session = {
      segmentations: [{ name: "pet", channel: { unit: "SUV" } }],
    } as unknown as Session;
    const overlays = [
      ["pet", 4.1834],
      ["ct", null],
    ] as const;
    const read = { voxel: [0, 0, 0], value: 1, labels: [], overlays } as ProbedValue;
    expect(overlaysText(session, read)).toBe("pet 4.183 SUV, ct no data");
    expect(overlaysText(session, null)).toBe("");
  });

  it("keep the page from recolouring a picture in which they are", () => {
    expect(isCovered(over())).toBe(false);
    expect(isCovered(over(look("a")))).toBe(true);
    expect(isCovered(over(look("a", { opacity: 0 })))).toBe(false);
    expect(isCovered({ ...over(look("a")), show_overlays: false })).toBe(false);
  });

  it("go and come by keys of their own", () => {
    const plain = { code: "", ctrlKey: false, metaKey: false, altKey: false, isComposing: false };
    const press = (key: string, shiftKey = false): unknown =>
      commandOf({ ...plain, key, shiftKey }, "navigate");
    expect(press("Q", true)).toEqual({ do: "overlays" });
    expect(press("o")).toEqual({ do: "labels" });
    expect(press("q")).toEqual({ do: "bare" });
  });
});
