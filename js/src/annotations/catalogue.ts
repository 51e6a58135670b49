/** The tools: what each makes, its key, its cursor and its words. The one place where they are listed. */
import type { IconName } from "../viewer/icons";
import type { Kind } from "./types";

export type ToolName = "select" | Kind | "region";

/** Under which button of the toolbar a tool lies. */
export type Family = "select" | "annotate" | "measure";

export interface ToolFacts {
  readonly name: ToolName;
  readonly title: string;
  readonly family: Family;
  /** Letter, as printed; with Shift. */
  readonly letter: string;
  readonly icon: IconName;
  /** What is made; null for the tool that selects. */
  readonly kind: Kind | null;
  /** Vertices it has at least and at most. */
  readonly min: number;
  readonly max: number;
  /** Drawn in one stroke. */
  readonly stroke?: boolean;
  /** The last vertex joins the first. */
  readonly closed?: boolean;
  /** What to do, for the line that says so and for people who hear the page. */
  readonly hint: string;
  /** The pointer over the picture; else a cross. */
  readonly cursor?: string;
  /** Vertices may lie on several sections. */
  readonly free?: boolean;
  /** The next one is begun when one ends; it ends, too, where the hand goes on elsewhere. */
  readonly series?: boolean;
  /** Only where it means something. */
  readonly only?: "seismic";
}

const CLICKS = "Click each vertex; double click or Enter ends";
const PICKS = "Click picks, on any sections; double click or Enter ends";
const STICKS = "Click each node; Enter ends a stick, Esc the fault";
const DRAG = "Drag, or click both ends";

export const TOOLS: readonly ToolFacts[] = [
  tool(
    "select",
    "Select and move",
    "select",
    "S",
    null,
    0,
    0,
    "Click a shape; drag it or its handles",
  ),
  tool("point", "Point and probe", "annotate", "P", "point", 1, 1, "Click the place"),
  {
    ...tool("text", "Text", "annotate", "T", "text", 1, 1, "Click the place, then type"),
    cursor: "text",
  },
  tool("arrow", "Arrow", "annotate", "A", "arrow", 2, 2, "Drag from tail to head"),
  tool("line", "Line", "annotate", "L", "line", 2, 2, DRAG),
  tool("polyline", "Polyline", "annotate", "Y", "polyline", 2, 2000, CLICKS),
  {
    ...tool("freehand", "Freehand", "annotate", "F", "freehand", 2, 2000, "Drag along"),
    stroke: true,
  },
  tool("distance", "Distance", "measure", "M", "distance", 2, 2, DRAG),
  tool("path", "Length of a path", "measure", "D", "path", 2, 2000, CLICKS),
  tool("angle", "Angle", "measure", "N", "angle", 3, 3, "Click end, vertex, end"),
  tool("cobb", "Cobb angle", "measure", "C", "cobb", 4, 4, "Drag one line, then the other"),
  tool(
    "rectangle",
    "Rectangle, statistics",
    "measure",
    "R",
    "rectangle",
    2,
    2,
    "Drag from corner to corner",
  ),
  tool(
    "ellipse",
    "Ellipse, statistics",
    "measure",
    "E",
    "ellipse",
    2,
    2,
    "Drag from corner to corner",
  ),
  {
    ...tool("polygon", "Polygon, statistics", "measure", "G", "polygon", 3, 2000, CLICKS),
    closed: true,
  },
  {
    ...tool(
      "region",
      "Freehand region, statistics",
      "measure",
      "O",
      "freehand",
      3,
      2000,
      "Drag around",
    ),
    stroke: true,
    closed: true,
  },
  tool("box", "3-D box, statistics", "measure", "X", "box", 2, 2, "Drag; its depth in other panes"),
  tool("profile", "Line profile", "measure", "I", "profile", 2, 2, DRAG),
  {
    ...tool("horizon", "Horizon", "annotate", "H", "horizon", 1, 2000, PICKS),
    only: "seismic",
    free: true,
  },
  {
    ...tool("fault", "Fault sticks", "annotate", "J", "fault", 2, 2000, STICKS),
    only: "seismic",
    series: true,
  },
];

function tool(
  name: ToolName,
  title: string,
  family: Family,
  letter: string,
  kind: Kind | null,
  min: number,
  max: number,
  hint: string,
): ToolFacts {
  const icon: IconName = name === "region" ? "freehand" : name === "path" ? "polyline" : name;
  return { name, title, family, letter, icon, kind, min, max, hint };
}

const BY_NAME = new Map(TOOLS.map((facts) => [facts.name, facts]));

export function toolOf(name: ToolName): ToolFacts {
  return BY_NAME.get(name) ?? (TOOLS[0] as ToolFacts);
}

/** "Shift + D"; the tool that selects has its letter alone. */
export function keyOf(facts: ToolFacts): string {
  return facts.name === "select" ? facts.letter : `Shift + ${facts.letter}`;
}

const NAMES: Readonly<Record<Kind, string>> = {
  point: "Point",
  text: "Text",
  arrow: "Arrow",
  line: "Line",
  polyline: "Polyline",
  freehand: "Freehand",
  rectangle: "Rectangle",
  ellipse: "Ellipse",
  polygon: "Polygon",
  box: "Box",
  distance: "Distance",
  path: "Path",
  angle: "Angle",
  cobb: "Cobb angle",
  horizon: "Horizon",
  fault: "Fault stick",
  profile: "Profile",
};

/** What a kind is called where an annotation has no label. */
export function kindName(kind: Kind): string {
  return NAMES[kind];
}
