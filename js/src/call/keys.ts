/** Push to talk: the key to the left of 1, whatever it prints. */
import type { Key } from "../viewer/bindings";
import type { LiveCall } from "./call";

/** As the help shows it. */
export const TALK_KEY = "`";

function isTalkKey({ key, code }: Pick<Key, "key" | "code">): boolean {
  // Some keyboards have a key of slices in time there.
  return key === TALK_KEY || (code === "Backquote" && key !== "<" && key !== ">");
}

/** True if the key was for us: who is muted is heard until it is let go. */
export function talkKey(event: Key & { repeat: boolean }, call: LiveCall): boolean {
  const isPlain = !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
  if (!isPlain || !isTalkKey(event) || !call.isIn || !call.hasMicrophone) return false;
  if (event.repeat || !call.isMuted) return true;
  call.hold(true);
  const done = new AbortController();
  const end = (): void => {
    done.abort();
    call.hold(false);
  };
  const released = (up: KeyboardEvent): void => {
    if (isTalkKey(up)) end();
  };
  const { signal } = done;
  window.addEventListener("keyup", released, { signal, capture: true });
  window.addEventListener("blur", end, { signal });
  return true;
}
