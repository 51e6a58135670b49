import { describe, expect, it, vi } from "vitest";
import { DEFAULTS, readPreferences, Settings } from "../src/viewer/settings";

function drawer() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
  };
}

describe("settings", () => {
  it("are there again on the next page, and tell who listens", () => {
    const store = drawer();
    const first = new Settings(() => store);
    const heard = vi.fn();
    const life = new AbortController();
    first.onChange(heard, life.signal);
    first.set({ mouse: "radiology", scrollStep: 5 });
    life.abort();
    first.set({ invertWheel: true });
    expect(heard).toHaveBeenCalledTimes(1);
    expect(new Settings(() => store).now).toEqual({
      mouse: "radiology",
      invertWheel: true,
      scrollStep: 5,
    });
  });

  it.each([
    () => null,
    () => {
      throw new DOMException("denied", "SecurityError");
    },
    () => ({
      getItem: () => null,
      setItem: () => {
        throw new DOMException("full", "QuotaExceededError");
      },
    }),
  ])("last as long as the page where nothing can be kept", (open) => {
    const settings = new Settings(open);
    expect(settings.now).toEqual(DEFAULTS);
    settings.set({ scrollStep: 2 });
    expect(settings.now.scrollStep).toBe(2);
  });

  it.each([null, "", "{", "null", "7", '{"mouse":"cat","scrollStep":3,"invertWheel":"yes"}'])(
    "take nothing from %s",
    (text) => {
      expect(readPreferences(text)).toEqual(DEFAULTS);
    },
  );
});
