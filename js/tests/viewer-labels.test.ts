// @vitest-environment happy-dom
import { render } from "lit";
import { describe, expect, it, vi } from "vitest";
import type { SegmentationInfo, SegmentationLook } from "../src/protocol";
import type { Session } from "../src/session";
import { movesSlider } from "../src/viewer/bindings";
import type { ViewContext } from "../src/viewer/context";
import { labelOpacity, strokeOpacity, withLabelOpacity } from "../src/viewer/labellooks";
import { opacityBar } from "../src/viewer/layerparts";

const LOOK: SegmentationLook = {
  ...{ name: "bodies", visible: true, opacity: 0.5, style: "fill", label_style: "", hidden: [] },
  opacities: { "3": 0.25 },
  first_color: 0,
};

describe("opacities of single labels", () => {
  it("are shares of their segmentation's, all of it where nothing is said", () => {
    expect([3, 4].map((value) => labelOpacity(LOOK, value))).toEqual([0.25, 1]);
    const { opacities: _, ...old } = LOOK; // as a recording has it that is older than they are
    expect(labelOpacity(old as SegmentationLook, 3)).toBe(1);
  });

  it("change one by one; what is as usual is not among them", () => {
    expect(withLabelOpacity(LOOK, 7, 0)).toEqual({ "3": 0.25, "7": 0 });
    expect(withLabelOpacity(LOOK, 3, 0.5)).toEqual({ "3": 0.5 });
    expect(withLabelOpacity(LOOK, 3, 1)).toEqual({});
    expect(LOOK.opacities).toEqual({ "3": 0.25 });
  });

  it("are those of strokes on their way, which are never quite clear", () => {
    const session = { state: { segmentations: [LOOK] } } as unknown as Session;
    const bodies = { name: "bodies" } as SegmentationInfo;
    expect([3, 4].map((value) => strokeOpacity(session, bodies, value))).toEqual([0.15, 0.5]);
    expect(strokeOpacity(session, null, 3)).toBe(0.5);
  });

  it("have a slider with a name, which those who only look cannot move", () => {
    const act = vi.fn();
    const bar = (canDrive: boolean): HTMLInputElement | null => {
      const context = { actions: { canDrive } } as unknown as ViewContext;
      const place = document.createElement("div");
      render(opacityBar(context, "salt in bodies", 0.25, act), place);
      return place.querySelector("input");
    };
    const slider = bar(true);
    expect(slider?.getAttribute("aria-label")).toBe("Opacity of salt in bodies");
    expect(slider?.getAttribute("aria-valuetext")).toBe("25 %");
    expect([slider?.value, slider?.disabled]).toEqual(["25", false]);
    if (slider) slider.value = "40";
    slider?.dispatchEvent(new Event("input"));
    expect(act).toHaveBeenCalledWith(0.4);
    expect(bar(false)?.disabled).toBe(true);
    const key = (name: string, more = {}): boolean =>
      movesSlider(slider ?? undefined, new KeyboardEvent("keydown", { key: name, ...more }));
    const moving = ["ArrowLeft", "ArrowUp", "PageDown", "Home", "End"];
    expect(moving.map((name) => key(name))).toEqual(moving.map(() => true));
    expect([key("d"), key("Escape"), key("ArrowLeft", { shiftKey: true })]).toEqual(
      [false, false, false], // which are the viewer's
    );
    const button = document.createElement("button");
    expect(movesSlider(button, new KeyboardEvent("keydown", { key: "Home" }))).toBe(false);
  });
});
