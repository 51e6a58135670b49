import { afterEach, describe, expect, it, vi } from "vitest";
import { Abilities } from "../src/abilities";

afterEach(() => vi.unstubAllGlobals());

describe("whether who looks wants calm", () => {
  it.each([true, false])("is asked of the system, which says %s", (matches) => {
    const asked = vi.fn(() => ({ matches }));
    vi.stubGlobal("matchMedia", asked);
    const abilities = new Abilities(() => Promise.resolve({ pictures: ["h264"], reason: "" }));
    expect(abilities.wantsCalm).toBe(matches);
    expect(asked).toHaveBeenCalledWith("(prefers-reduced-motion: reduce)");
  });

  it("is not where nobody can be asked", () => {
    vi.stubGlobal("matchMedia", undefined);
    const abilities = new Abilities(() => Promise.resolve({ pictures: ["h264"], reason: "" }));
    expect(abilities.wantsCalm).toBe(false);
  });
});
