/** The relay over the widget's comm, where Jupyter has no proxy: kernel and comm carry every message. */
import type { Link, LinkEvents, OpenLink } from "./link";
import { randomName } from "./random-name";

/** The part of a widget model that carries custom messages. */
export interface MessagePort {
  send(content: unknown): void;
  on(event: "msg:custom", callback: (content: unknown, buffers: DataView[]) => void): void;
  off(event: "msg:custom", callback: (content: unknown, buffers: DataView[]) => void): void;
}

interface RelayMessage {
  readonly kind: "relay" | "relay-frame" | "relay-close";
  readonly channel: string;
  readonly text?: string;
}

function isRelayMessage(content: unknown, channel: string): content is RelayMessage {
  if (typeof content !== "object" || content === null) return false;
  const { kind, channel: name } = content as Partial<RelayMessage>;
  return name === channel && typeof kind === "string" && kind.startsWith("relay");
}

/** Links over the comm of a widget. */
export function relayOpener(port: MessagePort): OpenLink {
  return (events: LinkEvents): Link => {
    const channel = randomName();
    const close = (): void => port.off("msg:custom", receive);
    const receive = (content: unknown, buffers: DataView[]): void => {
      if (!isRelayMessage(content, channel)) return;
      if (content.kind === "relay") events.text(content.text ?? "");
      else if (content.kind === "relay-frame" && buffers[0]) events.binary(buffers[0]);
      else if (content.kind === "relay-close") {
        close();
        events.closed("closed by the kernel");
      }
    };
    port.on("msg:custom", receive);
    port.send({ kind: "relay-open", channel });
    // The comm keeps order, so nothing need be awaited; but the caller must have its link first.
    queueMicrotask(() => events.opened());
    return {
      name: "comm",
      send: (text: string): void => port.send({ kind: "relay", channel, text }),
      close(): void {
        close();
        port.send({ kind: "relay-close", channel });
      },
    };
  };
}
