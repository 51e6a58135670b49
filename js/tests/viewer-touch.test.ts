// @vitest-environment happy-dom
/** What a pane tells its gestures of fingers, beside what a mouse does. */
import { expect, it, vi } from "vitest";
import { type Gestures, trackPointers } from "../src/viewer/pointer";

it("keeps the place that a finger pointed at when it is lifted, not that of a mouse that left", () => {
  const pane = document.createElement("div");
  const leave = vi.fn();
  trackPointers(pane, { leave } as unknown as Gestures, new AbortController().signal);
  pane.dispatchEvent(new PointerEvent("pointerleave", { pointerType: "touch" }));
  expect(leave).not.toHaveBeenCalled();
  pane.dispatchEvent(new PointerEvent("pointerleave", { pointerType: "mouse" }));
  expect(leave).toHaveBeenCalledOnce();
});
