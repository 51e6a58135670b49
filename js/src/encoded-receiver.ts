/** The page's side of `encoded-frames.ts`: gives a receiver's frames to a worker, gets pictures back. */
import type { WorkerMessage } from "./encoded-frames";
import type { Frame } from "./session";
import { startWorker } from "./worker-start";

export interface EncodedEvents {
  frame(frame: Frame): void;
  /** Nothing can be decoded before the next keyframe. */
  wantKeyframe(): void;
  /** It does not work in this browser after all. */
  failed(reason: string): void;
}

/** Not in all browsers that TypeScript's library speaks of. */
declare const RTCRtpScriptTransform: (new (worker: Worker) => RTCRtpTransform) | undefined;
type RTCRtpTransform = NonNullable<RTCRtpReceiver["transform"]>;

/** Asked once, corrected when it proves wrong. */
let isUsable = true;

/** Whether frames can be taken from a receiver and decoded here, as far as is known. */
export function takesEncoded(): boolean {
  return (
    isUsable &&
    typeof RTCRtpScriptTransform !== "undefined" &&
    typeof VideoDecoder !== "undefined" &&
    typeof Worker !== "undefined"
  );
}

/** From now on, leave the pictures to the browser. */
export function giveUpEncoded(): void {
  isUsable = false;
}

/**
 * Take the frames of `receiver`, before it is negotiated, until `signal` aborts.
 *
 * False where that cannot be: then the browser decodes.
 */
export function receiveEncoded(
  receiver: RTCRtpReceiver,
  source: string,
  events: EncodedEvents,
  signal: AbortSignal,
): boolean {
  if (!takesEncoded() || !RTCRtpScriptTransform) return false;
  const worker = startWorker(source, signal);
  try {
    if (worker) receiver.transform = new RTCRtpScriptTransform(worker);
  } catch {
    worker?.terminate();
  }
  if (!worker || !receiver.transform) {
    giveUpEncoded();
    return false;
  }
  const fail = (reason: string): void => {
    giveUpEncoded();
    events.failed(reason);
  };
  worker.addEventListener("error", () => fail("the worker for frames does not run"), { signal });
  worker.addEventListener("message", ({ data }: MessageEvent<WorkerMessage>) => {
    if (signal.aborted) {
      if (data.kind === "picture") data.image.close();
    } else if (data.kind === "picture") {
      const { header, image, thereMs } = data;
      events.frame({ header, image, thereMs });
    } else if (data.kind === "want-keyframe") events.wantKeyframe();
    else fail(data.reason);
  });
  return true;
}
