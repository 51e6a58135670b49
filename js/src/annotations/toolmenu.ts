/** The menus of the tools, and which of them the toolbar shows as being in hand. */
import type { IconName } from "../viewer/icons";
import { type Family, keyOf, TOOLS, type ToolFacts, toolOf } from "./catalogue";
import type { Desk } from "./desk";

export interface ToolEntry {
  readonly label: string;
  readonly key: string;
  readonly icon: IconName;
  readonly checked: boolean;
  readonly disabled: boolean;
  readonly act: () => void;
}

export interface ToolHeading {
  readonly heading: string;
}

const HEADINGS: Readonly<Record<Family, string>> = {
  select: "Choose",
  annotate: "Annotate",
  measure: "Measure",
};

function entryOf(desk: Desk, facts: ToolFacts): ToolEntry {
  const { editor } = desk;
  const isInHand = desk.isAnnotating && editor.tool === facts.name;
  return {
    label: facts.title,
    key: keyOf(facts),
    icon: facts.icon,
    checked: isInHand,
    disabled: !editor.host.canEdit && facts.kind !== null,
    act: () => editor.pick(facts.name),
  };
}

/** The tools of a family; "tools": all of them. */
export function toolEntries(
  desk: Desk,
  wanted: Family | "tools",
): readonly (ToolEntry | ToolHeading)[] {
  const isSeismic = desk.editor.host.info?.kind === "seismic";
  const families = wanted === "tools" ? (["measure", "annotate"] as const) : [wanted];
  const entries = families.flatMap((family) => [
    { heading: HEADINGS[family] },
    ...TOOLS.filter((facts) => facts.family === family)
      .filter(({ only }) => only !== "seismic" || isSeismic)
      .map((facts) => entryOf(desk, facts)),
  ]);
  const why = desk.editor.host.canEdit ? [] : [{ heading: "You may look, not draw" }];
  return [...why, entryOf(desk, toolOf("select")), ...entries];
}

/** Picture of the family's button: of its tool in hand, or else of the family. */
export function familyIcon(desk: Desk, family: "annotate" | "measure"): IconName {
  if (isFamilyInHand(desk, family)) return desk.editor.facts.icon;
  return family === "annotate" ? "pen" : "ruler";
}

/** Choosing and moving is in both menus; the button of the annotations shows it. */
export function isFamilyInHand(desk: Desk, family: "annotate" | "measure"): boolean {
  const inHand = desk.editor.facts.family;
  return desk.isAnnotating && (inHand === "select" ? "annotate" : inHand) === family;
}
