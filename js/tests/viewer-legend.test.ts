import { describe, expect, it } from "vitest";
import { COLORMAP_HEX } from "../src/colormaps";
import type { Channel, SegmentationLook } from "../src/protocol";
import type { Session } from "../src/session";
import { colourIn, labelColour, labelsOf } from "../src/viewer/legend";

const CHANNEL = {
  is_label: true,
  value_min: 0,
  value_max: 3,
  label_names: {},
} as unknown as Channel;
const STYLE = {
  kind: "labels",
  name: "labels-00000001",
  colors: { "2": "#ff8800" },
  names: { "2": "salt" },
} as const;

describe("the legend of labels", () => {
  it("has the colours that the server gives", () => {
    const theirs = COLORMAP_HEX.labels.match(/.{6}/g) ?? [];
    expect(theirs.length).toBeGreaterThan(30);
    expect(theirs.map((_, value) => labelColour(value))).toEqual(theirs.map((hex) => `#${hex}`));
    expect(labelColour(1024)).toBe(labelColour(1));
  });

  it("gives a segmentation the colours that begin with another one", () => {
    const session = { palettes: { styleOf: () => STYLE } } as unknown as Session;
    const look = { first_color: 126, label_style: "" } as SegmentationLook;
    expect(colourIn(session, look, 1)).toBe(labelColour(127));
    expect(colourIn(session, look, -126)).toBe(labelColour(0 + 1023)); // never the background's
    expect(colourIn(session, look, 0)).toBe("#000000");
    expect(colourIn(session, look, 2)).toBe("#ff8800"); // the user's
    const { first_color: _, ...older } = look;
    expect(colourIn(session, older as SegmentationLook, 1)).toBe(labelColour(1));
  });

  it("lists the labels that there are, without the background", () => {
    expect(labelsOf(CHANNEL, undefined).map(({ value }) => value)).toEqual([1, 2, 3]);
  });

  it("lists only those with a name where some have one, the user's over the volume's", () => {
    const named = { ...CHANNEL, label_names: { "1": "shale", "2": "rock" } };
    expect(labelsOf(named, STYLE)).toEqual([
      { value: 1, name: "shale", colour: labelColour(1) },
      { value: 2, name: "salt", colour: "#ff8800" },
    ]);
  });
});
