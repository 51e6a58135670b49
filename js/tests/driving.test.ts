/** Who may move the view: what is said of it, and to whom. */
import { beforeEach, describe, expect, it } from "vitest";
import { People } from "../src/people";
import { type ChatLine, MessageType, type SharedPerson, type ViewState } from "../src/protocol";
import type { Session } from "../src/session";
import { Actions } from "../src/viewer/actions";
import type { ViewContext } from "../src/viewer/context";
import { asker, watchPeople } from "../src/viewer/driving";
import { INFO, person, STATE } from "./fakes";

let people: People;
let noted: string[];
let said: string[];
let session: { people: People; role: string };

/** Here are these people, and this page is the first one's. */
function here(...all: SharedPerson[]): void {
  const you = all[0]?.id ?? "";
  session.role = all[0]?.role ?? "viewer";
  people.received({
    type: MessageType.PEOPLE,
    people: all,
    you,
    links: [],
    more: 0,
    may_call: true,
  });
}

beforeEach(() => {
  people = new People(() => true);
  [noted, said] = [[], []];
  session = { people, role: "viewer" };
  watchPeople({
    session,
    signal: new AbortController().signal,
    note: (message: string) => noted.push(message),
    say: (text: string) => said.push(text),
  } as unknown as ViewContext);
});

describe("a changed part in the session", () => {
  it("is said when control is lent, and when it is gone", () => {
    here(person("me"));
    here(person("me", { asks: true }));
    here(person("me", { role: "editor", is_lent: true }));
    here(person("me", { role: "editor", is_lent: true, drives: true }));
    here(person("me"));
    expect(noted).toEqual(["You drive now.", "You follow again."]);
  });

  it("is said when the owner gives another role", () => {
    here(person("me"));
    for (const role of ["annotator", "editor", "viewer", "viewer"] as const) {
      here(person("me", { role }));
    }
    expect(noted).toEqual([
      "You may draw now.",
      "You may drive now.",
      "You may look now, and no longer draw or drive.",
    ]);
  });

  it("is said once to who drives on loan and keeps it, as a new role", () => {
    here(person("me", { role: "editor", is_lent: true }));
    here(person("me", { role: "editor" }));
    expect(noted).toEqual([]);
  });

  it("is of nobody else, and nothing is said at the first sight", () => {
    here(person("me"), person("b"));
    here(person("me"), person("b", { role: "editor", is_lent: true }));
    expect(noted).toEqual([]);
  });
});

describe("a request to drive", () => {
  const asking = person("Mei", { asks: true });

  it("is for the owner and for editors who are none on loan", () => {
    const answers = (role: SharedPerson["role"], is_lent = false): boolean => {
      here(person("me", { role, is_lent }), asking);
      return asker(session as unknown as Session) !== undefined;
    };
    expect([answers("owner"), answers("editor"), answers("editor", true)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([answers("annotator"), answers("viewer")]).toEqual([false, false]);
  });

  it("is said once", () => {
    here(person("me", { role: "owner" }), person("Mei"));
    here(person("me", { role: "owner" }), asking);
    here(person("me", { role: "owner" }), asking);
    expect(said).toEqual(["Mei asks to drive"]);
  });
});

it("reads nothing aloud of what was said before this page came", () => {
  const old = { n: 1, who: "Mei", name: "Mei", text: "before", at_ms: 1 };
  people.received({ type: MessageType.CHAT, lines: [old] });
  here(person("me"), person("Mei"));
  expect([said, people.unread]).toEqual([[], 0]);
});

it("reads a new line of the chat aloud, not one's own", () => {
  const line = (n: number, who: string): ChatLine => ({
    n,
    who,
    name: who,
    text: "here",
    at_ms: n,
  });
  here(person("me"), person("Mei"));
  people.received({ type: MessageType.CHAT, lines: [line(1, "me")] });
  people.received({ type: MessageType.CHAT, lines: [line(2, "Mei")] });
  expect([said, people.unread]).toEqual([["Mei: here"], 1]);
  people.look({}, true); // an open chat is a log, which is read aloud by itself
  people.received({ type: MessageType.CHAT, lines: [line(3, "Mei")] });
  expect([said.length, people.lines.length]).toEqual([1, 3]);
});

it("a hand that may not move the view moves nothing, and is told so", () => {
  const sent: unknown[] = [];
  let refused = 0;
  const of = (role: string, info: object | null = INFO): Actions =>
    new Actions(
      {
        role,
        info,
        state: STATE as ViewState,
        ownView: { isOn: false },
        patch: (patch: unknown) => sent.push(patch),
      } as unknown as Session,
      () => {
        refused += 1;
      },
    );
  of("viewer", null).step(1); // nothing is shown yet
  of("viewer").step(1);
  of("annotator").zoomAtCentre(2);
  expect([sent, refused]).toEqual([[], 2]);
  of("editor").step(1);
  expect([sent.length, refused]).toEqual([1, 2]);
});
