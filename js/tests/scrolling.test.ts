import { describe, expect, it } from "vitest";
import { FIRST_STATUS } from "../src/status";
import { type Glimpse, onlyScrolled } from "../src/viewer/scrolling";
import { header, INFO, STATE } from "./fakes";

type Ui = Glimpse["ui"];
const AT = { x: 1, y: 2 };
const UI = {
  tool: "navigate",
  shown: header({ slice_idx: 3 }),
  cursor: { at: AT, voxel: [3, 1, 1] },
} as unknown as Ui;
const BEFORE: Glimpse = { ui: UI, state: STATE, status: FIRST_STATUS, info: INFO };

describe("scrolling", () => {
  it.each<[string, Partial<Glimpse>]>([
    ["nothing", {}],
    ["the slice wanted", { state: { ...STATE, revision: 9, slice_idx: [46, 54, 32] } }],
    ["the same pan in another list", { state: { ...STATE, pan: [0.5, 0.5] } }],
    ["the slice shown", { ui: { ...UI, shown: header({ slice_idx: 4, frame_no: 8, flags: 0 }) } }],
    ["the voxel under a resting pointer", { ui: { ...UI, cursor: { at: AT, voxel: [4, 1, 1] } } }],
  ])("is all that happened: %s", (_, after) => {
    expect(onlyScrolled(BEFORE, { ...BEFORE, ...after })).toBe(true);
  });

  it.each<[string, Partial<Glimpse>]>([
    ["another plane's slice", { state: { ...STATE, slice_idx: [45, 55, 32] } }],
    ["the plane", { state: { ...STATE, axis: 1 } }],
    ["the zoom", { state: { ...STATE, zoom: 2 } }],
    ["the pan", { state: { ...STATE, pan: [0.5, 0.6] } }],
    ["the window of the picture shown", { ui: { ...UI, shown: header({ window: 5 }) } }],
    ["the first picture", { ui: { ...UI, shown: null } }],
    ["the pointer", { ui: { ...UI, cursor: { at: { x: 2, y: 2 }, voxel: [3, 1, 1] } } }],
    ["the tool", { ui: { ...UI, tool: "window" } }],
    ["something new to this module", { ui: { ...UI, invented: 1 } as unknown as Ui }],
    ["the status", { status: { ...FIRST_STATUS } }],
    ["the volume", { info: null }],
  ])("is not all that happened: %s", (_, after) => {
    expect(onlyScrolled(BEFORE, { ...BEFORE, ...after })).toBe(false);
  });
});
