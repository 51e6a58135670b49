/** Whether what is seen is recorded, or published elsewhere, and the wish to record it. */
import { Listeners } from "./listeners";
import { MessageType, type PublishState, type RecordingState, type SetRecording } from "./protocol";
import type { SessionError } from "./session";

export interface RecordingLink {
  /** Told to everybody who looks; null before the server has answered. */
  readonly state: RecordingState | null;
  /** Whether an SFU passes the view on; null where it does not. */
  readonly published: PublishState | null;
  /** Begin a recording, or end the one that runs; nothing where `state.may` is false. */
  toggle(): void;
  onChange(listener: () => void, signal: AbortSignal): void;
}

export class LiveRecording implements RecordingLink {
  readonly #send: (message: SetRecording) => boolean;
  readonly #listeners = new Listeners<void>();
  #state: RecordingState | null = null;
  #published: PublishState | null = null;

  /** @param send by the reliable link; false if there is none */
  constructor(send: (message: SetRecording) => boolean) {
    this.#send = send;
  }

  get state(): RecordingState | null {
    return this.#state;
  }

  get published(): PublishState | null {
    return this.#published;
  }

  toggle(): void {
    if (!this.#state?.may) return;
    this.#send({ type: MessageType.RECORD, on: this.#state.phase === "off" });
  }

  /** What there is to say about it for a moment; null if nothing. */
  received(message: RecordingState): SessionError | null {
    const before = this.#state;
    this.#state = message;
    this.#listeners.emit();
    if (message.code && !before?.code) return message;
    const isSaved = message.phase === "off" && before !== null && before.phase !== "off";
    if (!isSaved || !message.may) return null;
    return { code: "", message: `Recorded: ${message.name}`, hint: "" };
  }

  publishing(message: PublishState): void {
    this.#published = message.phase === "off" ? null : message;
    this.#listeners.emit();
  }

  /** The connection is gone: whether it goes on is not known. */
  lost(): void {
    this.#state = this.#published = null;
    this.#listeners.emit();
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener, signal);
  }
}

/** Time for people: "0:07", "12:30", "1:02:03". */
export function clockText(seconds: number): string {
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
