import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type DecodedMessage,
  givesPictures,
  takePictures,
  tellPictures,
} from "../src/decoded-frames";
import { startWorker } from "../src/worker-start";
import { FakeImage } from "./fakes";

class FakeWorker extends EventTarget {
  readonly given: unknown[][] = [];
  isTerminated = false;
  postMessage(...message: unknown[]): void {
    this.given.push(message);
  }
  tell(data: object): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
  terminate(): void {
    this.isTerminated = true;
  }
}

class DecodedImage extends FakeImage {
  constructor(private readonly rtpTimestamp?: number) {
    super();
  }
  metadata(): object {
    return { rtpTimestamp: this.rtpTimestamp };
  }
}

const asFrame = (image: FakeImage) => image as unknown as VideoFrame;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("pictures that the browser has decoded", () => {
  it("are told of by the worker, each with its timestamp and when it was there", async () => {
    vi.useFakeTimers();
    const told: [DecodedMessage, Transferable[]][] = [];
    let give: ReadableStreamDefaultController<VideoFrame> | undefined;
    const pictures = new ReadableStream<VideoFrame>({
      start: (controller) => {
        give = controller;
      },
    });
    const read = tellPictures(pictures, (...message) => told.push(message));
    const images = [new DecodedImage(100), new DecodedImage(), new FakeImage()].map(asFrame);
    const beginMs = performance.now();
    for (const image of images) {
      give?.enqueue(image);
      await vi.advanceTimersByTimeAsync(16);
    }
    give?.close();
    await read;
    expect(told.map(([{ image }]) => image)).toEqual(images);
    expect(told.map(([, transfer]) => transfer)).toEqual(images.map((image) => [image]));
    expect(told.map(([{ rtpTimestamp }]) => rtpTimestamp)).toEqual([100, undefined, undefined]);
    expect(told.map(([{ thereMs }]) => thereMs - beginMs)).toEqual([0, 16, 32]);
  });

  it("are given to the worker as a stream, and come back until the connection ends", () => {
    const readable = new ReadableStream();
    const asked: object[] = [];
    vi.stubGlobal(
      "MediaStreamTrackProcessor",
      class {
        readonly readable = readable;
        constructor(init: object) {
          asked.push(init);
        }
      },
    );
    const [track, worker, ended] = [
      {} as MediaStreamTrack,
      new FakeWorker(),
      new AbortController(),
    ];
    const shown: DecodedMessage[] = [];
    takePictures(
      track,
      worker as unknown as Worker,
      (picture) => shown.push(picture),
      ended.signal,
    );
    expect(givesPictures()).toBe(true);
    expect(asked).toEqual([{ track, maxBufferSize: 1 }]);
    expect(worker.given).toEqual([[readable, [readable]]]);
    const message = { kind: "decoded", image: new FakeImage(), rtpTimestamp: 7, thereMs: 1 };
    worker.tell({ kind: "want-keyframe" });
    worker.tell(message);
    ended.abort();
    const late = { ...message, image: new FakeImage() };
    worker.tell({ kind: "want-keyframe" });
    worker.tell(late);
    expect(shown).toEqual([message]);
    expect([message.image.isClosed, late.image.isClosed]).toEqual([false, true]);
  });

  it("are closed, and told of as a failure, where the page cannot get them", async () => {
    const image = new FakeImage();
    const pictures = new ReadableStream<VideoFrame>({
      start: (controller) => controller.enqueue(asFrame(image)),
    });
    const read = tellPictures(pictures, () => {
      throw new DOMException("", "DataCloneError");
    });
    await expect(read).rejects.toThrow(DOMException);
    expect(image.isClosed).toBe(true);
  });

  it("that end with an error are an error of the worker", async () => {
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    vi.stubGlobal("postMessage", vi.fn());
    await import("../src/frame-worker");
    const scope = globalThis as unknown as {
      onmessage: (event: { data: ReadableStream }) => void;
      onrtctransform: (event: { transformer: { readable: ReadableStream } }) => void;
    };
    const broken = () =>
      new ReadableStream({ start: (controller) => controller.error(new Error("no more")) });
    scope.onmessage({ data: broken() });
    await vi.waitFor(() => expect(reported).toHaveBeenCalledTimes(1));
    scope.onrtctransform({ transformer: { readable: broken() } });
    await vi.waitFor(() => expect(reported).toHaveBeenCalledTimes(2));
    expect(String(reported.mock.calls[0])).toContain("no more");
  });
});

describe("a worker", () => {
  it("ends with its connection", () => {
    vi.stubGlobal("Worker", FakeWorker);
    const ended = new AbortController();
    const worker = startWorker("", ended.signal) as unknown as FakeWorker;
    expect(worker.isTerminated).toBe(false);
    ended.abort();
    expect(worker.isTerminated).toBe(true);
  });

  it("is none where the page's rules forbid it, or there are no workers", () => {
    const { signal } = new AbortController();
    vi.stubGlobal("Worker", undefined);
    expect(startWorker("", signal)).toBeNull();
    vi.stubGlobal(
      "Worker",
      class {
        constructor() {
          throw new DOMException("", "SecurityError");
        }
      },
    );
    expect(startWorker("", signal)).toBeNull();
  });
});
