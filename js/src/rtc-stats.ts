/**
 * What the browser counts of its WebRTC video: told to the server, and used for the playout delay.
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

/** Look at the counters once a second until `signal` aborts. */
export function watchStats(
  receiver: RTCRtpReceiver,
  tell: (stats: RtcStats) => void,
  signal: AbortSignal,
): void {
  const counts = new RtcCounts();
  const look = async (): Promise<void> => {
    const report = await receiver.getStats();
    if (signal.aborted) return;
    for (const entry of report.values() as Iterable<InboundVideo & { readonly type: string }>) {
      if (entry.type !== "inbound-rtp") continue;
      const stats = counts.take(entry);
      if (!stats) continue;
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = stats.delay_ms ?? 0;
      tell(stats);
    }
  };
  const timer = setInterval(() => void look().catch(() => {}), PERIOD_MS);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
