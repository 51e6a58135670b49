import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { WorkerMessage } from "../src/encoded-frames";
import { FakeImage, header } from "./fakes";

class FakeWorker extends EventTarget {
  static newest: FakeWorker;
  isTerminated = false;
  constructor(readonly address: string) {
    super();
    FakeWorker.newest = this;
  }
  tell(data: WorkerMessage): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
  terminate(): void {
    this.isTerminated = true;
  }
}

class FakeTransform {
  constructor(readonly worker: FakeWorker) {}
}

/** The module remembers what it learned; each test begins with a new one. */
async function open(receiver: { transform: unknown }) {
  vi.resetModules();
  const { receiveEncoded, takesEncoded } = await import("../src/encoded-receiver");
  const events = { frame: vi.fn(), wantKeyframe: vi.fn(), failed: vi.fn() };
  const ended = new AbortController();
  const again = () =>
    receiveEncoded(receiver as unknown as RTCRtpReceiver, "", events, ended.signal);
  return { isTaken: again(), again, takesEncoded, events, ended };
}

const receiver = { transform: null as unknown };

beforeEach(() => {
  receiver.transform = null;
  vi.stubGlobal("Worker", FakeWorker);
  vi.stubGlobal("VideoDecoder", class {});
  vi.stubGlobal("RTCRtpScriptTransform", FakeTransform);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("frames of a receiver", () => {
  it("go to a worker, and pictures come back until the connection ends", async () => {
    const { isTaken, events, ended } = await open(receiver);
    expect(isTaken).toBe(true);
    expect((receiver.transform as FakeTransform).worker).toBe(FakeWorker.newest);
    const image = new FakeImage() as unknown as VideoFrame;
    FakeWorker.newest.tell({ kind: "picture", header: header(), image, thereMs: 3 });
    FakeWorker.newest.tell({ kind: "want-keyframe" });
    expect(events.frame).toHaveBeenCalledWith({ header: header(), image, thereMs: 3 });
    expect(events.wantKeyframe).toHaveBeenCalledOnce();
    ended.abort();
    expect(FakeWorker.newest.isTerminated).toBe(true);
    const late = new FakeImage();
    FakeWorker.newest.tell({ kind: "want-keyframe" });
    FakeWorker.newest.tell({
      kind: "picture",
      header: header(),
      image: late as unknown as VideoFrame,
      thereMs: 4,
    });
    expect(late.isClosed).toBe(true);
    expect(events.frame).toHaveBeenCalledOnce();
    expect(events.wantKeyframe).toHaveBeenCalledOnce();
    expect(events.failed).not.toHaveBeenCalled();
  });

  it.each(["RTCRtpScriptTransform", "VideoDecoder", "Worker"])(
    "are the browser's own without %s",
    async (name) => {
      vi.stubGlobal(name, undefined);
      const { isTaken } = await open(receiver);
      expect(isTaken).toBe(false);
      expect(receiver.transform).toBeNull();
    },
  );

  it("are the browser's own where workers are forbidden", async () => {
    const forbidden = class {
      constructor() {
        throw new DOMException("", "SecurityError");
      }
    };
    vi.stubGlobal("Worker", forbidden);
    expect((await open(receiver)).isTaken).toBe(false);
  });

  it.each([
    ["cannot be decoded", () => FakeWorker.newest.tell({ kind: "unusable", reason: "so" })],
    ["get no worker", () => FakeWorker.newest.dispatchEvent(new Event("error"))],
  ])("that %s are left to the browser from then on", async (_what, fail) => {
    const { events, again } = await open(receiver);
    fail();
    expect(events.failed).toHaveBeenCalledOnce();
    expect(again()).toBe(false);
  });
});
