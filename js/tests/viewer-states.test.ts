import { describe, expect, it } from "vitest";
import { FIRST_STATUS } from "../src/status";
import { stateWords } from "../src/viewer/states";

describe("stateWords", () => {
  const sharpening = { ...FIRST_STATUS, phase: "live" as const, worker: "ready", progress: 0.4 };

  it("says how far the picture is", () => {
    expect(stateWords("sharpening", sharpening, true)[0]).toContain("40");
  });

  it("says that nothing more comes, and why, while the storage is out of reach", () => {
    const status = { ...sharpening, trouble: "The storage of v does not answer." };
    const [words, colour, besides] = stateWords("sharpening", status, true);
    expect([words, colour, besides]).toEqual([
      "Waiting for storage",
      "var(--warn)",
      "The storage of v does not answer.",
    ]);
  });
});
