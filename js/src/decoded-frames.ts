/**
 * Pictures of a WebRTC track as the browser has decoded them, taken in a worker, given to the page.
 *
 * The worker notes when each one was there: the page may be busy, which is no sign of a slow link.
 */

/** What the worker tells the page. */
export interface DecodedMessage {
  readonly kind: "decoded";
  readonly image: VideoFrame;
  /** Undefined where the browser does not tell it. */
  readonly rtpTimestamp: number | undefined;
  readonly thereMs: number;
}

export type TellDecoded = (message: DecodedMessage, transfer: Transferable[]) => void;

/** Not in TypeScript's library yet. */
declare const MediaStreamTrackProcessor:
  | (new (init: {
      track: MediaStreamTrack;
      maxBufferSize?: number;
    }) => {
      readonly readable: ReadableStream<VideoFrame>;
    })
  | undefined;

/** Whether this browser gives out what it has decoded. */
export function givesPictures(): boolean {
  return typeof MediaStreamTrackProcessor !== "undefined";
}

/** A track's pictures; null where the browser does not give them out. */
export function picturesOf(track: MediaStreamTrack): ReadableStream<VideoFrame> | null {
  if (!MediaStreamTrackProcessor) return null;
  // One frame of buffer: who was busy continues with the newest picture.
  return new MediaStreamTrackProcessor({ track, maxBufferSize: 1 }).readable;
}

/** The RTP timestamp that a frame carries itself, where the browser tells it. */
export function ownTimestamp(image: VideoFrame): number | undefined {
  return (image as VideoFrame & { metadata?(): { readonly rtpTimestamp?: number } }).metadata?.()
    .rtpTimestamp;
}

/** In the worker: read to the end; rejects where that cannot be. */
export async function tellPictures(
  pictures: ReadableStream<VideoFrame>,
  tell: TellDecoded,
): Promise<void> {
  const reader = pictures.getReader();
  for (;;) {
    const { value: image, done } = await reader.read();
    if (done) return;
    const thereMs = performance.now();
    try {
      tell({ kind: "decoded", image, rtpTimestamp: ownTimestamp(image), thereMs }, [image]);
    } catch (error) {
      image.close();
      throw error;
    }
  }
}

/**
 * On the page: give a track to the worker and get its pictures until `signal` aborts.
 *
 * Those that are on their way then are closed when they come: a browser has few of them.
 */
export function takePictures(
  track: MediaStreamTrack,
  worker: Worker,
  show: (picture: DecodedMessage) => void,
  signal: AbortSignal,
): void {
  worker.addEventListener("message", ({ data }: MessageEvent<DecodedMessage>) => {
    if (data.kind !== "decoded") return;
    if (signal.aborted) data.image.close();
    else show(data);
  });
  const pictures = picturesOf(track);
  if (pictures) worker.postMessage(pictures, [pictures]);
}
