/** Keys of the tools that edit labels. */
import type { Key } from "../viewer/bindings";
import { LABEL_TOOLS } from "./catalogue";
import type { LabelDesk } from "./desk";

/** True if the key was for us: it must go no further. */
export function labelKey(event: Key, desk: LabelDesk): boolean {
  if (event.isComposing || event.altKey) return false;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) return combination(key, event.shiftKey, desk);
  if (event.shiftKey) return false;
  const tool = LABEL_TOOLS.find(({ letter }) => letter.toLowerCase() === key);
  if (tool && desk.target) {
    desk.pick(tool.name);
    return true;
  }
  return desk.isInHand && brushKey(key, desk);
}

/** With a tool in hand, undo is of labels. */
function combination(key: string, shift: boolean, desk: LabelDesk): boolean {
  if (!desk.isInHand || (key !== "z" && key !== "y")) return false;
  desk.history(key === "y" || shift ? "redo" : "undo");
  return true;
}

function brushKey(key: string, desk: LabelDesk): boolean {
  if (key !== "[" && key !== "]") return false;
  desk.resize(key === "]");
  return true;
}
