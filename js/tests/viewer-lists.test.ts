// @vitest-environment happy-dom
/** List boxes: what they show is what holds, also after a choice that did not come to hold. */
import { render } from "lit";
import { describe, expect, it } from "vitest";
import { type Cine, SPEEDS } from "../src/viewer/cine";
import { playControls } from "../src/viewer/playcontrols";

function listOf(speed: number) {
  const cine = { framesPerSecond: speed, end: "loop", setEnd() {} };
  const box = document.createElement("div");
  const draw = () =>
    render(playControls(cine as unknown as Cine, { what: "Slices", end: "the end" }), box);
  draw();
  const list = box.querySelector("select") as HTMLSelectElement;
  return { cine, draw, list };
}

describe("a list box", () => {
  it("goes back to what holds when another choice was not taken", () => {
    const { draw, list } = listOf(SPEEDS[1]);
    expect(list.value).toBe(String(SPEEDS[1]));
    // The browser has another one chosen by then; what is drawn is as before.
    list.selectedIndex = 3;
    expect(list.value).toBe(String(SPEEDS[3]));
    draw();
    expect(list.value).toBe(String(SPEEDS[1]));
  });

  it("shows a choice that came from elsewhere, after one of its own", () => {
    const { cine, draw, list } = listOf(SPEEDS[1]);
    list.selectedIndex = 3;
    list.dispatchEvent(new Event("change"));
    expect(cine.framesPerSecond).toBe(SPEEDS[3]);
    draw();
    cine.framesPerSecond = SPEEDS[1];
    draw();
    expect(list.value).toBe(String(SPEEDS[1]));
  });
});
