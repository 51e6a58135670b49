/** The tools that edit labels: key, picture and words of each. The one place where they are listed. */
import type { IconName } from "../viewer/icons";

export type LabelTool = "paint" | "erase" | "threshold" | "fill" | "cut";

export interface LabelToolFacts {
  readonly name: LabelTool;
  readonly title: string;
  /** As printed. */
  readonly letter: string;
  readonly icon: IconName;
  readonly hint: string;
  /** A brush is drawn along; else a click, or an outline. */
  readonly gesture: "brush" | "click" | "outline";
}

export const LABEL_TOOLS: readonly LabelToolFacts[] = [
  {
    name: "paint",
    title: "Paint",
    letter: "D",
    icon: "brush",
    hint: "Drag; [ and ] change the brush",
    gesture: "brush",
  },
  {
    name: "erase",
    title: "Erase",
    letter: "E",
    icon: "eraser",
    hint: "Drag; [ and ] change the brush",
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
    hint: "Click: all that is joined to it in this slice",
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
];

export function factsOf(tool: LabelTool): LabelToolFacts {
  return LABEL_TOOLS.find(({ name }) => name === tool) ?? (LABEL_TOOLS[0] as LabelToolFacts);
}

/** Rows of the help. */
export function labelRows(): readonly { action: string; keys: readonly string[] }[] {
  return [
    ...LABEL_TOOLS.map(({ title, letter }) => ({ action: `Labels: ${title}`, keys: [letter] })),
    { action: "Smaller, larger brush", keys: ["[", "]"] },
  ];
}
