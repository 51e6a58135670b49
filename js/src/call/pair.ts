/**
 * The connection to one other person of a call.
 *
 * Both sides may offer at any time: one of them, the polite one, gives way ("perfect negotiation" of the
 * WebRTC specification). The other begins. Sound and pictures have their lines from the start, so that a
 * microphone or a camera that comes or goes needs no words between the browsers.
 */
import type { Candidate, Description } from "../protocol";
import { Loudness, voicesIn } from "./sound";

export type Signal = Description | Candidate;
export type Kind = "audio" | "video";
export type PathState = "connecting" | "connected" | "failed";

export interface PairEvents {
  /** Tell the other browser. */
  signal(signal: Signal): void;
  /** `state`, `audio` or `video` is another one. */
  changed(): void;
  /** What was offered is not answered, or the other way round: something got lost on the way. */
  stuck(): void;
}

/** Of a picture as large as a stamp; up to five of them leave one page. */
const VIDEO_MAX_BPS = 250_000;
/** A path that broke may come back by itself for so long. */
const BROKEN_MS = 3000;
const PAUSE_MAX_MS = 30_000;
const STUCK_MS = 8000;

export class Pair {
  audio: MediaStream | null = null;
  video: MediaStream | null = null;
  readonly #connection: RTCPeerConnection;
  readonly #isPolite: boolean;
  readonly #events: PairEvents;
  readonly #ended = new AbortController();
  readonly #tracks: Record<Kind, MediaStreamTrack | null> = { audio: null, video: null };
  readonly #loudness = new Loudness();
  #isOffering = false;
  #isTakingAnswer = false;
  #isIgnoring = false;
  #restarts = 0;
  #pathTimer: ReturnType<typeof setTimeout> | undefined;
  #stuckTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param isPolite gives way when both offer at once; exactly one of the two is */
  constructor(connection: RTCPeerConnection, isPolite: boolean, events: PairEvents) {
    this.#connection = connection;
    this.#isPolite = isPolite;
    this.#events = events;
    this.#listen();
    if (!isPolite) this.#begin();
    this.#watchNegotiation();
  }

  get state(): PathState {
    const { connectionState } = this.#connection;
    if (connectionState === "connected" || connectionState === "failed") return connectionState;
    return "connecting";
  }

  /** How loud the other one was since this was asked last, 0 to 1. */
  async level(): Promise<number> {
    const [voice] = voicesIn(await this.#transceiver("audio")?.receiver.getStats());
    return voice ? this.#loudness.since(voice) : 0;
  }

  /** Send this from now on; null: nothing. */
  send(kind: Kind, track: MediaStreamTrack | null): void {
    this.#tracks[kind] = track;
    this.#replace(kind);
  }

  /** Take what the other browser tells. */
  async receive(signal: Signal): Promise<void> {
    try {
      if (signal.type === "sdp") await this.#described(signal);
      else await this.#connection.addIceCandidate(signal);
    } catch (error) {
      // Candidates of an offer that was ignored fit nothing; and what is closed takes nothing more.
      if (this.#isIgnoring || this.#ended.signal.aborted) return;
      console.warn("blustream: the call", error);
    }
  }

  /** The way of signals was broken, and is there again: what was to be told then is told now. */
  signalsAgain(): void {
    if (this.state !== "connected") this.#connection.restartIce();
  }

  close(): void {
    this.#ended.abort();
    clearTimeout(this.#pathTimer);
    clearTimeout(this.#stuckTimer);
    this.#connection.close();
  }

  #listen(): void {
    const { signal } = this.#ended;
    const connection = this.#connection;
    connection.addEventListener("negotiationneeded", () => void this.#offer(), { signal });
    connection.addEventListener("icecandidate", (e) => this.#found(e.candidate), { signal });
    connection.addEventListener("track", (event) => this.#heard(event.track), { signal });
    connection.addEventListener("connectionstatechange", () => this.#pathChanged(), { signal });
    connection.addEventListener("signalingstatechange", () => this.#watchNegotiation(), { signal });
  }

  #begin(): void {
    this.#connection.addTransceiver("audio", { direction: "sendrecv" });
    this.#connection.addTransceiver("video", {
      direction: "sendrecv",
      sendEncodings: [{ maxBitrate: VIDEO_MAX_BPS }],
    });
  }

  async #offer(): Promise<void> {
    this.#isOffering = true;
    try {
      await this.#connection.setLocalDescription();
      this.#tellDescription();
    } catch (error) {
      if (!this.#ended.signal.aborted) console.warn("blustream: the call", error);
    } finally {
      this.#isOffering = false;
    }
  }

  #tellDescription(): void {
    const { localDescription } = this.#connection;
    if (!localDescription || this.#ended.signal.aborted) return;
    const kind = localDescription.type as Description["kind"];
    this.#events.signal({ type: "sdp", kind, sdp: localDescription.sdp });
  }

  #found(candidate: RTCIceCandidate | null): void {
    if (!candidate) return;
    const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
    this.#events.signal({
      type: "ice",
      candidate: candidate.candidate,
      ...(sdpMid !== null && { sdpMid }),
      ...(sdpMLineIndex !== null && { sdpMLineIndex }),
      ...(usernameFragment && { usernameFragment }),
    });
  }

  async #described({ kind, sdp }: Description): Promise<void> {
    const connection = this.#connection;
    const isFree =
      !this.#isOffering && (connection.signalingState === "stable" || this.#isTakingAnswer);
    this.#isIgnoring = kind === "offer" && !isFree && !this.#isPolite;
    if (this.#isIgnoring) return;
    this.#isTakingAnswer = kind === "answer";
    try {
      await connection.setRemoteDescription({ type: kind, sdp });
    } finally {
      this.#isTakingAnswer = false;
    }
    if (kind !== "offer") {
      this.#sendAll();
      return;
    }
    // Who did not begin has no lines of its own: it sends on those of the offer.
    for (const transceiver of connection.getTransceivers()) transceiver.direction = "sendrecv";
    this.#sendAll();
    await connection.setLocalDescription();
    this.#tellDescription();
    this.#boundVideo();
  }

  #sendAll(): void {
    this.#replace("audio");
    this.#replace("video");
  }

  #replace(kind: Kind): void {
    const sender = this.#transceiver(kind)?.sender;
    const track = this.#tracks[kind];
    if (!sender || sender.track === track || this.#ended.signal.aborted) return;
    sender
      .replaceTrack(track)
      .catch((error: unknown) => console.warn("blustream: the call", error));
  }

  #boundVideo(): void {
    const sender = this.#transceiver("video")?.sender;
    const parameters = sender?.getParameters();
    const first = parameters?.encodings?.[0];
    if (!sender || !parameters || !first) return;
    first.maxBitrate = VIDEO_MAX_BPS;
    sender.setParameters(parameters).catch(() => {}); // an old browser sends what it likes
  }

  #transceiver(kind: Kind): RTCRtpTransceiver | undefined {
    return this.#connection.getTransceivers().find(({ receiver }) => receiver.track.kind === kind);
  }

  #heard(track: MediaStreamTrack): void {
    this[track.kind as Kind] = new MediaStream([track]);
    this.#events.changed();
  }

  #pathChanged(): void {
    const { connectionState } = this.#connection;
    clearTimeout(this.#pathTimer);
    if (connectionState === "connected") this.#restarts = 0;
    if (connectionState === "disconnected") this.#restartIn(BROKEN_MS);
    if (connectionState === "failed") this.#restartIn(this.#pauseMs());
    this.#events.changed();
  }

  #pauseMs(): number {
    const pauseMs = Math.min(PAUSE_MAX_MS, 1000 * 2 ** this.#restarts);
    this.#restarts += 1;
    return pauseMs;
  }

  #restartIn(waitMs: number): void {
    this.#pathTimer = setTimeout(() => this.#connection.restartIce(), waitMs);
  }

  /** From the first moment on, and whenever a description waits for its answer. */
  #watchNegotiation(): void {
    clearTimeout(this.#stuckTimer);
    const { signalingState, currentRemoteDescription } = this.#connection;
    if (signalingState === "stable" && currentRemoteDescription) return;
    if (signalingState === "closed") return;
    this.#stuckTimer = setTimeout(() => this.#events.stuck(), STUCK_MS);
  }
}
