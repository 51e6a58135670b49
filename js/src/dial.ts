/** One attempt at one link: open it, say hello, wait to be welcomed; then its traffic flows on. */
import type { Link, LinkName, OpenLink } from "./link";
import { type Hello, MessageType, type ServerMessage, type Welcome } from "./protocol";

export interface DialEvents {
  welcomed(dial: Dial, welcome: Welcome): void;
  /** Not welcomed. `code` is the server's, or "unreachable" or "timeout". */
  failed(dial: Dial, code: string, reason: string): void;
  /** After the welcome. */
  message(dial: Dial, message: ServerMessage): void;
  frame(dial: Dial, data: DataView): void;
  lost(dial: Dial, reason: string): void;
}

export class Dial {
  readonly name: LinkName;
  readonly #events: DialEvents;
  readonly #link: Link;
  readonly #timer: ReturnType<typeof setTimeout>;
  #state: "dialling" | "up" | "over" = "dialling";

  constructor(name: LinkName, open: OpenLink, hello: Hello, timeoutMs: number, events: DialEvents) {
    this.name = name;
    this.#events = events;
    this.#timer = setTimeout(() => this.#end("timeout", "no answer in time"), timeoutMs);
    this.#link = open({
      opened: () => this.#link.send(JSON.stringify(hello)),
      text: (text) => this.#receive(text),
      binary: (data) => {
        if (this.#state === "up") events.frame(this, data);
      },
      closed: (reason) => this.#end("unreachable", reason),
    });
  }

  send(text: string): void {
    if (this.#state !== "over") this.#link.send(text);
  }

  /** End it without an event. */
  close(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    clearTimeout(this.#timer);
    this.#link.close();
  }

  #receive(text: string): void {
    if (this.#state === "over") return;
    const message = JSON.parse(text) as ServerMessage;
    if (this.#state === "up") {
      this.#events.message(this, message);
    } else if (message.type === MessageType.WELCOME) {
      this.#state = "up";
      clearTimeout(this.#timer);
      this.#events.welcomed(this, message);
    } else if (message.type === MessageType.ERROR) {
      this.#end(message.code, [message.message, message.hint].join(" ").trim());
    }
  }

  #end(code: string, reason: string): void {
    if (this.#state === "over") return;
    const wasUp = this.#state === "up";
    this.close();
    if (wasUp) this.#events.lost(this, reason);
    else this.#events.failed(this, code, reason);
  }
}
