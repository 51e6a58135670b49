/**
 * The two connections with the SFU that a large call goes through: one up, one down.
 *
 * What is told goes by our server: this page knows nothing else of the SFU than where its media goes.
 * This page offers what it sends; what it gets is offered to it, again whenever that changes. When
 * something breaks, both begin anew, with growing pauses.
 */
import type { CallMedia, CallMediaTold, CallTrack } from "../protocol";
import type { Kind, PathState } from "./pair";
import { Loudness, voicesIn } from "./sound";

export interface RelayEvents {
  connect(): RTCPeerConnection;
  /** Tell the SFU. */
  tell(message: Omit<CallMedia, "type">): void;
  /** Somebody is heard or seen, or not any more. */
  changed(): void;
}

/** Of a picture as large as a stamp; the SFU may ask for less. */
const VIDEO_MAX_BPS = 250_000;
const BROKEN_MS = 3000;
const STUCK_MS = 15_000;
const PAUSE_MAX_MS = 30_000;
/** Who sends nothing at all (they listen) counts as heard after this. */
const SILENT_MS = 3000;

/** Counts for the whole page: an answer to what was closed is known by its number. */
let attempts = 0;

interface Incoming {
  readonly stream: MediaStream;
  readonly track: MediaStreamTrack;
  readonly sinceMs: number;
}

export class Relay {
  readonly #events: RelayEvents;
  readonly #tracks: Record<Kind, MediaStreamTrack | null> = { audio: null, video: null };
  /** By seat and kind. */
  #incoming = new Map<string, Incoming>();
  readonly #loudness = new Map<string, Loudness>();
  readonly #watched = new WeakSet<MediaStreamTrack>();
  #up: RTCPeerConnection;
  #down: RTCPeerConnection | null = null;
  #n = 0;
  #life = new AbortController();
  #taking: Promise<void> = Promise.resolve();
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(events: RelayEvents, tracks: Record<Kind, MediaStreamTrack | null>) {
    this.#events = events;
    Object.assign(this.#tracks, tracks);
    this.#up = this.#begin();
  }

  get state(): PathState {
    const states = [this.#up, this.#down].map((each) => each?.connectionState ?? "connected");
    if (states.every((state) => state === "connected")) return "connected";
    return this.#failures > 1 ? "failed" : "connecting";
  }

  streamOf(seat: string, kind: Kind): MediaStream | null {
    return this.#incoming.get(seat + kind)?.stream ?? null;
  }

  /** Somebody is heard by way of the SFU; or would be, if they said something. */
  hears(seat: string): boolean {
    const voice = this.#incoming.get(`${seat}audio`);
    if (!voice || this.#down?.connectionState !== "connected") return false;
    return !voice.track.muted || performance.now() - voice.sinceMs > SILENT_MS;
  }

  /** How loud each one was since this was asked last, 0 to 1, by seat. */
  async levels(): Promise<ReadonlyMap<string, number>> {
    const heard = new Map<string, number>();
    const voices = voicesIn(await this.#down?.getStats());
    for (const [name, { track }] of this.#incoming) {
      const stats = voices.find(({ trackIdentifier }) => trackIdentifier === track.id);
      if (!stats || !name.endsWith("audio")) continue;
      const loudness = this.#loudness.get(track.id) ?? new Loudness();
      this.#loudness.set(track.id, loudness);
      heard.set(name.slice(0, -"audio".length), loudness.since(stats));
    }
    return heard;
  }

  /** Send this from now on; null: nothing. */
  send(kind: Kind, track: MediaStreamTrack | null): void {
    this.#tracks[kind] = track;
    this.#replace(kind);
  }

  receive(message: CallMediaTold): void {
    if (message.n !== this.#n) return;
    // One after the other: an answer, and an offer of the next one, may come at once.
    const n = this.#n;
    this.#taking = this.#taking.then(async () => {
      if (n !== this.#n) return;
      try {
        await this.#take(message);
      } catch (error) {
        if (n !== this.#n || this.#isClosed) return;
        console.warn("blustream: the call", error);
        this.#failed();
      }
    });
  }

  /** The way of signals was broken, and is there again. */
  signalsAgain(): void {
    if (this.state !== "connected") this.#again();
  }

  close(): void {
    this.#isClosed = true;
    this.#letGo();
  }

  // ------------------------------------------------------------ beginning, and beginning anew

  #begin(): RTCPeerConnection {
    attempts += 1;
    this.#n = attempts;
    this.#life = new AbortController();
    const up = this.#connection("up");
    up.addTransceiver("audio", { direction: "sendonly" });
    up.addTransceiver("video", {
      direction: "sendonly",
      sendEncodings: [{ maxBitrate: VIDEO_MAX_BPS }],
    });
    this.#up = up;
    this.#replace("audio");
    this.#replace("video");
    this.#wait(STUCK_MS);
    void this.#offer(up, this.#n);
    return up;
  }

  async #offer(up: RTCPeerConnection, n: number): Promise<void> {
    try {
      await up.setLocalDescription();
    } catch (error) {
      if (n === this.#n && !this.#isClosed) console.warn("blustream: the call", error);
      return;
    }
    const sdp = up.localDescription?.sdp ?? "";
    if (n === this.#n && !this.#isClosed)
      this.#events.tell({ n, way: "up", signal: { type: "sdp", kind: "offer", sdp } });
  }

  #letGo(): void {
    clearTimeout(this.#timer);
    this.#life.abort();
    this.#n = 0;
    // What a connection was taking when it is closed never ends: nothing waits for that.
    this.#taking = Promise.resolve();
    this.#up.close();
    this.#down?.close();
    this.#down = null;
    this.#incoming = new Map();
    this.#loudness.clear();
  }

  #again(): void {
    if (this.#isClosed) return;
    this.#letGo();
    this.#begin();
    this.#events.changed();
  }

  #failed(): void {
    this.#wait(Math.min(PAUSE_MAX_MS, 1000 * 2 ** this.#failures));
    this.#events.changed();
  }

  /** Begin anew after a while, unless all is well before. */
  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#failures += 1;
      this.#again();
    }, ms);
  }

  #connection(way: "up" | "down"): RTCPeerConnection {
    const connection = this.#events.connect();
    const { signal } = this.#life;
    const n = this.#n;
    const told = ({ candidate }: RTCPeerConnectionIceEvent): void => {
      if (!candidate) return;
      const { sdpMid, sdpMLineIndex } = candidate;
      const where = {
        type: "ice" as const,
        candidate: candidate.candidate,
        ...(sdpMid !== null && { sdpMid }),
        ...(sdpMLineIndex !== null && { sdpMLineIndex }),
      };
      this.#events.tell({ n, way, signal: where });
    };
    connection.addEventListener("icecandidate", told, { signal });
    const changed = (): void => this.#pathChanged(connection);
    connection.addEventListener("connectionstatechange", changed, { signal });
    return connection;
  }

  #pathChanged({ connectionState }: RTCPeerConnection): void {
    if (connectionState === "failed") {
      this.#failed();
      return;
    }
    if (connectionState === "disconnected") this.#wait(BROKEN_MS);
    if (this.state === "connected") {
      clearTimeout(this.#timer);
      this.#failures = 0;
    }
    this.#events.changed();
  }

  // ------------------------------------------------------------ what goes by them

  async #take({ way, signal, tracks }: CallMediaTold): Promise<void> {
    if (signal.type === "end") this.#failed();
    else if (signal.type === "ice")
      await (way === "up" ? this.#up : this.#down)?.addIceCandidate(signal);
    else if (way === "up") await this.#up.setRemoteDescription({ type: "answer", sdp: signal.sdp });
    else await this.#takeOffer(signal.sdp, tracks);
  }

  async #takeOffer(sdp: string, tracks: readonly CallTrack[]): Promise<void> {
    const n = this.#n;
    if (!this.#down) {
      this.#down = this.#connection("down");
      this.#wait(STUCK_MS);
    }
    const down = this.#down;
    await down.setRemoteDescription({ type: "offer", sdp });
    await down.setLocalDescription();
    const answer = down.localDescription?.sdp ?? "";
    if (n !== this.#n) return;
    this.#events.tell({ n, way: "down", signal: { type: "sdp", kind: "answer", sdp: answer } });
    this.#hear(down, tracks);
  }

  #hear(down: RTCPeerConnection, tracks: readonly CallTrack[]): void {
    const lines = new Map(down.getTransceivers().map((line) => [line.mid, line.receiver.track]));
    const before = this.#incoming;
    this.#incoming = new Map();
    for (const { mid, kind, seat } of tracks) {
      const track = lines.get(mid);
      if (!track) continue;
      const known = before.get(seat + kind);
      const isNew = known?.track !== track;
      if (isNew) this.#watch(track);
      const fresh = { stream: new MediaStream([track]), track, sinceMs: performance.now() };
      this.#incoming.set(seat + kind, known && !isNew ? known : fresh);
    }
    this.#events.changed();
  }

  #watch(track: MediaStreamTrack): void {
    if (this.#watched.has(track)) return; // its line was another one's before
    this.#watched.add(track);
    const { signal } = this.#life;
    const changed = (): void => this.#events.changed();
    track.addEventListener("unmute", changed, { signal });
    track.addEventListener("mute", changed, { signal });
  }

  #replace(kind: Kind): void {
    const index = kind === "audio" ? 0 : 1;
    const sender = this.#up.getTransceivers()[index]?.sender;
    const track = this.#tracks[kind];
    if (!sender || sender.track === track || this.#isClosed) return;
    sender
      .replaceTrack(track)
      .catch((error: unknown) => console.warn("blustream: the call", error));
  }
}
