/** Puts together what the viewer says of itself from what connection, server and decoder know. */
import type { Report, Status } from "./protocol";
import type { Phase, SessionError, SessionStatus, TransportName } from "./session";

/** The facts that decide the phase. */
export interface Situation {
  readonly hasEnded: boolean;
  readonly isStopped: boolean;
  readonly error: SessionError | null;
  readonly isConnected: boolean;
  readonly hasInfo: boolean;
  readonly hasPicture: boolean;
  readonly wasLive: boolean;
}

export function phaseOf(situation: Situation): Phase {
  if (situation.hasEnded) return "ended";
  if (situation.isStopped) return "stopped";
  if (situation.error) return "failed";
  if (!situation.isConnected) return situation.wasLive ? "reconnecting" : "connecting";
  return situation.hasInfo && situation.hasPicture ? "live" : "opening";
}

/** Rounds without any answer before the viewer says that something is wrong; it goes on trying. */
const ROUNDS_UNTIL_FAILED = 4;
/** While the last picture is there to look at, it waits longer. */
const MS_WHEN_LIVE = 25_000;

/** A server in the place of a killed one can show nothing before the notebook has time for it. */
export const NOTEBOOK_BUSY = "session-awaited";

/** What to tell when no way to the server is found; null while there is hope. */
export function unreachable(
  connection: {
    readonly failures: number;
    readonly downMs: number;
    readonly code: string;
    readonly reason: string;
  },
  wasLive: boolean,
): SessionError | null {
  const { failures, downMs, code, reason } = connection;
  if (code === NOTEBOOK_BUSY) return null; // however long that takes
  if (wasLive ? downMs < MS_WHEN_LIVE : failures < ROUNDS_UNTIL_FAILED) return null;
  if (code === "session-not-found") {
    const message = "The server does not know this view any more.";
    return { code, message, hint: "Run the cell again." };
  }
  return {
    code: code === "unreachable" || code === "timeout" ? "transport" : code,
    message: `The viewer cannot reach its server (${reason}).`,
    hint: "Is the kernel running? After a restart, run the cell again.",
  };
}

export const FIRST_STATUS: SessionStatus = {
  phase: "connecting",
  transport: "",
  via: "",
  reason: "",
  heldBack: "",
  encoder: "",
  codec: "",
  displayedFps: 0,
  latencyMs: 0,
  lod: 0,
  progress: 0,
  trouble: "",
  exact: false,
  worker: "",
  viewers: 0,
  loaded: { axis: 0, channel: 0, runs: [] },
  retryInMs: 0,
  isNotebookBusy: false,
  error: null,
};

/** What the server's message says, in the viewer's words. */
export function fromServer(message: Status): Partial<SessionStatus> {
  const { worker, lod, progress, trouble, encoder, viewers, loaded } = message;
  return { worker, lod, progress, trouble, encoder, viewers, heldBack: message.held_back, loaded };
}

/** The way that pictures come by. */
export function transportOf(link: "websocket" | "comm" | null, byPeer: boolean): TransportName {
  return byPeer && link ? "webrtc" : (link ?? "");
}

/** Equality of two objects of plain values, lists and records. */
export function sameValues<T extends object>(a: T, b: T): boolean {
  return (Object.keys(a) as (keyof T)[]).every(
    (key) =>
      a[key] === b[key] ||
      (typeof a[key] === "object" && JSON.stringify(a[key]) === JSON.stringify(b[key])),
  );
}

/** The report if it says anything new, so that at rest nothing is sent. */
export function newReport(last: Report | null, report: Report): Report | null {
  return last && sameValues(report, last) ? null : report;
}
