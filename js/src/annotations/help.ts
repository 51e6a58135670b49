/** Rows of the help for annotations. */
import { keyOf, TOOLS } from "./catalogue";

interface Row {
  readonly action: string;
  readonly keys: readonly string[];
}

/** Keys of the tools come from their catalogue, so that the help cannot be wrong. */
export function annotationRows(): readonly Row[] {
  return [
    { action: "Measure, annotate: the last tool", keys: ["M", "A"] },
    ...TOOLS.map((tool) => ({ action: tool.title, keys: [keyOf(tool)] })),
    { action: "Draw by keyboard", keys: ["Arrows", "Enter"] },
    { action: "End the shape; last vertex back", keys: ["Enter", "Backspace"] },
    { action: "Straight, square", keys: ["Shift + drag"] },
    { action: "Next, previous annotation", keys: ["B", "Shift + B"] },
    { action: "Move what is selected by 1, 10 px", keys: ["Arrows", "Shift + arrows"] },
    { action: "Track the horizon here, over the volume", keys: ["K", "Shift + K"] },
    { action: "Label; lock; hide", keys: ["Enter", "L", "H"] },
    { action: "Delete", keys: ["Del"] },
    { action: "Take a vertex out", keys: ["Alt + click"] },
    { action: "Copy, paste, duplicate", keys: ["Ctrl + C", "V", "D"] },
    { action: "Group, ungroup", keys: ["Ctrl + G", "Ctrl + Shift + G"] },
    { action: "Undo, redo", keys: ["Ctrl + Z", "Ctrl + Shift + Z"] },
  ];
}
