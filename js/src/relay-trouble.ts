/** What a browser says of a TURN server that gives it no relay, in words for whoever can mend it. */
import type { Welcome } from "./protocol";

/** STUN and TURN servers as browsers take them. */
export function iceServers(welcome: Welcome): RTCIceServer[] {
  return welcome.ice_servers as unknown as RTCIceServer[];
}

/** "the TURN server refuses (401 Unauthorized): the credentials have ended" */
export function relayTrouble(
  { errorCode, errorText }: Pick<RTCPeerConnectionIceErrorEvent, "errorCode" | "errorText">,
  servers: readonly RTCIceServer[],
  nowMs = Date.now(),
): string {
  // 701 is the browser's own: no answer, or a certificate that it does not accept.
  if (errorCode < 400 || errorCode >= 700) return "the TURN server does not answer";
  const code = `${errorCode} ${errorText}`.replace(/[ .]+$/, "");
  const isOver = haveEnded(servers, nowMs);
  return `the TURN server refuses (${code})${isOver ? ": the credentials have ended" : ""}`;
}

/** Some credentials say of themselves that they are not good any more. */
export function haveEnded(servers: readonly RTCIceServer[], nowMs = Date.now()): boolean {
  return servers.some(({ username }) => endMs(username ?? "") < nowMs);
}

/** Credentials made of a shared secret begin with the time of their end, in seconds since 1970. */
function endMs(username: string): number {
  const [seconds] = /^\d+(?=:)/.exec(username) ?? [];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000;
}
