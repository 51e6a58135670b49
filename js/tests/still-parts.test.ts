import { describe, expect, it } from "vitest";
import { FrameFlags } from "../src/protocol";
import { StillParts } from "../src/still-parts";
import { header } from "./fakes";

const FLAGS = FrameFlags.STILL | FrameFlags.KEY | FrameFlags.PART;

function part(offset: number, total: number, bytes: number[]): Uint8Array {
  const data = new Uint8Array(8 + bytes.length);
  const view = new DataView(data.buffer);
  view.setUint32(0, offset, true);
  view.setUint32(4, total, true);
  data.set(bytes, 8);
  return data;
}

describe("parts of a still", () => {
  it("are a whole picture when the last one is here", () => {
    const parts = new StillParts();
    expect(parts.add(header({ flags: FLAGS, frame_no: 3 }), part(0, 5, [1, 2]))).toBeNull();
    const whole = parts.add(header({ flags: FLAGS, frame_no: 3 }), part(2, 5, [3, 4, 5]));
    expect([...(whole?.payload ?? [])]).toEqual([1, 2, 3, 4, 5]);
    expect(whole?.header.flags).toBe(FrameFlags.STILL | FrameFlags.KEY);
  });

  it("of a newer picture replace those of an older one", () => {
    const parts = new StillParts();
    parts.add(header({ frame_no: 3 }), part(0, 4, [1, 2]));
    parts.add(header({ frame_no: 4 }), part(0, 2, [8]));
    expect(parts.add(header({ frame_no: 3 }), part(2, 4, [3, 4]))).toBeNull();
  });

  it("of a picture that begins again replace those that came of it", () => {
    const parts = new StillParts();
    parts.add(header({ frame_no: 3 }), part(0, 4, [1, 2]));
    parts.add(header({ frame_no: 3 }), part(0, 4, [1, 2, 3]));
    expect([...(parts.add(header({ frame_no: 3 }), part(3, 4, [4]))?.payload ?? [])]).toEqual([
      1, 2, 3, 4,
    ]);
  });

  it("that do not fit are no picture", () => {
    const parts = new StillParts();
    parts.add(header({ frame_no: 3 }), part(0, 4, [1]));
    expect(parts.add(header({ frame_no: 3 }), part(2, 4, [3, 4]))).toBeNull();
    expect(parts.add(header({ frame_no: 3 }), part(1, 4, [3, 4, 5, 6]))).toBeNull();
    expect(parts.add(header({ frame_no: 3 }), new Uint8Array(3))).toBeNull();
  });
});
