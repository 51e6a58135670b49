/** Keys of the annotations: tools by letter, and what is done to what is drawn or chosen. */
import type { Key } from "../viewer/bindings";
import { TOOLS, type ToolName } from "./catalogue";
import * as commands from "./commands";
import type { Editor, Surface } from "./editor";

/** What keys need of the view beside the editor. */
export interface KeyHost {
  /** The pane that keys act on. */
  readonly surface: Surface | null;
  /** A tool of annotations is in hand. */
  readonly isAnnotating: boolean;
  readonly now: number;
  /** Follow the chosen horizon; false if none is. */
  follow(over: "section" | "volume"): boolean;
}

const FAR = 10;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const BY_LETTER = new Map(
  TOOLS.filter(({ kind }) => kind !== null).map(({ letter, name }) => [letter, name]),
);

/** True if the key was for us: it must go no further. */
export function editorKey(event: Key, editor: Editor, host: KeyHost): boolean {
  if (event.isComposing) return false;
  if (event.ctrlKey || event.metaKey) return !event.altKey && combination(event, editor, host);
  if (event.altKey) return false;
  return (
    toolKey(event, editor) || drawingKey(event, editor, host) || chosenKey(event, editor, host)
  );
}

function toolKey(event: Key, editor: Editor): boolean {
  const { key } = event;
  const isSeismic = editor.host.info?.kind === "seismic";
  if (event.shiftKey) {
    const name = key.length === 1 ? BY_LETTER.get(key.toUpperCase()) : undefined;
    const facts = name && TOOLS.find((tool) => tool.name === name);
    if (!facts || (facts.only === "seismic" && !isSeismic)) return false;
    editor.pick(facts.name);
    return true;
  }
  const plain: Readonly<Record<string, () => ToolName>> = {
    s: () => "select",
    m: () => editor.lastOf("measure"),
    a: () => editor.lastOf("annotate"),
  };
  const pick = plain[key.toLowerCase()];
  if (!pick || key.length !== 1) return false;
  editor.pick(pick());
  return true;
}

// ------------------------------------------------------------ with a drawing tool in hand

function drawingKey(event: Key, editor: Editor, host: KeyHost): boolean {
  const { surface } = host;
  if (!host.isAnnotating || !editor.isDrawing || !surface?.section) return false;
  const arrow = ARROWS[event.key];
  if (arrow) {
    const by = event.shiftKey ? FAR : 1;
    commands.movePen(editor, surface, arrow[0] * by, arrow[1] * by, host.now);
    return true;
  }
  if (event.key === "Enter") {
    commands.enter(editor, surface, host.now);
    return true;
  }
  if (event.key === "Backspace" && editor.draft) {
    editor.progress(editor.draft.back());
    return true;
  }
  return false;
}

// ------------------------------------------------------------ with something chosen

function chosenKey(event: Key, editor: Editor, host: KeyHost): boolean {
  const { key } = event;
  if (key === "b" || key === "B") return commands.step(editor, host.surface, key === "b" ? 1 : -1);
  if (editor.selection.size === 0) return false;
  const arrow = ARROWS[key];
  if (arrow) {
    const by = event.shiftKey ? FAR : 1;
    const { surface } = host;
    if (!surface?.section || !editor.host.canEdit) return false;
    editor.selection.move(surface.section, arrow[0] * by, arrow[1] * by, editor.sizes, host.now);
    return true;
  }
  if (event.shiftKey) return key === "K" && host.follow("volume");
  const byKey: Readonly<Record<string, () => unknown>> = {
    Delete: () => commands.remove(editor),
    Backspace: () => commands.remove(editor),
    Enter: () => commands.writeChosen(editor, host.surface),
    F2: () => commands.writeChosen(editor, host.surface),
    l: () => commands.toggleLock(editor),
    h: () => commands.toggleVisible(editor),
    k: () => host.follow("section"),
  };
  const command = byKey[key.length === 1 ? key.toLowerCase() : key];
  return command !== undefined && command() !== false;
}

// ------------------------------------------------------------ with Ctrl or Cmd

/** Only what does something is taken: the rest is the page's and the browser's. */
function combination(event: Key, editor: Editor, host: KeyHost): boolean {
  const { store, selection } = editor;
  const section = host.surface?.section ?? null;
  const name = `${event.shiftKey ? "Shift+" : ""}${event.key.toLowerCase()}`;
  const chosen = selection.size > 0;
  switch (name) {
    case "z":
      return commands.undo(editor);
    case "Shift+z":
    case "y":
      return commands.redo(editor);
    case "a":
      return host.isAnnotating && commands.chooseAll(editor, host.surface);
    case "c":
      return chosen && selection.copy() > 0 && commands.tell(editor, "copied");
    case "x":
      return chosen && selection.copy() > 0 && commands.remove(editor);
    case "v":
      return section !== null && editor.host.canEdit && selection.paste(section, editor.sizes) > 0;
    case "d":
      return chosen && section !== null && selection.duplicate(section, editor.sizes) > 0;
    case "g":
      return (
        chosen && store.items.length > 0 && selection.group() && commands.tell(editor, "grouped")
      );
    case "Shift+g":
      return chosen && selection.ungroup() && commands.tell(editor, "ungrouped");
    default:
      return false;
  }
}
