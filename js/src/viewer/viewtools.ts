/** The tools of the view itself: words, key and pointer of each. The one place where they are listed. */
import type { Tool } from "./bindings";

/** Those of annotations and labels have catalogues of their own. */
export type ViewTool = Exclude<Tool, "annotate" | "labels">;

export interface ViewToolFacts {
  readonly title: string;
  /** As printed. */
  readonly letter: string;
  /** The pointer over the picture. */
  readonly cursor: "grab" | "crosshair";
}

export const VIEW_TOOLS: Readonly<Record<ViewTool, ViewToolFacts>> = {
  navigate: { title: "Navigate", letter: "V", cursor: "grab" },
  crosshair: { title: "Crosshair", letter: "X", cursor: "crosshair" },
  window: { title: "Window and level", letter: "W", cursor: "crosshair" },
  fence: { title: "Fence through points", letter: "4", cursor: "crosshair" },
};
