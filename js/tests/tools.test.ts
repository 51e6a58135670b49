/** Every tool of every catalogue has a key that takes it, words that name the key, a pointer, a hint. */
import { describe, expect, it } from "vitest";
import { keyOf, TOOLS } from "../src/annotations/catalogue";
import { annotationRows } from "../src/annotations/help";
import { editorKey } from "../src/annotations/keys";
import { toolEntries } from "../src/annotations/toolmenu";
import { LABEL_TOOLS, labelRows } from "../src/labels/catalogue";
import { commandOf, helpRows, type Tool } from "../src/viewer/bindings";
import { VIEW_TOOLS } from "../src/viewer/viewtools";
import { Bench } from "./annotations-kit";

/** The press that prints this: "X", "4", "Shift + D". */
function press(printed: string) {
  const shiftKey = printed.startsWith("Shift + ");
  const letter = printed.replace("Shift + ", "");
  return {
    key: shiftKey ? letter : letter.toLowerCase(),
    code: /\d/.test(letter) ? `Digit${letter}` : `Key${letter}`,
    shiftKey,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    isComposing: false,
  };
}

const VIEW = Object.entries(VIEW_TOOLS);
const PRINTED = [
  ...VIEW.map(([name, { letter }]) => [name, letter] as const),
  ...TOOLS.map((facts) => [facts.name, keyOf(facts)] as const),
  ...LABEL_TOOLS.map(({ name, letter }) => [name, letter] as const),
];

describe("every tool", () => {
  it("has a key of its own", () => {
    const keys = PRINTED.map(([, key]) => key);
    expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
  });

  it.each(PRINTED)("%s is in the help with its key, %s", (_, key) => {
    expect(helpRows(["Inline"]).flatMap(({ keys }) => keys)).toContain(key);
  });
});

describe("tools of the view", () => {
  it.each(VIEW)("%s is taken by its key", (name, { title, letter, cursor }) => {
    expect(commandOf(press(letter), "navigate")).toEqual({ do: "tool", tool: name as Tool });
    expect([title, cursor].every(Boolean)).toBe(true);
  });
});

describe("tools of annotations", () => {
  it.each(TOOLS.map((facts) => [facts.name, facts] as const))("%s", (name, facts) => {
    const bench = new Bench();
    const host = { surface: bench.surface, isAnnotating: true, now: 0, follow: () => false };
    expect(editorKey(press(keyOf(facts)), bench.editor, host)).toBe(true);
    expect(bench.editor.tool).toBe(name);
    const desk = { editor: bench.editor, isAnnotating: true } as never;
    const family = facts.family === "select" ? "measure" : facts.family;
    const entries = toolEntries(desk, family).filter((entry) => "key" in entry);
    const active = entries.filter(({ checked }) => checked);
    expect(active.map(({ label, key }) => [label, key])).toEqual([[facts.title, keyOf(facts)]]);
    expect(facts.hint).not.toBe("");
    expect(annotationRows()).toContainEqual({ action: facts.title, keys: [keyOf(facts)] });
  });
});

describe("tools of labels", () => {
  it.each(LABEL_TOOLS.map((facts) => [facts.name, facts] as const))("%s", (_, facts) => {
    const { title, letter, hint } = facts;
    expect(commandOf(press(letter), "navigate")).toBeNull(); // it would hide the view's own
    expect(labelRows()).toContainEqual({ action: `Labels: ${title}`, keys: [letter] });
    expect(hint).not.toBe("");
  });
});
