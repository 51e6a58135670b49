/** What keys and buttons do with the annotations of a view, beyond drawing and dragging by hand. */
import type { Point } from "../geometry";
import { kindName } from "./catalogue";
import { Draft } from "./draft";
import type { Editor, Surface } from "./editor";
import type { Annotation } from "./types";
import { titleOf, wordsOf } from "./words";

// ------------------------------------------------------------ drawing by keyboard

function penOn(editor: Editor, surface: Surface): Point {
  return editor.pen ?? { x: Math.round(surface.width / 2), y: Math.round(surface.height / 2) };
}

/** Move the keyboard's pointer, which begins in the middle of the pane. */
export function movePen(
  editor: Editor,
  surface: Surface,
  dx: number,
  dy: number,
  time: number,
): void {
  const from = penOn(editor, surface);
  editor.surface = surface;
  const at = {
    x: Math.min(Math.max(from.x + dx, 0), surface.width),
    y: Math.min(Math.max(from.y + dy, 0), surface.height),
  };
  editor.pen = at;
  const { section } = surface;
  if (section && editor.draft) editor.draft.move({ at, section, straight: false, time });
  editor.changed();
}

/** Enter: a vertex where the keyboard's pointer is; where one is already, the end of the shape. */
export function enter(editor: Editor, surface: Surface, time: number): void {
  const { section } = surface;
  if (!section) return;
  editor.surface = surface;
  if (!editor.pen && editor.draft) {
    editor.progress(editor.draft.finish());
    return;
  }
  const at = penOn(editor, surface);
  editor.pen = at;
  editor.draft ??= new Draft(editor.facts, section, (point) => editor.inside(point));
  const progress = editor.draft.enter({ at, section, straight: false, time });
  const count = editor.draft.points.length;
  editor.progress(progress);
  if (progress === "drawing") editor.host.say(`Vertex ${count}`);
}

// ------------------------------------------------------------ what is chosen

function counted(editor: Editor): string {
  const { selection } = editor;
  const one = selection.single;
  return one ? titleOf(one) : `${selection.size} annotations`;
}

/** Say what was done; always true, for keys. */
export function tell(editor: Editor, what: string): true {
  editor.host.say(`${counted(editor)} ${what}`);
  return true;
}

/** True if the key was for us. */
export function remove(editor: Editor): boolean {
  if (!editor.host.canEdit) return false;
  const words = counted(editor);
  const wanted = editor.selection.size;
  const removed = editor.selection.remove();
  if (removed > 0) editor.host.say(`${words} deleted`);
  if (removed < wanted) editor.host.note("A locked annotation stays.", "Unlock it with L first.");
  return true;
}

export function toggleLock(editor: Editor): void {
  if (!editor.host.canEdit) return;
  const locked = editor.selection.items.some((item) => !item.locked);
  editor.selection.setLocked(locked);
  tell(editor, locked ? "locked" : "unlocked");
}

export function toggleVisible(editor: Editor): void {
  if (!editor.host.canEdit) return;
  const visible = editor.selection.items.every((item) => !item.visible);
  editor.selection.setVisible(visible);
  tell(editor, visible ? "shown" : "hidden");
}

export function writeChosen(editor: Editor, surface: Surface | null): void {
  const { single } = editor.selection;
  if (!single) return;
  editor.surface = surface;
  editor.writeLabel(single);
}

export function chooseAll(editor: Editor, surface: Surface | null): boolean {
  const { section, index } = surface ?? {};
  if (!section || !index) return false;
  editor.selection.set(index.items.map(({ id }) => id));
  tell(editor, "selected");
  return true;
}

/** The next or previous annotation of the slice. */
export function step(editor: Editor, surface: Surface | null, by: 1 | -1): boolean {
  const items = surface?.index?.items ?? [];
  if (items.length === 0) return false;
  const { single } = editor.selection;
  const here = items.findIndex(({ id }) => id === single?.id);
  const next = items[(here < 0 ? (by > 0 ? 0 : -1) : here + by + items.length) % items.length];
  const chosen = next ?? items.at(-1);
  if (!chosen) return false;
  editor.selection.pick(chosen.id, { alone: true });
  editor.host.say(spoken(editor, chosen));
  return true;
}

/** Name, kind and measure, for people who hear the page. */
export function spoken(editor: Editor, item: Annotation): string {
  const { info } = editor.host;
  const words = info ? wordsOf(item, info, null) : null;
  return [titleOf(item), kindName(item.kind), words?.main].filter(Boolean).join(", ");
}

export function undo(editor: Editor): boolean {
  if (editor.draft) {
    editor.progress(editor.draft.back());
    return true;
  }
  if (!editor.host.canEdit || !editor.store.canUndo) return false;
  editor.store.undo();
  editor.host.say("Undone");
  return true;
}

export function redo(editor: Editor): boolean {
  if (!editor.host.canEdit || !editor.store.canRedo) return false;
  editor.store.redo();
  editor.host.say("Redone");
  return true;
}
