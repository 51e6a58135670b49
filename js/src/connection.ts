/**
 * Keeps one way to the server: the WebSocket where it works, the comm relay where it does not.
 *
 * The WebSocket is tried first and, while the relay serves, again in the background. A lost link is
 * dialled again with growing pauses. Pictures may come by WebRTC beside it: see `takeover.ts`.
 */
import { Dial, type DialEvents } from "./dial";
import type { LinkName, OpenLink } from "./link";
import {
  type Hello,
  MessageType,
  type ServerMessage,
  type ViewerMessage,
  type Welcome,
} from "./protocol";
import type { Reach } from "./reach";
import { Rescue } from "./rescue";
import { RoundTrip } from "./round-trip";

export interface ConnectionOptions {
  /** The links that may be used. */
  readonly openers: Partial<Record<LinkName, OpenLink>>;
  /** Tells when the host answers again; undefined where nobody can ask. */
  readonly reach?: Reach | undefined;
  /** Who this is; `isFresh` asks for a new token, because the one known may have expired. */
  hello(isFresh: boolean): Promise<Omit<Hello, "transport">>;
}

export interface ConnectionEvents {
  /** Also when another link takes over, and again on the same link when the volume is open. */
  welcome(welcome: Welcome): void;
  message(message: ServerMessage): void;
  frame(data: DataView): void;
  /** The link in use is gone; it is dialled again. */
  lost(): void;
  /** `link`, `retryAtMs`, `failures` or `reason` changed. */
  changed(): void;
}

const DIAL_TIMEOUT_MS: Record<LinkName, number> = { websocket: 2000, comm: 8000 };
/** Later attempts may find a server that is just starting. */
const REDIAL_TIMEOUT_MS = 6000;
const PAUSE_MIN_MS = 200;
const PAUSE_MAX_MS = 5000;
/** At first a server may be starting in the place of another: that takes a second or two. */
const PAUSE_FIRST_MS = 500;
const N_FIRST = 12;
/** While the relay serves there is no hurry. */
const BACKGROUND_MIN_MS = 5000;
const BACKGROUND_MAX_MS = 60_000;
const SILENCE_MS = 5000;
/** What the server answers at once. */
const ANSWERED = new Set<number>([
  MessageType.PING,
  MessageType.CHANGE_SLICE,
  MessageType.ZOOM_PAN,
  MessageType.WINDOW_LEVEL,
  MessageType.VIEW_SYNC,
]);
/**
 * What asking the kernel for a token mends: it also opens a session again that the server let go. In a
 * server that took another's place the known one is good, and a kernel that is busy need not be asked.
 */
const NEED_A_TOKEN = new Set(["token", "session-not-found"]);
/** What another link may do better; a refused token or an unknown session is the same everywhere. */
const LINK_FAILURES = new Set(["unreachable", "timeout", "protocol"]);

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  #current: Dial | null = null;
  #running = false;
  /** Grows with every start and stop: an answer to an older one is ignored. */
  #run = 0;
  #failures = 0;
  #downSinceMs: number | null = null;
  #waiting: AbortController | null = null;
  #background = 0;
  #reason = "";
  #code = "";
  #retryAtMs = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #aliveTimer: ReturnType<typeof setTimeout> | undefined;
  #pings = 0;
  readonly #roundTrip = new RoundTrip(() => this.#ping());
  #dials = new Map<LinkName, Dial | "preparing">();
  readonly #rescue: Rescue | null;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    const { websocket } = options.openers;
    this.#rescue = websocket ? this.#makeRescue(websocket) : null;
  }

  /** The link in use; null while there is none. */
  get link(): LinkName | null {
    return this.#current?.name ?? null;
  }

  /** Attempts in a row that found no way at all. */
  get failures(): number {
    return this.#failures;
  }

  /** How long there has been no link; 0 while there is one, or none was tried. */
  get downMs(): number {
    return this.#downSinceMs === null ? 0 : performance.now() - this.#downSinceMs;
  }

  /** Why the last attempt failed. */
  get reason(): string {
    return this.#reason;
  }

  /** The server's error code for it, or "unreachable" or "timeout". */
  get code(): string {
    return this.#code;
  }

  /** When the next attempt starts (`performance.now()`); 0 if one is under way or none is needed. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#run += 1;
    this.#attempt();
  }

  /** Close everything, quietly; `start` begins anew. */
  stop(): void {
    this.#running = false;
    this.#run += 1;
    this.#clearTimers();
    this.#rescue?.stop();
    this.#current?.close();
    this.#current = null;
    for (const dial of this.#dials.values()) if (dial !== "preparing") dial.close();
    this.#dials.clear();
    this.#failures = 0;
    this.#downSinceMs = null;
    this.#background = 0;
  }

  /** Do not wait for the pause to end. */
  retryNow(): void {
    if (!this.#running || this.#current) return;
    this.#failures = 0;
    this.#attempt();
  }

  /** There may be a network again: what was begun without one is begun anew, and a link is asked. */
  returned(): void {
    if (this.#current) this.#ping();
    if (!this.#running || this.#current || this.#downSinceMs === null) return;
    for (const dial of this.#dials.values()) if (dial !== "preparing") dial.close();
    this.#dials.clear();
    this.retryNow();
  }

  /** Be welcomed anew: what the last welcome brought has grown old. */
  renew(): void {
    const old = this.#current;
    old?.close();
    if (old) this.#lost(old, "what it brought has grown old");
  }

  /** Send over the link in use; false if there is none. */
  send(message: ViewerMessage): boolean {
    this.#current?.send(JSON.stringify(message));
    if (this.#current?.name === "websocket" && ANSWERED.has(message.type)) this.#rescue?.asked();
    return this.#current !== null;
  }

  /** Least round trip of the link in use, by a few pings; see `RoundTrip`. */
  roundTripMs(enoughMs: number): Promise<number> {
    return this.#roundTrip.measure(enoughMs);
  }

  #makeRescue(open: OpenLink): Rescue {
    return new Rescue({
      open,
      reach: this.#options.reach,
      hello: async () => ({ ...(await this.#options.hello(false)), transport: "websocket" }),
      ask: () => this.#ping(),
      events: {
        ...this.#dialEvents(),
        welcomed: (dial, welcome) => {
          this.#current?.close();
          this.#current = null;
          this.#events.lost();
          this.#welcomed(dial, welcome);
        },
      },
    });
  }

  #dialEvents(): DialEvents {
    return {
      welcomed: (up, welcome) => this.#welcomed(up, welcome),
      failed: (over, code, reason) => this.#failed(over, code, reason),
      message: (up, message) => this.#message(up, message),
      frame: (up, data) => this.#frame(up, data),
      lost: (over, reason) => this.#lost(over, reason),
    };
  }

  #attempt(): void {
    clearTimeout(this.#retryTimer);
    this.#retryAtMs = 0;
    const { openers, reach } = this.#options;
    const first: LinkName = openers.websocket ? "websocket" : "comm";
    this.#waiting?.abort();
    this.#waiting = null;
    if (this.#downSinceMs !== null && reach) void this.#dialWhenReached(first, reach);
    else void this.#dial(first);
    this.#events.changed();
  }

  async #dialWhenReached(name: LinkName, reach: Reach): Promise<void> {
    const waiting = new AbortController();
    this.#waiting = waiting;
    await reach.wait(waiting.signal);
    if (!waiting.signal.aborted) await this.#dial(name);
  }

  async #dial(name: LinkName): Promise<void> {
    const open = this.#options.openers[name];
    if (!open || this.#dials.has(name)) return;
    const run = this.#run;
    this.#dials.set(name, "preparing");
    const isFresh = NEED_A_TOKEN.has(this.#code);
    let hello: Omit<Hello, "transport">;
    try {
      hello = await this.#options.hello(isFresh);
    } catch (error) {
      // The comm of a kernel that is gone throws when it is asked for a token.
      if (run === this.#run) this.#couldNotAsk(name, String(error));
      return;
    }
    if (run !== this.#run) return;
    const isFirst = this.#failures === 0 && this.#background === 0 && name === "websocket";
    const timeoutMs = isFirst ? DIAL_TIMEOUT_MS.websocket : REDIAL_TIMEOUT_MS;
    const dial = new Dial(
      name,
      open,
      { ...hello, transport: name },
      name === "comm" ? DIAL_TIMEOUT_MS.comm : timeoutMs,
      this.#dialEvents(),
    );
    this.#dials.set(name, dial);
  }

  #couldNotAsk(name: LinkName, reason: string): void {
    this.#dials.delete(name);
    this.#code = "unreachable";
    this.#reason = reason;
    if (!this.#current) this.#retryAfterPause();
  }

  #welcomed(dial: Dial, welcome: Welcome): void {
    this.#dials.delete(dial.name);
    if (this.#current?.name === "websocket") {
      dial.close();
      return;
    }
    // A relay still being dialled is not needed any more.
    for (const other of this.#dials.values()) {
      if (other !== "preparing" && dial.name === "websocket") other.close();
    }
    if (dial.name === "websocket") this.#dials.clear();
    if (this.#current) {
      // What hung on the relay is gone with it, as after a break.
      this.#current.close();
      this.#current = null;
      this.#events.lost();
    }
    this.#current = dial;
    this.#failures = 0;
    this.#downSinceMs = null;
    this.#retryAtMs = 0;
    this.#waiting?.abort();
    if (dial.name === "websocket") {
      this.#options.reach?.learn();
      clearTimeout(this.#retryTimer);
      this.#background = 0;
      this.#reason = "";
      this.#code = "";
    } else if (this.#options.openers.websocket) {
      this.#retryInBackground();
    }
    this.#heard();
    this.#events.welcome(welcome);
    this.#events.changed();
  }

  #failed(dial: Dial, code: string, reason: string): void {
    this.#dials.delete(dial.name);
    this.#code = code;
    this.#reason = `${dial.name}: ${reason}`;
    if (this.#current) {
      this.#retryInBackground();
      return;
    }
    const hasSocket = this.#options.openers.websocket !== undefined;
    // The relay is dialled beside the WebSocket, which goes on trying: whichever answers first serves.
    if (dial.name === "websocket" && LINK_FAILURES.has(code)) void this.#dial("comm");
    if (dial.name === "websocket" || !hasSocket) this.#retryAfterPause();
  }

  #lost(dial: Dial, reason: string): void {
    if (dial !== this.#current) return;
    this.#rescue?.stop();
    this.#current = null;
    this.#reason = `${dial.name}: ${reason}`;
    clearTimeout(this.#aliveTimer);
    this.#events.lost();
    this.#retryAfterPause();
  }

  #retryAfterPause(): void {
    const mostMs = this.#failures < N_FIRST ? PAUSE_FIRST_MS : PAUSE_MAX_MS;
    const pauseMs = Math.min(PAUSE_MIN_MS * 2 ** this.#failures, mostMs);
    this.#failures += 1;
    this.#downSinceMs ??= performance.now();
    this.#retryAtMs = performance.now() + pauseMs;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#attempt(), pauseMs);
    this.#events.changed();
  }

  #retryInBackground(): void {
    const pauseMs = Math.min(BACKGROUND_MIN_MS * 2 ** this.#background, BACKGROUND_MAX_MS);
    this.#background += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => void this.#dial("websocket"), pauseMs);
  }

  #message(dial: Dial, message: ServerMessage): void {
    if (dial !== this.#current) return;
    this.#heard();
    if (message.type === MessageType.WELCOME) this.#events.welcome(message);
    else if (message.type === MessageType.PING) this.send({ ...message, type: MessageType.PONG });
    else if (message.type === MessageType.PONG) this.#roundTrip.answered(message.n);
    else this.#events.message(message);
  }

  #frame(dial: Dial, data: DataView): void {
    if (dial !== this.#current) return;
    this.#heard();
    this.#events.frame(data);
  }

  /** Something came: ask again after a silence, and give up after two. */
  #heard(): void {
    this.#rescue?.stop();
    clearTimeout(this.#aliveTimer);
    this.#aliveTimer = setTimeout(() => {
      const asked = this.#current;
      this.#ping();
      this.#aliveTimer = setTimeout(() => {
        asked?.close();
        if (asked) this.#lost(asked, "silent");
      }, SILENCE_MS);
    }, SILENCE_MS);
  }

  /** Gives the ping's number. */
  #ping(): number {
    this.#pings += 1;
    this.send({ type: MessageType.PING, n: this.#pings });
    return this.#pings;
  }

  #clearTimers(): void {
    this.#waiting?.abort();
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#aliveTimer);
    this.#retryAtMs = 0;
  }
}
