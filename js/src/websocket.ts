/**
 * The WebSocket through Jupyter's own address: works wherever the notebook page itself works.
 *
 * Where Jupyter has our extension, it hands the connection over to the server, and nothing is between;
 * otherwise, or where that fails, jupyter-server-proxy carries every message.
 */
import type { Link, LinkEvents, OpenLink } from "./link";

interface PageConfig {
  readonly baseUrl?: unknown;
  readonly blustreamPath?: unknown;
}

/** Jupyter's base address, with "/" at the end: `/`, `/user/alice/`, … */
export function jupyterBaseUrl(page: Document): string {
  const { baseUrl } = pageConfig(page);
  const fromConfig = typeof baseUrl === "string" ? baseUrl : undefined;
  const base = fromConfig ?? page.body.dataset.baseUrl ?? "/";
  return base.endsWith("/") ? base : `${base}/`;
}

function pageConfig(page: Document): PageConfig {
  try {
    const text = page.getElementById("jupyter-config-data")?.textContent;
    return (JSON.parse(text || "{}") as PageConfig | null) ?? {};
  } catch {
    return {};
  }
}

/** Addresses of the server's WebSocket, best first; `path` leads through jupyter-server-proxy. */
export function socketUrls(page: Document, path: string): string[] {
  const { blustreamPath } = pageConfig(page);
  const direct = typeof blustreamPath === "string" && blustreamPath ? [blustreamPath] : [];
  return [...direct, path].map((each) => socketUrl(page, each));
}

/**
 * Address of the page for guests: at JupyterHub's service where there is one, else beside the server's
 * WebSocket; "" where it is not known, or no browser could open it.
 */
export function guestPage(page: Document, path: string, hubPage?: string | null): string {
  if (typeof hubPage === "string") return hubPage && new URL(hubPage, page.baseURI).href;
  const url = new URL(jupyterBaseUrl(page) + path.replace(/[^/]*$/, "guest"), page.baseURI);
  return path && /^https?:$/.test(url.protocol) ? url.href : "";
}

/** Address of the server's WebSocket, `path` being relative to Jupyter's base address. */
export function socketUrl(page: Document, path: string): string {
  const url = new URL(jupyterBaseUrl(page) + path, page.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/**
 * Links to the first of `urls` that opens; they are asked for at each attempt.
 *
 * One that is refused is followed by the next at once; one that does not answer is given up by whoever
 * waits, and the next attempt begins with the one after it.
 */
export function webSocketOpener(urls: () => readonly string[]): OpenLink {
  let first = 0;
  return (events: LinkEvents): Link => {
    const all = urls();
    let index = first % all.length;
    let socket: WebSocket;
    let ended = false;
    let failures = 0;
    const open = (): void => {
      first = index + 1;
      socket = new WebSocket(all[index] as string);
      socket.binaryType = "arraybuffer";
      let isOpen = false;
      socket.onopen = () => {
        isOpen = true;
        first = index;
        events.opened();
      };
      socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
        if (ended) return;
        if (typeof data === "string") events.text(data);
        else events.binary(new DataView(data));
      };
      socket.onclose = ({ code, reason }) => {
        if (ended) return;
        failures += 1;
        if (!isOpen && failures < all.length) {
          index = (index + 1) % all.length;
          open();
          return;
        }
        ended = true;
        // After a connection, or all refused: the best one may work again.
        first = 0;
        events.closed(reason || `closed with code ${code}`);
      };
    };
    open();
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
