/**
 * What the browser counts of its WebRTC video: told to the server, and used for the playout delay and
 * to see whether a near link stays one.
 *
 * On an even network a picture is shown as soon as it is complete. Where packets come unevenly, that
 * makes the picture's rhythm theirs; then it waits for about as long as they vary.
 */
import { MessageType, type RtcStats } from "./protocol";

const PERIOD_MS = 1000;
/** Less than this is not seen. */
const EVEN_MS = 12;
/** Pictures that wait longer than this feel late, whatever their rhythm. */
const DELAY_MAX_MS = 80;
const STEP_MS = 10;

/** The counters used here, of an `inbound-rtp` report. */
export interface InboundVideo {
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** Seconds. */
  readonly jitter: number;
}

/** Playout delay for a jitter; `before` keeps it from changing back and forth. */
export function delayFor(jitterMs: number, before: number): number {
  if (jitterMs < EVEN_MS * (before > 0 ? 0.5 : 1)) return 0;
  const wanted = Math.min(Math.ceil((2 * jitterMs) / STEP_MS) * STEP_MS, DELAY_MAX_MS);
  return wanted > before || wanted < before - 2 * STEP_MS ? wanted : before;
}

/** Turns counters into what happened between two of them. */
export class RtcCounts {
  #last: InboundVideo | null = null;
  #delayMs = 0;

  /** Null while nothing came. */
  take(now: InboundVideo): RtcStats | null {
    const last = this.#last;
    this.#last = now;
    if (!last) return null;
    const received = now.packetsReceived - last.packetsReceived;
    const lost = Math.max(now.packetsLost - last.packetsLost, 0);
    if (received <= 0) return null;
    const jitterMs = now.jitter * 1000;
    this.#delayMs = delayFor(jitterMs, this.#delayMs);
    return {
      type: MessageType.RTC_STATS,
      loss: lost / (received + lost),
      jitter_ms: Math.round(jitterMs * 10) / 10,
      delay_ms: this.#delayMs,
    };
  }
}

interface ReportEntry extends InboundVideo {
  readonly type: string;
  readonly id: string;
  readonly selectedCandidatePairId?: string;
  /** Checks of a path that were answered, and seconds that all of them took. */
  readonly responsesReceived?: number;
  readonly totalRoundTripTime?: number;
}

/** Round trip of the path in use. */
export class PathChecks {
  #id = "";
  #n = 0;
  #totalS = 0;

  /** Mean of the checks that were answered since the last call, ms; null if there were none. */
  take(entries: readonly ReportEntry[]): number | null {
    const used = entries.find(({ type }) => type === "transport")?.selectedCandidatePairId;
    const path = used && entries.find(({ id }) => id === used);
    if (!path) return null;
    const { responsesReceived = 0, totalRoundTripTime = 0 } = path;
    const isSame = this.#id === path.id;
    const n = responsesReceived - (isSame ? this.#n : 0);
    const totalS = totalRoundTripTime - (isSame ? this.#totalS : 0);
    [this.#id, this.#n, this.#totalS] = [path.id, responsesReceived, totalRoundTripTime];
    return n > 0 ? (1000 * totalS) / n : null;
  }
}

/** Look at the counters once a second until `signal` aborts; `tell` while pictures come. */
export function watchStats(
  receiver: RTCRtpReceiver,
  tell: (stats: RtcStats, roundTripMs: number | null) => void,
  signal: AbortSignal,
): void {
  const counts = new RtcCounts();
  const checks = new PathChecks();
  const look = async (): Promise<void> => {
    const report = await receiver.getStats();
    if (signal.aborted) return;
    const entries = [...(report.values() as Iterable<ReportEntry>)];
    const inbound = entries.find(({ type }) => type === "inbound-rtp");
    const stats = inbound && counts.take(inbound);
    const roundTripMs = checks.take(entries);
    if (!stats) return;
    tell(stats, roundTripMs);
  };
  const timer = setInterval(() => void look().catch(() => {}), PERIOD_MS);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
