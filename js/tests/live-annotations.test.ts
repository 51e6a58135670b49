import { beforeEach, describe, expect, it, vi } from "vitest";
import { Readings } from "../src/annotations/readings";
import { LiveAnnotations } from "../src/live-annotations";
import type { EditAnnotations, Measure } from "../src/protocol";
import { item } from "./annotations-kit";

const region = item(
  "rectangle",
  [
    [100, 10, 10],
    [100, 50, 60],
  ],
  { axis: 0 },
);
const told = { revision: 1, seq: 0, reset: true, more: false, can_undo: false, can_redo: false };
const none = { statistics: null, profile: null, value: null, spectrum: null, no_spectrum: "" };
const statistics = { ...none, quantities: [], progress: 1, done: true, error: "" };

describe("annotations over a connection", () => {
  let sent: (EditAnnotations | Measure)[];
  let link: LiveAnnotations;
  const questions = (): Measure[] => sent.filter((message): message is Measure => "n" in message);
  const answer = ({ n, id }: Measure): void => link.answered({ ...statistics, n, id });
  const view = (): Readings => new Readings(link.store, link, new AbortController().signal);

  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    link = new LiveAnnotations((message) => sent.push(message as Measure) > 0);
    link.received({ ...told, edits: [{ op: "put", item: region }] });
    return () => vi.useRealTimers();
  });

  it("answers two views that ask the same at once", () => {
    const views = [view(), view()];
    for (const each of views) each.want([region], 0);
    vi.advanceTimersByTime(1000);
    for (const question of questions().slice(-1)) answer(question); // the newest alone is answered
    expect(views.map((each) => each.of(region, 0)?.done)).toEqual([true, true]);
  });

  it("asks again over a new connection", () => {
    const one = view();
    one.want([region], 0);
    vi.advanceTimersByTime(1000);
    link.received({ ...told, edits: [{ op: "put", item: region }] });
    one.want([region], 0);
    vi.advanceTimersByTime(1000);
    expect(questions()).toHaveLength(2);
  });

  it("takes all annotations at once, however many messages they come in", () => {
    const seen: number[] = [];
    link.store.onChange(() => seen.push(link.store.items.length), new AbortController().signal);
    const other = item("point", [[100, 10, 10]]);
    link.received({ ...told, more: true, edits: [{ op: "put", item: region }] });
    link.received({ ...told, reset: false, edits: [{ op: "put", item: other }] });
    expect(seen).toEqual([2]);
  });
});
