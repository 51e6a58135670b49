// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Frame } from "../src/session";

const FRAME_MS = 16;

class FakeVideoFrame {
  copies = 0;
  readonly displayWidth = 4;
  clone(): FakeVideoFrame {
    return this;
  }
  close(): void {}
  copyTo(): Promise<PlaneLayout[]> {
    this.copies++;
    return Promise.resolve([]);
  }
}

/** A page whose WebGL says that `renderer` draws; null: it has none. */
function page(renderer: string | null): void {
  const gl = {
    RENDERER: 1,
    getExtension: () => null,
    getParameter: () => renderer,
  };
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(
    (renderer === null ? null : gl) as never,
  );
  vi.stubGlobal("requestIdleCallback", (look: () => void) => look());
  vi.stubGlobal("VideoFrame", FakeVideoFrame);
  vi.stubGlobal("ImageData", class {});
}

/** How two frames in quick succession are put on the canvas. */
async function ways(): Promise<{ drawn: number; copied: number }> {
  const { Painter } = await import("../src/viewer/painter");
  const drawImage = vi.fn();
  const canvas = { width: 4, height: 2 };
  const brush = { canvas, drawImage, putImageData: () => {} };
  const painter = new Painter(brush as unknown as CanvasRenderingContext2D);
  const image = new FakeVideoFrame();
  const frame = { image, header: { width_px: 4, height_px: 2 } } as unknown as Frame;
  for (let turn = 0; turn < 2; turn++) {
    vi.spyOn(performance, "now").mockReturnValue(1000 + turn * FRAME_MS);
    painter.paint(frame, () => {});
  }
  return { drawn: drawImage.mock.calls.length, copied: image.copies };
}

describe("frames in motion", () => {
  beforeEach(() => vi.resetModules());

  it("are copied where the processor draws", async () => {
    page("ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)");
    expect(await ways()).toEqual({ drawn: 1, copied: 1 });
  });

  it("are copied where there is no WebGL", async () => {
    page(null);
    expect(await ways()).toEqual({ drawn: 1, copied: 1 });
  });

  it("are drawn where a graphics processor has them already", async () => {
    page("ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11 vs_5_0 ps_5_0)");
    expect(await ways()).toEqual({ drawn: 2, copied: 0 });
  });
});
