/** Plays the voices of the others. */

export interface Speaker {
  /** Play a voice under a name, in place of what was played under it; null: nothing. */
  play(name: string, voice: MediaStream | null): void;
  /** Play by another device; "" = the system's. */
  choose(id: string): void;
  close(): void;
}

interface Sink {
  setSinkId?(id: string): Promise<void>;
}

export class BrowserSpeaker implements Speaker {
  readonly #voices = new Map<string, HTMLAudioElement & Sink>();
  #id = "";

  play(name: string, voice: MediaStream | null): void {
    const known = this.#voices.get(name);
    if ((known?.srcObject ?? null) === voice) return;
    known?.pause();
    this.#voices.delete(name);
    if (!voice) return;
    const element: HTMLAudioElement & Sink = new Audio();
    element.srcObject = voice;
    this.#voices.set(name, element);
    if (this.#id) this.#send(element);
    // Who talks has clicked for it, and may hear; pictures of the others show if a browser does not.
    element.play().catch(() => {});
  }

  choose(id: string): void {
    this.#id = id;
    for (const element of this.#voices.values()) this.#send(element);
  }

  close(): void {
    for (const element of this.#voices.values()) {
      element.pause();
      element.srcObject = null;
    }
    this.#voices.clear();
  }

  #send(element: Sink): void {
    element
      .setSinkId?.(this.#id)
      .catch((error: unknown) => console.warn("blustream: speaker", error));
  }
}
