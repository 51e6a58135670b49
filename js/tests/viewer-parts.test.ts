// @vitest-environment happy-dom
import { html, type TemplateResult } from "lit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ViewContext } from "../src/viewer/context";
import { CALM_MS, define, Part, SCROLL_MS } from "../src/viewer/part";

class Counting extends Part {
  drawn = 0;
  text = 0;
  override updated(): void {}

  protected override render(): TemplateResult {
    this.drawn++;
    return html`${this.text}`;
  }
}
define("counting-part", Counting);

function stage(apartMs: number) {
  const life = new AbortController();
  let changed = (): void => {};
  const context = {
    signal: life.signal,
    onChange: (listener: () => void) => {
      changed = listener;
    },
  } as unknown as ViewContext;
  const part = new Counting(context, apartMs);
  document.body.append(part);
  const change = (text: number): void => {
    part.text = text;
    changed();
  };
  return { part, change, end: () => life.abort() };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

/** One second of a picture that moves at 50 frames a second. */
async function scrub(change: (n: number) => void): Promise<void> {
  for (let n = 1; n <= 50; n++) {
    change(n);
    await vi.advanceTimersByTimeAsync(20);
  }
}

describe("a part beside the picture", () => {
  it("draws at most 25 times a second while the picture moves, and shows the last change", async () => {
    const { part, change } = stage(CALM_MS);
    await vi.advanceTimersByTimeAsync(100);
    part.drawn = 0;
    await scrub(change);
    await vi.advanceTimersByTimeAsync(CALM_MS);
    expect(part.drawn).toBeGreaterThan(20);
    expect(part.drawn).toBeLessThanOrEqual(27); // the first round may be half a one
    expect(part.renderRoot.textContent).toBe("50");
  });

  it("answers the first change after a rest at once", async () => {
    const { part, change } = stage(CALM_MS);
    await vi.advanceTimersByTimeAsync(500);
    change(7);
    await vi.advanceTimersByTimeAsync(0);
    expect(part.renderRoot.textContent).toBe("7");
  });

  it("draws nothing after its view has ended", async () => {
    const { part, change, end } = stage(CALM_MS);
    await vi.advanceTimersByTimeAsync(500);
    change(1);
    change(2);
    await vi.advanceTimersByTimeAsync(0);
    change(3);
    end();
    part.drawn = 0;
    await vi.advanceTimersByTimeAsync(500);
    expect(part.drawn).toBe(0);
  });

  it("on the picture itself, follows every frame", async () => {
    const { part, change } = stage(0);
    await vi.advanceTimersByTimeAsync(100);
    part.drawn = 0;
    await scrub(change);
    expect(part.drawn).toBe(50);
  });

  it("draws together with the others beside it, whenever each began", async () => {
    const stages = [stage(SCROLL_MS), stage(SCROLL_MS)];
    await vi.advanceTimersByTimeAsync(500);
    stages[0]?.change(1);
    await vi.advanceTimersByTimeAsync(25);
    stages[1]?.change(1);
    const times: number[][] = [];
    for (const { part } of stages) {
      const at: number[] = [];
      part.updated = () => at.push(performance.now());
      times.push(at);
    }
    await scrub((n) => {
      for (const { change } of stages) change(n);
    });
    expect(times[0]?.length).toBeGreaterThan(10);
    // The second began later and waits half a round more at most; from then on both go together.
    expect(times[1]?.slice(-10)).toEqual(times[0]?.slice(-10));
  });
});
