/** A way to the server that carries messages and pictures: WebSocket or comm relay. */

export type LinkName = "websocket" | "comm";

export interface LinkEvents {
  /** The other side can be spoken to. */
  opened(): void;
  text(text: string): void;
  binary(data: DataView): void;
  /** It is gone, or never came; called once, and not after `close()`. */
  closed(reason: string): void;
}

export interface Link {
  readonly name: LinkName;
  send(text: string): void;
  close(): void;
}

/** Start to open a link; everything is said by the events. */
export type OpenLink = (events: LinkEvents) => Link;
