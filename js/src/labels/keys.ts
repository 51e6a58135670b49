/** Keys of the tools that edit labels. */
import type { Key } from "../viewer/bindings";
import { BALL_KEY, factsOf, LABEL_TOOLS } from "./catalogue";
import type { LabelDesk } from "./desk";

/** True if the key was for us: it must go no further. */
export function labelKey(event: Key, desk: LabelDesk): boolean {
  if (event.isComposing || event.altKey) return false;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) return combination(key, event.shiftKey, desk);
  if (event.shiftKey) return false;
  // Digits by their place, as all keys of the viewer are: Shift prints them on a French keyboard.
  const tool = LABEL_TOOLS.find(
    ({ letter }) => letter.toLowerCase() === key || event.code === `Digit${letter}`,
  );
  if (tool && desk.target) {
    desk.pick(tool.name);
    return true;
  }
  return desk.isInHand && handKey(event, desk);
}

/** With a tool in hand, undo is of labels. */
function combination(key: string, shift: boolean, desk: LabelDesk): boolean {
  if (!desk.isInHand || (key !== "z" && key !== "y")) return false;
  desk.history(key === "y" || shift ? "redo" : "undo");
  return true;
}

function handKey({ key, code }: Key, desk: LabelDesk): boolean {
  const { gesture } = factsOf(desk.tool);
  if (key === "Enter" && gesture === "apply") return desk.apply();
  if (key === BALL_KEY || code === `Digit${BALL_KEY}`) {
    desk.toggle3d();
    return true;
  }
  if (key !== "[" && key !== "]") return false;
  desk.resize(key === "]");
  return true;
}
