/** Questions to the kernel that has the recording's file, over the widget's comm. */
import type { MessagePort } from "../relay";
import type { SessionError } from "../session";

export interface Answer {
  readonly content: Readonly<Record<string, unknown>>;
  readonly buffers: readonly DataView[];
}

/** Why the kernel could not answer. */
export class Refusal extends Error {
  constructor(readonly error: SessionError) {
    super(error.message);
  }
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(reason: Error): void;
}

/** A kernel that runs a cell answers later: after this long the user is told what is waited for. */
const BUSY_MS = 1500;

function errorOf(told: unknown): SessionError | null {
  if (typeof told !== "object" || told === null) return null;
  const { code, message, hint } = told as Partial<SessionError>;
  return { code: String(code), message: String(message), hint: String(hint ?? "") };
}

export class Source {
  readonly #port: MessagePort;
  readonly #busy: (isBusy: boolean) => void;
  /** Every open page hears every answer: a random name tells which are for this one. */
  readonly #name = crypto.getRandomValues(new Uint32Array(3)).join("-");
  readonly #waiting = new Map<string, Waiting>();
  #n = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param busy told when an answer is late, and when it has come */
  constructor(port: MessagePort, signal: AbortSignal, busy: (isBusy: boolean) => void = () => {}) {
    this.#port = port;
    this.#busy = busy;
    const receive = (content: unknown, buffers: DataView[]): void =>
      this.#receive(content, buffers);
    port.on("msg:custom", receive);
    const stop = (): void => {
      port.off("msg:custom", receive);
      clearTimeout(this.#timer);
      this.#waiting.clear();
    };
    signal.addEventListener("abort", stop, { once: true });
  }

  /** Rejects with a `Refusal`; as long as the kernel is busy it does neither. */
  ask(ask: string, places: Readonly<Record<string, number>>): Promise<Answer> {
    this.#n += 1;
    const n = `${this.#name}-${this.#n}`;
    return new Promise((resolve, reject) => {
      this.#waiting.set(n, { resolve, reject });
      this.#timer ??= setTimeout(() => this.#busy(true), BUSY_MS);
      this.#port.send({ kind: "recording", n, ask, ...places });
    });
  }

  #receive(content: unknown, buffers: DataView[]): void {
    if (typeof content !== "object" || content === null) return;
    const { kind, n, error } = content as { kind?: unknown; n?: unknown; error?: unknown };
    const waiting = kind === "recording" ? this.#waiting.get(String(n)) : undefined;
    if (!waiting) return;
    this.#waiting.delete(String(n));
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#busy(false);
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => this.#busy(true), BUSY_MS);
    const refused = errorOf(error);
    if (refused) waiting.reject(new Refusal(refused));
    else waiting.resolve({ content: content as Answer["content"], buffers });
  }
}

/** Little-endian numbers of a buffer, wherever it begins. */
export function doublesOf(buffer: DataView | undefined): number[] {
  if (!buffer) return [];
  return Array.from({ length: buffer.byteLength >> 3 }, (_, i) => buffer.getFloat64(8 * i, true));
}

export function wordsOf(buffer: DataView | undefined): number[] {
  if (!buffer) return [];
  return Array.from({ length: buffer.byteLength >> 2 }, (_, i) => buffer.getUint32(4 * i, true));
}
