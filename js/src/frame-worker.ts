/**
 * The worker that pages start for the frames of a WebRTC connection: begins to read when a receiver is
 * given to it (`encoded-receiver.ts`), or a track's pictures (`decoded-frames.ts`).
 */
import { type DecodedMessage, tellPictures } from "./decoded-frames";
import { type Encoded, EncodedFrames, type WorkerMessage } from "./encoded-frames";

/** TypeScript's library knows pages and workers, but not both in one project. */
interface Scope {
  onrtctransform:
    | ((event: { readonly transformer: { readonly readable: ReadableStream<Encoded> } }) => void)
    | null;
  onmessage: ((event: { readonly data: ReadableStream<VideoFrame> }) => void) | null;
  postMessage(message: WorkerMessage | DecodedMessage, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const tell: Scope["postMessage"] = (message, transfer) => scope.postMessage(message, transfer);
const frames = new EncodedFrames(tell);
// What is reported is an error of this worker to the page, which goes on another way.
scope.onrtctransform = ({ transformer }) =>
  void frames.read(transformer.readable).catch(reportError);
scope.onmessage = ({ data }) => void tellPictures(data, tell).catch(reportError);
