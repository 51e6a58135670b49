/** How a session is, for who looks and for the server: once a second, and when something changes. */
import type { Abilities } from "./abilities";
import type { Connection } from "./connection";
import type { LatencyMeter } from "./latency";
import { Listeners } from "./listeners";
import { MessageType, type Report, type Status } from "./protocol";
import type { Screen } from "./screen";
import type { SessionError, SessionStatus } from "./session";
import {
  FIRST_STATUS,
  fromServer,
  NOTEBOOK_BUSY,
  newReport,
  phaseOf,
  sameValues,
  transportOf,
  unreachable,
} from "./status";
import type { Takeover } from "./takeover";

/** Whom it asks. */
export interface StatusSources {
  readonly connection: Connection;
  readonly abilities: Abilities;
  readonly screen: Screen;
  readonly meter: LatencyMeter;
  takeover(): Takeover | null;
  /** Why there is none, where there might be one. */
  readonly peerObstacle: string;
  /** The volume is open. */
  hasInfo(): boolean;
}

const REPORT_MS = 1000;

export class LiveStatus {
  readonly listeners = new Listeners<SessionStatus>();
  readonly #sources: StatusSources;
  #now = FIRST_STATUS;
  #via = "";
  /** Of the server's encoder; a viewer without a video decoder gets JPEG instead. */
  #codec = "";
  #hasEnded = false;
  #isStopped = false;
  #wasLive = false;
  #serverError: SessionError | null = null;
  #kernelError: SessionError | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lastReport: Report | null = null;

  constructor(sources: StatusSources) {
    this.#sources = sources;
  }

  get now(): SessionStatus {
    return this.#now;
  }

  /** The session is over for good. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Who looks wants no connection. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Measure and report from now on. */
  start(): void {
    this.#isStopped = false;
    this.#timer ??= setInterval(() => this.#report(), REPORT_MS);
  }

  /** Measure no more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Who looks wants no connection any more. */
  cancelled(): void {
    this.#isStopped = true;
  }

  /** The session is over for good. */
  ended(): void {
    this.#hasEnded = true;
  }

  /** The server lets us in; `via` carries its messages. */
  welcomed(via: string): void {
    this.#via = via;
    this.#serverError = null;
  }

  /** The server says what its worker does. */
  received(message: Status): void {
    this.#codec = message.codec;
    this.refresh(fromServer(message));
  }

  /** The session shows nothing until what is wrong is mended; null: it is tried again. */
  failed(error: SessionError | null): void {
    this.#serverError = error;
  }

  /** An error that the kernel knows of; null when mended. */
  failedInKernel(error: SessionError | null): void {
    this.#kernelError = error;
    this.refresh();
  }

  /** A picture is on screen: proof that what failed was mended. */
  shown(): void {
    const isNews = !this.#wasLive || this.#serverError !== null;
    this.#wasLive = true;
    this.#serverError = null;
    if (isNews || this.#sources.screen.isExact !== this.#now.exact) this.refresh();
  }

  /** Look at everything again, and tell what is other than it was. */
  refresh(change: Partial<SessionStatus> = {}): void {
    const { connection, screen } = this.#sources;
    const link = connection.link;
    const lost = unreachable(connection, this.#wasLive);
    const error = this.#serverError ?? this.#kernelError ?? lost;
    const retryAtMs = connection.retryAtMs;
    const status: SessionStatus = {
      ...this.#now,
      ...change,
      phase: phaseOf({
        hasEnded: this.#hasEnded,
        isStopped: this.#isStopped,
        error,
        isConnected: link !== null,
        hasInfo: this.#sources.hasInfo(),
        hasPicture: screen.frame !== null,
        wasLive: this.#wasLive,
      }),
      transport: transportOf(link, this.#isByPeer),
      via: link === null ? "" : this.#via,
      codec: this.#decoderName() === "jpeg" ? "jpeg" : this.#codec,
      reason: this.#reason(),
      exact: screen.isExact,
      isNotebookBusy: link === null && connection.code === NOTEBOOK_BUSY,
      retryInMs: retryAtMs > 0 ? Math.max(0, Math.round(retryAtMs - performance.now())) : 0,
      error,
    };
    if (sameValues(status, this.#now)) return;
    this.#now = status;
    this.listeners.emit(status);
  }

  /** Once a second: what was measured, for status and server; silent while nothing changes. */
  #report(): void {
    const { connection, meter } = this.#sources;
    const now = performance.now();
    const displayedFps = meter.displayedFps(now);
    const latencyMs = Math.round(meter.latencyMs(now) * 10) / 10;
    this.refresh({ displayedFps, latencyMs });
    const transport = transportOf(connection.link, this.#isByPeer);
    if (transport === "") return;
    const report = newReport(this.#lastReport, {
      type: MessageType.REPORT,
      transport,
      displayed_fps: displayedFps,
      latency_ms: latencyMs,
      decoder: this.#decoderName(),
    });
    if (report && connection.send(report)) this.#lastReport = report;
  }

  get #isByPeer(): boolean {
    return this.#sources.takeover()?.isActive ?? false;
  }

  #decoderName(): string {
    const takeover = this.#sources.takeover();
    if (takeover?.isActive) return takeover.takesEncoded ? "webcodecs" : "webrtc";
    return this.#sources.abilities.isJpegOnly ? "jpeg" : "webcodecs";
  }

  #reason(): string {
    if (this.#isByPeer) return "";
    const { connection, abilities, peerObstacle } = this.#sources;
    const noPeer = this.#sources.takeover()?.reason ?? peerObstacle;
    return [connection.reason, noPeer, abilities.reason].filter(Boolean).join(" · ");
  }
}
