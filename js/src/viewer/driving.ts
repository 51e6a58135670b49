/** Who may move the view, in words: what changes for this page, and why a hand moves nothing. */
import { mayDrive } from "../people";
import type { SharedPerson } from "../protocol";
import type { ViewContext } from "./context";

const MAY: Readonly<Record<string, string>> = {
  viewer: "You may look now, and no longer draw or drive.",
  annotator: "You may draw now.",
  editor: "You may drive now.",
};

type Words = readonly [message: string, hint: string];

/** Said to somebody whose part in the session has changed; null: it has not. */
export function changeWords(before: SharedPerson, now: SharedPerson): Words | null {
  if (now.is_lent && !before.is_lent) return ["You drive now.", "The others see what you do."];
  if (before.is_lent && !now.is_lent && !mayDrive(now.role)) return ["You follow again.", ""];
  if (now.is_lent || before.role === now.role || before.is_lent) return null;
  return [MAY[now.role] ?? "", ""];
}

export function followText(driver: string | undefined): string {
  return driver ? `You follow ${driver}` : "You follow the shared view";
}

/** Somebody asks to drive, and this page may answer. */
export function asker({ people, role }: ViewContext["session"]): SharedPerson | undefined {
  const mayAnswer = role === "owner" || (role === "editor" && people.you?.is_lent === false);
  return mayAnswer ? people.all.find(({ asks }) => asks) : undefined;
}

/** Tell of it once, to eyes or ears: a changed part, a request, a line of the chat. */
export function watchPeople(context: ViewContext): void {
  const { people } = context.session;
  let you = people.you;
  let asks = asker(context.session)?.id;
  let { unread } = people;
  people.onChange(() => {
    const now = people.you;
    const words = you && now && you.id === now.id ? changeWords(you, now) : null;
    if (words) context.note(...words);
    you = now ?? you;
    const next = asker(context.session);
    if (next && next.id !== asks) context.say(`${next.name} asks to drive`);
    asks = next?.id;
    const line = people.lines.at(-1);
    if (people.unread > unread && line) context.say(`${line.name}: ${line.text}`);
    ({ unread } = people);
  }, context.signal);
}
