// @vitest-environment happy-dom
/** The bar of a replay: where the keys go when what was pressed is gone. */
import { expect, it } from "vitest";
import { ReplayBar } from "../src/player/replaybar";
import type { Replayed } from "../src/player/replayed";
import type { ViewContext } from "../src/viewer/context";

function barOf(change: object, asked: string[]): ReplayBar {
  const { signal } = new AbortController();
  const context = {
    signal,
    onChange() {},
    say() {},
    ask: (what: string) => asked.push(what),
  } as unknown as ViewContext;
  const playback = {
    ...{ isOn: true, name: "talk.mp4", t: 1, duration: 9, playing: true, waits: false },
    ...{ chapters: [], mayDrive: true, speed: 1 },
    onChange() {},
    ...change,
  } as unknown as Replayed;
  const bar = new ReplayBar(context, playback);
  document.body.append(bar);
  return bar;
}

const focused = (bar: ReplayBar): string | null | undefined =>
  bar.shadowRoot?.activeElement?.getAttribute("part");

async function press(bar: ReplayBar, part: string, done: () => void): Promise<void> {
  await bar.updateComplete;
  bar.shadowRoot?.querySelector<HTMLElement>(`[part=${part}]`)?.focus();
  expect(focused(bar)).toBe(part);
  done();
  bar.requestUpdate();
  await bar.updateComplete;
}

it("keeps the keys where the voices are chosen once they are heard", async () => {
  const speakers = [{ id: "a", name: "Ann", color: "" }];
  const voices = { speakers, isHeldBack: true, isHeard: true, trouble: "" };
  const bar = barOf({ voices }, []);
  await press(bar, "hear", () => {
    voices.isHeldBack = false;
  });
  expect(focused(bar)).toBe("voices");
  (bar.shadowRoot?.activeElement as HTMLElement | null)?.blur();
  bar.remove();
});

it("gives them to the picture where nothing of it can be pressed", async () => {
  const asked: string[] = [];
  const playback = { voices: null, mayDrive: true };
  const bar = barOf(playback, asked);
  await press(bar, "end", () => {
    (bar as unknown as { playback: typeof playback }).playback.mayDrive = false;
  });
  expect(asked).toEqual(["focus"]);
});
