/**
 * How this page hears and sees each of the others: by a connection to each, or by the SFU.
 *
 * When a call grows too large for the first, everybody connects to the SFU while all goes on as it was. A
 * connection between two pages ends when each has told the other that it hears it the new way.
 */
import {
  type Call,
  type CallMedia,
  type CallMediaTold,
  type CallSignal,
  type CallSignalled,
  MessageType,
} from "../protocol";
import { type Kind, Pair, type PathState } from "./pair";
import { Relay } from "./relay";

export interface WaysEvents {
  connect(): RTCPeerConnection;
  send(message: CallSignal | CallMedia): void;
  /** Somebody is heard or seen otherwise than before. */
  changed(): void;
  /** What two browsers told each other got lost. */
  stuck(): void;
}

/** The way to one of the others, while there is one. */
interface Direct {
  readonly pair: Pair;
  hasTold: boolean;
  isTold: boolean;
}

/** Who is not there so long after they came is not to be reached. */
const FAR_MS = 15_000;

export class Ways {
  readonly #events: WaysEvents;
  readonly #direct = new Map<string, Direct>();
  readonly #tracks: Record<Kind, MediaStreamTrack | null> = { audio: null, video: null };
  /** When each came to the room of the SFU, as this page sees it. */
  #cameMs = new Map<string, number>();
  #relay: Relay | null = null;
  #room = 0;
  #seat = "";

  constructor(events: WaysEvents) {
    this.#events = events;
  }

  /** All goes through the SFU, or is about to. */
  get isRelayed(): boolean {
    return this.#relay !== null;
  }

  voiceOf(seat: string): MediaStream | null {
    const direct = this.#direct.get(seat)?.pair.audio ?? null;
    const relayed = this.#relay?.streamOf(seat, "audio") ?? null;
    return this.#relay?.hears(seat) ? relayed : (direct ?? relayed);
  }

  pictureOf(seat: string): MediaStream | null {
    const relayed = this.#relay?.streamOf(seat, "video");
    return relayed ?? this.#direct.get(seat)?.pair.video ?? null;
  }

  /** How far the way to somebody is. */
  stateOf(seat: string): PathState {
    const direct = this.#direct.get(seat)?.pair.state;
    if (!this.#relay) return direct ?? "connecting";
    if (this.#relay.hears(seat) || direct === "connected") return "connected";
    const isLate = performance.now() - (this.#cameMs.get(seat) ?? 0) > FAR_MS;
    return isLate || this.#relay.state === "failed" ? "failed" : "connecting";
  }

  /** How loud each of the others was since this was asked last, 0 to 1, by seat. */
  async levels(): Promise<ReadonlyMap<string, number>> {
    const direct = [...this.#direct].map(
      async ([seat, { pair }]) => [seat, await pair.level()] as const,
    );
    const levels = new Map(await Promise.all(direct));
    for (const [seat, level] of (await this.#relay?.levels()) ?? []) {
      levels.set(seat, Math.max(level, levels.get(seat) ?? 0));
    }
    this.#settle();
    return levels;
  }

  /** Send this to all from now on; null: nothing. */
  send(kind: Kind, track: MediaStreamTrack | null): void {
    this.#tracks[kind] = track;
    for (const { pair } of this.#direct.values()) pair.send(kind, track);
    this.#relay?.send(kind, track);
  }

  /** Take note who is there, and by which ways. */
  told({ seat, members, mesh, sfu }: Call): void {
    // Another seat is another part in the call: what was connected belongs to the former one.
    if (seat !== this.#seat) this.close();
    this.#seat = seat;
    if (sfu !== this.#room) this.#goTo(sfu);
    const others = members.map((member) => member.seat).filter((other) => other !== seat);
    for (const other of this.#direct.keys()) if (!others.includes(other)) this.#leave(other);
    const now = performance.now();
    this.#cameMs = new Map(others.map((other) => [other, this.#cameMs.get(other) ?? now]));
    if (mesh === false) return;
    for (const other of others) if (!this.#direct.has(other)) this.#connectTo(other);
  }

  signalled({ seat, signal }: CallSignalled): void {
    const direct = this.#direct.get(seat);
    if (!direct) return;
    if (signal.type !== "moved") void direct.pair.receive(signal);
    else {
      direct.isTold = true;
      this.#settle();
    }
  }

  toldBySfu(message: CallMediaTold): void {
    this.#relay?.receive(message);
  }

  /** The way of signals was broken, and is there again. */
  signalsAgain(): void {
    for (const direct of this.#direct.values()) {
      direct.pair.signalsAgain();
      direct.hasTold = false; // it may have got lost
    }
    this.#settle();
    this.#relay?.signalsAgain();
  }

  close(): void {
    for (const seat of this.#direct.keys()) this.#leave(seat);
    this.#relay?.close();
    this.#relay = null;
    this.#room = 0;
    this.#cameMs.clear();
  }

  #goTo(room: number): void {
    const wasRelayed = this.#relay !== null;
    this.#relay?.close();
    this.#relay = null;
    this.#room = room;
    this.#cameMs.clear();
    if (room) {
      const { connect, send } = this.#events;
      const tell = (message: Omit<CallMedia, "type">): void =>
        send({ type: MessageType.CALL_MEDIA, ...message });
      const changed = (): void => {
        this.#settle();
        this.#events.changed();
      };
      this.#relay = new Relay({ connect, tell, changed }, this.#tracks);
    } else if (wasRelayed) {
      // Some of these have ended on one side: all begin anew, on both.
      for (const seat of this.#direct.keys()) this.#leave(seat);
    }
  }

  #connectTo(seat: string): void {
    const signals: (message: CallSignal["signal"]) => void = (signal) =>
      this.#events.send({ type: MessageType.CALL_SIGNAL, seat, signal });
    const pair: Pair = new Pair(this.#events.connect(), this.#seat > seat, {
      signal: signals,
      changed: () => this.#events.changed(),
      stuck: () => {
        if (!this.#relay) this.#events.stuck();
      },
    });
    this.#direct.set(seat, { pair, hasTold: false, isTold: false });
    pair.send("audio", this.#tracks.audio);
    pair.send("video", this.#tracks.video);
  }

  /** End connections to those whom each side hears by the SFU. */
  #settle(): void {
    for (const [seat, direct] of this.#direct) {
      if (this.#relay?.hears(seat) && !direct.hasTold) {
        direct.hasTold = true;
        const signal = { type: "moved" as const };
        this.#events.send({ type: MessageType.CALL_SIGNAL, seat, signal });
      }
      // A connection that failed was ended by the other side, whose word of it got lost.
      const isOver = direct.isTold || direct.pair.state === "failed";
      if (!direct.hasTold || !isOver) continue;
      this.#leave(seat);
      this.#events.changed();
    }
  }

  #leave(seat: string): void {
    this.#direct.get(seat)?.pair.close();
    this.#direct.delete(seat);
  }
}
