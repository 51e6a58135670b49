/** The way of a guest into a session: the code of a link is exchanged for a token. */
import {
  type Error as ErrorMessage,
  type Joined,
  MessageType,
  PROTOCOL_VERSION,
  type ServerMessage,
} from "../protocol";

export interface Ticket {
  readonly token: string;
  /** When it ends, in milliseconds since 1970. */
  readonly expiresMs: number;
}

/** Why a guest is not let in; `code` is the server's, or "unreachable". */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint = "",
  ) {
    super(message);
  }
}

const TICKET_KEY = "blustream-guest";
const NAME_KEY = "blustream-guest-name";
const TIMEOUT_MS = 8000;
const CODE = /^#([A-Za-z0-9_-]{32,64})$/;

/** The code of the link; "" if there is none that could be one. */
export function codeOf(hash: string): string {
  return CODE.exec(hash)?.[1] ?? "";
}

/** Addresses of the server's WebSocket, best first, seen from the page for guests. */
export function guestSocketUrls(page: string, isAtHub = false): string[] {
  const paths = isAtHub ? ["ws"] : ["../blustream-direct/ws", "ws"];
  return paths.map((path) => {
    const url = new URL(path, page);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.search = url.hash = "";
    return url.href;
  });
}

/** What this tab may come back with: it is kept for this tab alone, and no longer than it is good. */
export class Tickets {
  constructor(private readonly storage: Storage | null) {}

  get known(): Ticket | null {
    try {
      const ticket = JSON.parse(this.storage?.getItem(TICKET_KEY) ?? "null") as Ticket | null;
      return ticket && ticket.expiresMs > Date.now() ? ticket : null;
    } catch {
      return null;
    }
  }

  keep(ticket: Ticket | null): void {
    if (ticket) this.storage?.setItem(TICKET_KEY, JSON.stringify(ticket));
    else this.storage?.removeItem(TICKET_KEY);
  }
}

export function knownName(storage: Storage | null): string {
  return storage?.getItem(NAME_KEY) ?? "";
}

export function keepName(storage: Storage | null, name: string): void {
  storage?.setItem(NAME_KEY, name);
}

/** Exchange a code; fails with a `Refusal`. */
export async function redeem(urls: readonly string[], code: string, name: string): Promise<Ticket> {
  let failure = new Refusal("unreachable", "The server does not answer.");
  for (const url of urls) {
    try {
      return await ask(url, code, name);
    } catch (error) {
      failure = error as Refusal;
      if (failure.code !== "unreachable") break;
    }
  }
  throw failure;
}

function ask(url: string, code: string, name: string): Promise<Ticket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const unreachable = new Refusal("unreachable", "The server does not answer.");
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      finish();
      socket.close();
    };
    const timer = setTimeout(() => end(() => reject(unreachable)), TIMEOUT_MS);
    socket.onopen = () => {
      const join = { type: MessageType.JOIN, code, name, protocol: PROTOCOL_VERSION };
      socket.send(JSON.stringify(join));
    };
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      const message = JSON.parse(data) as ServerMessage;
      if (message.type === MessageType.JOINED) end(() => resolve(ticketOf(message)));
      else if (message.type === MessageType.ERROR) end(() => reject(refusalOf(message)));
    };
    socket.onclose = () => end(() => reject(unreachable));
  });
}

function ticketOf({ token, expires_ms }: Joined): Ticket {
  return { token, expiresMs: expires_ms };
}

function refusalOf({ code, message, hint }: ErrorMessage): Refusal {
  return new Refusal(code, message, hint);
}
