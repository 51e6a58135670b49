/** The tools that edit labels: key, picture and words of each. The one place where they are listed. */
import type { IconName } from "../viewer/icons";

export type LabelTool =
  | "paint"
  | "erase"
  | "threshold"
  | "fill"
  | "grow"
  | "cut"
  | "smooth"
  | "islands"
  | "interpolate";

export interface LabelToolFacts {
  readonly name: LabelTool;
  readonly title: string;
  /** As printed. */
  readonly letter: string;
  readonly icon: IconName;
  readonly hint: string;
  /** A brush is drawn along; else a click, an outline, or nothing: a button in the panel. */
  readonly gesture: "brush" | "click" | "outline" | "apply";
}

export const LABEL_TOOLS: readonly LabelToolFacts[] = [
  {
    name: "paint",
    title: "Paint",
    letter: "D",
    icon: "brush",
    hint: "Drag; [ and ] change the brush, 5 makes it a ball",
    gesture: "brush",
  },
  {
    name: "erase",
    title: "Erase",
    letter: "E",
    icon: "eraser",
    hint: "Drag; [ and ] change the brush, 5 makes it a ball",
    gesture: "brush",
  },
  {
    name: "threshold",
    title: "Paint inside the window",
    letter: "Y",
    icon: "window",
    hint: "Drag; only values between both ends of the window are painted",
    gesture: "brush",
  },
  {
    name: "fill",
    title: "Fill",
    letter: "K",
    icon: "bucket",
    hint: "Click: all that is joined to it and has its label",
    gesture: "click",
  },
  {
    name: "grow",
    title: "Grow a region",
    letter: "6",
    icon: "grow",
    hint: "Click: all that is joined to it and has nearly its value",
    gesture: "click",
  },
  {
    name: "cut",
    title: "Scissors",
    letter: "J",
    icon: "scissors",
    hint: "Drag around what goes; with Shift through all slices",
    gesture: "outline",
  },
  {
    name: "smooth",
    title: "Smooth",
    letter: "7",
    icon: "smooth",
    hint: "Enter smooths the label's surface",
    gesture: "apply",
  },
  {
    name: "islands",
    title: "Islands",
    letter: "8",
    icon: "islands",
    hint: "Enter takes separate pieces of the label away",
    gesture: "apply",
  },
  {
    name: "interpolate",
    title: "Fill between slices",
    letter: "9",
    icon: "interpolate",
    hint: "Enter fills the label in between the slices that it was drawn on",
    gesture: "apply",
  },
];

/** Makes the brush a ball, or a fill or region go through all slices. */
export const BALL_KEY = "5";

export function factsOf(tool: LabelTool): LabelToolFacts {
  return LABEL_TOOLS.find(({ name }) => name === tool) ?? (LABEL_TOOLS[0] as LabelToolFacts);
}

/** Rows of the help. */
export function labelRows(): readonly { action: string; keys: readonly string[] }[] {
  return [
    ...LABEL_TOOLS.map(({ title, letter }) => ({ action: `Labels: ${title}`, keys: [letter] })),
    { action: "Smaller, larger brush", keys: ["[", "]", "Shift + wheel"] },
    { action: "Labels: in three dimensions, in this slice", keys: [BALL_KEY] },
    { action: "Labels: do it; give a long edit up", keys: ["Enter", "Esc"] },
  ];
}
