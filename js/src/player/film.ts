/** A film for any player, which the recording's kernel writes: the wish for it, and how far it is. */
import { Refusal, type Source } from "./source";

/** By the numbers under which the kernel knows them. */
export const FILM_KINDS = [
  { label: "MP4", words: "for every player" },
  { label: "WebM", words: "for web pages" },
  { label: "GIF", words: "for slides, at most 800 pixels" },
] as const;

export interface FilmState {
  readonly phase: "none" | "on" | "done" | "cancelled" | "failed";
  readonly name: string;
  readonly folder: string;
  readonly share: number;
  readonly message: string;
  readonly hint: string;
}

const NOTHING: FilmState = {
  phase: "none",
  name: "",
  folder: "",
  share: 0,
  message: "",
  hint: "",
};
const ASK_MS = 400;

export class Film {
  state = NOTHING;
  readonly #source: Source;
  readonly #signal: AbortSignal;
  readonly #changed: (before: FilmState) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param changed told whenever it stands otherwise, with how it stood before */
  constructor(source: Source, signal: AbortSignal, changed: (before: FilmState) => void) {
    this.#source = source;
    this.#signal = signal;
    this.#changed = changed;
    signal.addEventListener("abort", () => clearTimeout(this.#timer), { once: true });
  }

  get isOn(): boolean {
    return this.state.phase === "on";
  }

  /** Write one of `FILM_KINDS`. */
  begin(ending: number): void {
    if (!this.isOn) void this.#ask("film", { ending });
  }

  /** Give up the one that is being written. */
  cancel(): void {
    if (this.isOn) void this.#ask("film-cancel", {});
  }

  async #ask(what: string, places: Readonly<Record<string, number>>): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const { content } = await this.#source.ask(what, places);
      this.#take(content as unknown as FilmState);
    } catch (reason) {
      const { message, hint } =
        reason instanceof Refusal ? reason.error : { message: String(reason), hint: "" };
      this.#take({ ...NOTHING, phase: "failed", message, hint });
    }
  }

  #take({ phase, name, folder, share, message, hint }: FilmState): void {
    if (this.#signal.aborted) return;
    const before = this.state;
    this.state = { phase, name, folder, share, message, hint };
    this.#changed(before);
    if (this.isOn) this.#timer = setTimeout(() => void this.#ask("film-stands", {}), ASK_MS);
  }
}

/** How the film stands, for people; empty where there is nothing to say. */
export function filmText({ phase, name, share }: FilmState): string {
  switch (phase) {
    case "on":
      return `Film ${Math.floor(share * 100)} %`;
    case "done":
      return `Saved: ${name}`;
    default:
      return "";
  }
}
