/** The WebSocket through Jupyter's own address: works wherever the notebook page itself works. */
import type { Link, LinkEvents, OpenLink } from "./link";

/** Jupyter's base address, with "/" at the end: `/`, `/user/alice/`, … */
export function jupyterBaseUrl(page: Document): string {
  const config = page.getElementById("jupyter-config-data")?.textContent;
  const fromConfig = config ? baseUrlIn(config) : undefined;
  const base = fromConfig ?? page.body.dataset.baseUrl ?? "/";
  return base.endsWith("/") ? base : `${base}/`;
}

function baseUrlIn(config: string): string | undefined {
  try {
    const { baseUrl } = JSON.parse(config) as { baseUrl?: unknown };
    return typeof baseUrl === "string" ? baseUrl : undefined;
  } catch {
    return undefined;
  }
}

/** Address of the server's WebSocket, `path` being relative to Jupyter's base address. */
export function socketUrl(page: Document, path: string): string {
  const url = new URL(jupyterBaseUrl(page) + path, page.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** Links to `url`, which is asked for at each attempt. */
export function webSocketOpener(url: () => string): OpenLink {
  return (events: LinkEvents): Link => {
    const socket = new WebSocket(url());
    socket.binaryType = "arraybuffer";
    let ended = false;
    socket.onopen = () => events.opened();
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (ended) return;
      if (typeof data === "string") events.text(data);
      else events.binary(new DataView(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (ended) return;
      ended = true;
      events.closed(reason || `closed with code ${code}`);
    };
    return {
      name: "websocket",
      send(text: string): void {
        if (socket.readyState === WebSocket.OPEN) socket.send(text);
      },
      close(): void {
        ended = true;
        socket.close();
      },
    };
  };
}
