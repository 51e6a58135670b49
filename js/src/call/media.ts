/** Microphones, cameras and speakers of this computer, and what stands in their way, in clear words. */

/** What to tell somebody, and what to do about it. */
export interface Trouble {
  readonly message: string;
  readonly hint: string;
}

export type Source = "microphone" | "camera";

export interface Device {
  readonly kind: MediaDeviceKind;
  readonly id: string;
  readonly label: string;
}

/** How loud a track was in the last sixth of a second, 0 to 1. */
export interface Meter {
  readonly level: number;
  close(): void;
}

export interface Media {
  /**
   * Ask for a device and open it; the browser asks the user.
   *
   * @param id of the device; "" = the browser's choice
   * @throws Trouble
   */
  open(source: Source, id: string): Promise<MediaStreamTrack>;
  /** What there is; without names before the user has allowed the first one. */
  devices(): Promise<readonly Device[]>;
  onDevices(listener: () => void, signal: AbortSignal): void;
  meter(track: MediaStreamTrack): Meter;
}

/** Pictures of five others must fit beside what they talk about, and through everybody's network. */
const VIDEO = { width: { ideal: 320 }, height: { ideal: 240 }, frameRate: { ideal: 15, max: 24 } };
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const SILENT: Meter = { level: 0, close: () => {} };

/** True if there may be other devices for sound than the system's. */
export function canChooseSpeaker(): boolean {
  return typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;
}

/** Why a device cannot be had. */
export function troubleOf(error: unknown, source: Source): Trouble {
  const { name = "", message = "" } = error instanceof Error ? error : {};
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return {
        message: `The browser does not give this page the ${source}.`,
        hint: hintOf(message),
      };
    case "NotFoundError":
    case "OverconstrainedError":
      return { message: `There is no ${source}.`, hint: "Connect one, or choose another." };
    case "NotReadableError":
    case "AbortError":
      return {
        message: `The ${source} does not start.`,
        hint: "Another program may have it: close that, and try again.",
      };
    default:
      return { message: `The ${source} does not start.`, hint: message };
  }
}

function hintOf(message: string): string {
  if (/system/i.test(message)) return "Allow it to the browser in the system's privacy settings.";
  if (/dismissed/i.test(message)) return "Try again, and choose Allow.";
  if (globalThis.self !== globalThis.top) {
    return "It is inside another page, which does not pass it on: open it in a tab of its own.";
  }
  return "Allow it by the symbol beside the page's address, and try again.";
}

function insecure(source: Source): Trouble {
  return {
    message: `Browsers give the ${source} only to pages by https or from localhost.`,
    hint: "Open this one by https, or through a tunnel to localhost.",
  };
}

export class BrowserMedia implements Media {
  async open(source: Source, id: string): Promise<MediaStreamTrack> {
    // Not there at all on a page that is not secure.
    const devices = globalThis.navigator?.mediaDevices as MediaDevices | undefined;
    if (!devices?.getUserMedia) throw insecure(source);
    const chosen = id ? { deviceId: { exact: id } } : {};
    const wanted =
      source === "microphone"
        ? { audio: { ...AUDIO, ...chosen } }
        : { video: { ...VIDEO, ...chosen } };
    try {
      const [track] = (await devices.getUserMedia(wanted)).getTracks();
      if (track) return track;
    } catch (error) {
      throw troubleOf(error, source);
    }
    throw troubleOf(null, source);
  }

  async devices(): Promise<readonly Device[]> {
    const found = await globalThis.navigator?.mediaDevices?.enumerateDevices();
    return (found ?? []).map(({ kind, deviceId, label }) => ({ kind, id: deviceId, label }));
  }

  onDevices(listener: () => void, signal: AbortSignal): void {
    globalThis.navigator?.mediaDevices?.addEventListener("devicechange", listener, { signal });
  }

  meter(track: MediaStreamTrack): Meter {
    if (typeof AudioContext === "undefined") return SILENT;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 8192 });
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    return {
      get level() {
        analyser.getFloatTimeDomainData(samples);
        return samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      },
      close: () => void context.close(),
    };
  }
}
