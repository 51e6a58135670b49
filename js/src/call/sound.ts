/** How loud somebody was, by all that was played of them, and not by a moment of it. */

/** Energy and length of all that was played. */
interface Played {
  readonly energy: number;
  readonly s: number;
}

export class Loudness {
  #before: Played = { energy: 0, s: 0 };

  /** Since this was asked last, 0 to 1. */
  since(stats: RTCInboundRtpStreamStats): number {
    const { energy, s } = this.#before;
    this.#before = { energy: stats.totalAudioEnergy ?? 0, s: stats.totalSamplesDuration ?? 0 };
    const heardS = this.#before.s - s;
    return heardS > 0 ? Math.sqrt((this.#before.energy - energy) / heardS) : 0;
  }
}

/** Of voices that come in. */
export function voicesIn(stats: RTCStatsReport | undefined): RTCInboundRtpStreamStats[] {
  const all = [...((stats?.values() ?? []) as Iterable<RTCInboundRtpStreamStats>)];
  return all.filter(({ type, kind }) => type === "inbound-rtp" && (kind ?? "audio") === "audio");
}
