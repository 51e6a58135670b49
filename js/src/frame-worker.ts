/** The worker that `encoded-receiver.ts` starts: begins to read when a receiver is given to it. */
import { type Encoded, EncodedFrames, type WorkerMessage } from "./encoded-frames";

/** TypeScript's library knows pages and workers, but not both in one project. */
interface Scope {
  onrtctransform:
    | ((event: { readonly transformer: { readonly readable: ReadableStream<Encoded> } }) => void)
    | null;
  postMessage(message: WorkerMessage, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const frames = new EncodedFrames((message, transfer) => scope.postMessage(message, transfer));
scope.onrtctransform = ({ transformer }) => void frames.read(transformer.readable);
