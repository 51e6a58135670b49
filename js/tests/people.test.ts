/** People of a session: what the page keeps of them, and what it sends. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Errand, hubPageOf } from "../src/guest/hub";
import { codeOf, guestSocketUrls, Tickets } from "../src/guest/join";
import { isFinal, wordsFor } from "../src/guest/words";
import { mayDrive, People, POINTER_IDLE_MS, type PointerMark } from "../src/people";
import {
  type ChatLine,
  type Drawing,
  MAX_CHAT_LINES,
  MessageType,
  type SharedPerson,
} from "../src/protocol";
import { initials } from "../src/viewer/sharebutton";
import { person } from "./fakes";

const line = (n: number, who = "b"): ChatLine => ({ n, who, name: who, text: `${n}`, at_ms: 0 });

const mapStorage = (kept: Map<string, string>): Storage =>
  ({
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  }) as unknown as Storage;

describe("people", () => {
  let sent: unknown[];
  let people: People;
  const here = (...all: SharedPerson[]): void =>
    people.received({
      type: MessageType.PEOPLE,
      people: all,
      you: "a",
      links: [],
      more: 0,
      may_call: true,
    });

  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    people = new People((message) => sent.push(message) > 0);
  });
  afterEach(() => vi.useRealTimers());

  it("says nothing of the pointer while nobody else is here", () => {
    people.point([1, 2, 3]);
    here(person("a"));
    people.point([1, 2, 3]);
    expect(sent).toEqual([]);
  });

  it("tells where the pointer is to a recording, also where nobody else is here", () => {
    let isRecorded = false;
    people = new People(
      (message) => sent.push(message) > 0,
      () => isRecorded,
    );
    people.point([1, 2, 3]);
    isRecorded = true;
    people.point([4, 2, 3]);
    expect(sent).toEqual([{ type: MessageType.POINTER, voxel: [4, 2, 3] }]);
  });

  it("says nothing of the pointer of who may only look, where they are many", () => {
    const told = (role: "viewer" | "annotator"): void => {
      const all = [person("a", { role }), person("b")];
      people.received({
        type: MessageType.PEOPLE,
        people: all,
        you: "a",
        links: [],
        more: 260,
        may_call: true,
      });
      people.point([sent.length, 2, 3]);
      vi.advanceTimersByTime(1000);
    };
    told("viewer");
    expect([sent.length, people.count]).toEqual([0, 262]);
    told("annotator");
    expect(sent.length).toBe(1);
  });

  it("draws the pointers of who is here, by name", () => {
    here(person("a"), person("b"));
    const places = [
      { who: "b", voxel: [1, 2, 3] as const, drawing: null },
      { who: "gone", voxel: [1, 2, 3] as const, drawing: null },
    ];
    people.received({ type: MessageType.POINTER, places });
    expect(people.marks.map(({ name, place }) => [name, place])).toEqual([
      [person("b").name, [1, 2, 3]],
    ]);
  });

  it("draws those of a recording, and says so only where they changed", () => {
    const place = [1, 2, 3] as const;
    const mark = (name: string): PointerMark => ({
      who: name,
      name,
      color: "#123456",
      place,
      drawing: null,
    });
    people.play([mark("Mei")]);
    const before = people.revision;
    people.play([mark("Mei")]);
    expect([people.revision, people.marks]).toEqual([before, [mark("Mei")]]);
    people.play([mark("Ada")]);
    people.play([]);
    expect([people.revision, people.marks]).toEqual([before + 2, []]);
  });

  it("tells where the pointer is some times a second, the last place always", () => {
    here(person("a"), person("b"));
    for (let x = 0; x < 10; x++) people.point([x, 0, 0]);
    vi.advanceTimersByTime(1000);
    people.point(null);
    vi.advanceTimersByTime(1000);
    const voxels = sent.map((message) => (message as { voxel: unknown }).voxel);
    expect(voxels).toEqual([[0, 0, 0], [9, 0, 0], null]);
  });

  it("hides a pointer that nobody moves, and those of who has left", () => {
    here(person("a"), person("b"), person("c"));
    const at = [1, 2, 3] as const;
    const places = [
      { who: "b", voxel: at, drawing: null },
      { who: "c", voxel: at, drawing: null },
    ];
    people.received({ type: MessageType.POINTER, places });
    here(person("a"), person("b"));
    expect([...people.pointers.keys()]).toEqual(["b"]);
    vi.advanceTimersByTime(POINTER_IDLE_MS);
    expect(people.pointers.size).toBe(0);
  });

  it("tells what is drawn until it is not, and nothing of it while nobody else is here", () => {
    const line = { kind: "line", axis: 0, points: [[1, 2, 3]] } as const;
    const [view, other] = [{}, {}];
    people.draw(view, line);
    people.draw(view, null);
    expect(sent).toEqual([]);
    here(person("a"), person("b"));
    people.draw(view, line);
    people.draw(other, null); // another view of the page, in which nothing is drawn
    vi.advanceTimersByTime(1000);
    people.draw(view, null);
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([
      { type: MessageType.POINTER, voxel: null, drawing: line },
      { type: MessageType.POINTER, voxel: null },
    ]);
  });

  it("shows what others draw until they have done, or left", () => {
    here(person("a"), person("b"));
    const drawing = { kind: "line", axis: 0, points: [[1, 2, 3]] } as const;
    const told = (what: Drawing | null): void =>
      people.received({
        type: MessageType.POINTER,
        places: [{ who: "b", voxel: null, drawing: what }],
      });
    told(drawing);
    vi.advanceTimersByTime(2 * POINTER_IDLE_MS);
    expect(people.marks.map((mark) => mark.drawing)).toEqual([drawing]);
    told(null);
    expect(people.marks).toEqual([]);
    told(drawing);
    here(person("a"));
    expect(people.marks).toEqual([]);
  });

  it("takes the lines of a server that began anew", () => {
    const told = (...lines: ChatLine[]): void => people.received({ type: MessageType.CHAT, lines });
    told(line(1), line(2), line(3));
    people.lost();
    told(line(1), line(2), line(3), line(4)); // the same server: they are told again
    expect(people.lines.map(({ n }) => n)).toEqual([1, 2, 3, 4]);
    people.lost();
    told({ ...line(1), text: "new", at_ms: 99 });
    expect(people.lines.map(({ text }) => text)).toEqual(["new"]);
    told({ ...line(2), at_ms: 100 });
    expect(people.lines.length).toBe(2);
  });

  it("takes for read what was said before this page came, and counts what comes after", () => {
    const told = (...lines: ChatLine[]): void => people.received({ type: MessageType.CHAT, lines });
    told(line(1), line(2, "a"));
    told(line(3));
    here(person("a"), person("b"));
    expect([people.lines.length, people.unread]).toEqual([3, 0]);
    told(line(4, "a"), line(5));
    expect(people.unread).toBe(1);
    people.lost();
    told(...[1, 2, 3, 4, 5, 6].map((n) => line(n))); // one came during the break
    expect(people.unread).toBe(2);
    people.lost();
    told({ ...line(1), at_ms: 99 }); // a server that began anew knows of none of them
    expect([people.lines.length, people.unread]).toEqual([1, 1]);
  });

  it("counts nothing while a chat is in sight", () => {
    const told = (...lines: ChatLine[]): void => people.received({ type: MessageType.CHAT, lines });
    here(person("a"), person("b"));
    const [sheet, panel] = [{}, {}];
    told(line(1));
    people.look(sheet, true);
    people.look(panel, true);
    expect(people.unread).toBe(0);
    people.look(sheet, false);
    told(line(2));
    expect(people.unread).toBe(0);
    people.look(panel, false);
    told(line(3));
    expect(people.unread).toBe(1);
  });

  it("keeps each line once, and not too many", () => {
    people.received({ type: MessageType.CHAT, lines: [line(1), line(2)] });
    people.received({ type: MessageType.CHAT, lines: [line(1), line(2), line(3)] });
    expect(people.lines.map(({ n }) => n)).toEqual([1, 2, 3]);
    const many = Array.from({ length: MAX_CHAT_LINES + 5 }, (_, i) => line(4 + i));
    people.received({ type: MessageType.CHAT, lines: many });
    expect(people.lines).toHaveLength(MAX_CHAT_LINES);
    expect(people.lines.at(-1)?.n).toBe(MAX_CHAT_LINES + 8);
  });

  it("says no empty line", () => {
    expect(people.say("  ")).toBe(false);
    expect(people.say(" yes ")).toBe(true);
    expect(sent).toEqual([{ type: MessageType.CHAT, text: "yes" }]);
  });

  it("makes links whose secrets differ and are in the address alone", () => {
    const [first, second] = [0, 0].map(() => people.openLink("https://h/guest", "viewer", 60, 1));
    expect(first?.url).toMatch(/^https:\/\/h\/guest#[A-Za-z0-9_-]{32}$/);
    expect(first?.url).not.toBe(second?.url);
    expect(codeOf(new URL(first?.url ?? "").hash)).toHaveLength(32);
  });

  it("knows the person at this page and who drives", () => {
    here(person("a", { drives: true }), person("b"));
    expect([people.you?.id, people.driver]).toEqual(["a", undefined]);
    here(person("a"), person("b", { drives: true }));
    expect(people.driver?.id).toBe("b");
  });

  it("lets nobody drive who may only look or draw", () => {
    expect(["owner", "editor", "annotator", "viewer"].map(mayDrive)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it("shortens names to two letters", () => {
    expect(["Mei Tan", "Ravi", "anna von berg", ""].map(initials)).toEqual(["MT", "R", "AB", ""]);
  });

  it("takes no emoji and no letter of a name apart", () => {
    expect(["👩🏽‍🔬 Zoë", "🇳🇴 Ola Nordmann", "é"].map(initials)).toEqual(["👩🏽‍🔬Z", "🇳🇴N", "É"]);
  });
});

describe("the way in", () => {
  it("takes a code from behind the hash only where it can be one", () => {
    expect(codeOf(`#${"x".repeat(32)}`)).toBe("x".repeat(32));
    for (const hash of ["", "#", "#short", `#${"x".repeat(65)}`, `#${"<".repeat(32)}`]) {
      expect(codeOf(hash)).toBe("");
    }
  });

  it("finds the server beside the page, and sends it neither query nor code", () => {
    expect(guestSocketUrls("https://h/user/ann/blustream/guest?token=t#code")).toEqual([
      "wss://h/user/ann/blustream-direct/ws",
      "wss://h/user/ann/blustream/ws",
    ]);
  });

  it("is one address at JupyterHub's service, which says who comes", () => {
    expect(guestSocketUrls("https://h/services/blustream/0a/guest", true)).toEqual([
      "wss://h/services/blustream/0a/ws",
    ]);
    const pageWith = (name: string, content: string): Document =>
      ({
        querySelector: (query: string) =>
          query === `meta[name="blustream-${name}"]` ? { content } : null,
      }) as unknown as Document;
    expect(hubPageOf(pageWith("account", "bob"))).toEqual({ account: "bob", isToEnter: false });
    expect(hubPageOf(pageWith("enter", "enter"))).toEqual({ account: "", isToEnter: true });
    expect(hubPageOf(pageWith("other", "x"))).toBe(null);
  });

  it("keeps the code while its person logs in, and does not go round in circles", () => {
    let nowMs = 1e12;
    const errand = new Errand(mapStorage(new Map()), () => nowMs);
    expect(errand.begin("c")).toBe(true);
    errand.note();
    expect(errand.take()).toBe("c");
    expect(errand.take()).toBe("");
    expect(errand.begin("c")).toBe(false);
    expect(errand.take()).toBe("c"); // a person who begins by hand still has it
    nowMs += 31_000;
    expect(errand.begin("")).toBe(true);
    expect(new Errand(null).begin("c")).toBe(true);
  });

  it("comes back with what it has, as long as that is good", () => {
    const kept = new Map<string, string>();
    const storage = mapStorage(kept);
    const tickets = new Tickets(storage);
    expect(tickets.known).toBe(null);
    tickets.keep({ token: "t", expiresMs: Date.now() + 60_000 });
    expect(tickets.known?.token).toBe("t");
    tickets.keep({ token: "t", expiresMs: Date.now() - 1 });
    expect(tickets.known).toBe(null);
    kept.set("blustream-guest", "{");
    expect(tickets.known).toBe(null);
    expect(new Tickets(null).known).toBe(null);
  });

  it("has words for every way out, and tries again where that can help", () => {
    for (const code of ["removed", "link-expired", "link-full", "sharing-ended", "token", "link"]) {
      expect(wordsFor(code).title).not.toBe("");
      expect(isFinal(code)).toBe(true);
    }
    for (const code of ["unreachable", "session-full", "transport", "worker"]) {
      expect(isFinal(code)).toBe(false);
    }
    expect(wordsFor("something new").title).toBe("You cannot be let in");
  });
});
