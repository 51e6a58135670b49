/** Views as text: the server writes the one that is seen here, and reads one that somebody sent. */
import { type CopyView, MessageType, type OpenView, type ViewLink } from "./protocol";

/** What a copied view begins with; the server knows the rest. */
const PREFIX = "blustream-view:";
const TIMEOUT_MS = 5000;

export function isViewLink(text: string): boolean {
  return text.trim().startsWith(PREFIX);
}

export class ViewLinks {
  readonly #send: (message: CopyView | OpenView) => boolean;
  readonly #waiting: { take(text: string): void; refuse(): void }[] = [];

  /** @param send by the reliable link; false if there is none */
  constructor(send: (message: CopyView | OpenView) => boolean) {
    this.#send = send;
  }

  /** The view that is seen, as text; fails without a connection. */
  copy(): Promise<string> {
    return new Promise((resolve, reject) => {
      const failed = (): void => reject(new Error("There is no connection at the moment."));
      if (!this.#send({ type: MessageType.VIEW_LINK })) {
        failed();
        return;
      }
      const timer = setTimeout(failed, TIMEOUT_MS);
      const end = (how: () => void) => {
        clearTimeout(timer);
        how();
      };
      this.#waiting.push({
        take: (text) => end(() => resolve(text)),
        refuse: () => end(() => reject(new Error("The view cannot be copied now."))),
      });
    });
  }

  received({ text }: ViewLink): void {
    this.#waiting.shift()?.take(text);
  }

  /** The server refused something; if a copy was asked for, it was the oldest that has no answer. */
  refused(): void {
    this.#waiting.shift()?.refuse();
  }

  /** The connection is gone, and with it every answer. */
  lost(): void {
    this.#waiting.length = 0; // they hear it from their timers
  }

  open(text: string): void {
    this.#send({ type: MessageType.OPEN_VIEW, text: text.trim() });
  }
}
