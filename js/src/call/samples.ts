/**
 * The samples of a microphone's track.
 *
 * Chromium gives them to the page itself. Elsewhere they come by an audio worklet, a script of its own:
 * a notebook's page makes it of the bundle's text, which the rules of our page for guests forbid; that has
 * a file of it.
 */
import workletSource from "worker:./voice-worklet";

/** One channel, and when its first sample was spoken, by a clock of the page that goes on. */
export type OnSamples = (atMs: number, samples: Float32Array, rateHz: number) => void;

export interface Listening {
  close(): void;
}

interface TrackProcessor {
  readonly readable: ReadableStream<AudioData>;
}
type MakeProcessor = new (init: {
  track: MediaStreamTrack;
  maxBufferSize: number;
}) => TrackProcessor;

/** A page that is busy for so many hundredths of a second loses nothing. */
const MOST_WAITING = 100;
/** So long a browser may take to begin with sound. */
const STARTS_MS = 5000;
/** Address of the worklet's file; "" where there is none. */
let workletFile = "";

/** Have the worklet come from a file, on a page whose rules let no other script run. */
export function useWorkletFile(url: string): void {
  workletFile = url;
}

function processor(): MakeProcessor | null {
  const scope = globalThis as { MediaStreamTrackProcessor?: MakeProcessor };
  return scope.MediaStreamTrackProcessor ?? null;
}

export function canListen(): boolean {
  return processor() !== null || typeof AudioWorkletNode !== "undefined";
}

/** Give a track's samples until that is closed. */
export function listen(
  track: MediaStreamTrack,
  samples: OnSamples,
  failed: (error: unknown) => void,
): Listening {
  const Processor = processor();
  const ended = new AbortController();
  const fail = (error: unknown): void => {
    if (!ended.signal.aborted) failed(error);
  };
  if (Processor)
    void read(new Processor({ track, maxBufferSize: MOST_WAITING }), samples, ended.signal).catch(
      fail,
    );
  else void byWorklet(track, samples, ended.signal).catch(fail);
  return { close: () => ended.abort() };
}

async function read(
  { readable }: TrackProcessor,
  samples: OnSamples,
  signal: AbortSignal,
): Promise<void> {
  const reader = readable.getReader();
  signal.addEventListener("abort", () => void reader.cancel().catch(() => {}), { once: true });
  for (;;) {
    const { value: sound, done } = await reader.read();
    if (done) return;
    const one = new Float32Array(sound.numberOfFrames);
    sound.copyTo(one, { planeIndex: 0, format: "f32-planar" });
    if (!signal.aborted) samples(sound.timestamp / 1000, one, sound.sampleRate);
    sound.close();
  }
}

async function byWorklet(
  track: MediaStreamTrack,
  samples: OnSamples,
  signal: AbortSignal,
): Promise<void> {
  const context = new AudioContext();
  signal.addEventListener("abort", () => void context.close(), { once: true });
  // Its clock stands still while the browser holds it.
  let anchorMs = performance.now();
  context.onstatechange = () => {
    anchorMs = performance.now() - context.currentTime * 1000;
  };
  await addWorklet(context.audioWorklet);
  if (signal.aborted) return;
  const node = new AudioWorkletNode(context, "blustream-voice", {
    numberOfOutputs: 0,
    channelCount: 1,
    channelCountMode: "explicit",
  });
  node.port.onmessage = ({ data: [atMs, some] }) => {
    if (!signal.aborted) samples(anchorMs + atMs, some, context.sampleRate);
  };
  context.createMediaStreamSource(new MediaStream([track])).connect(node);
  await start(context);
}

/** Without anything to play by, Firefox's contexts never start, and say nothing. */
async function start(context: AudioContext): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const why = "its sound does not start. Connect a speaker or headphones, and try again";
    timer = setTimeout(() => reject(new Error(why)), STARTS_MS);
  });
  await Promise.race([context.resume(), late]).finally(() => clearTimeout(timer));
}

async function addWorklet(worklet: AudioWorklet): Promise<void> {
  if (workletFile) {
    await worklet.addModule(workletFile);
    return;
  }
  const url = URL.createObjectURL(new Blob([workletSource], { type: "text/javascript" }));
  try {
    await worklet.addModule(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}
