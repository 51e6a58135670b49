/** Words for how pictures come: path, codec, frames per second, latency. */
import type { SessionStatus } from "../session";
import { fixed } from "./format";

const PATH_WORDS: Readonly<Record<string, string>> = {
  websocket: "WebSocket",
  webrtc: "WebRTC",
  comm: "Notebook relay",
};
const CODEC_WORDS: Readonly<Record<string, string>> = { h264: "H.264", jpeg: "JPEG" };

const VIA_WORDS: Readonly<Record<string, string>> = {
  direct: "Straight from the server",
  proxy: "Through Jupyter's proxy",
  kernel: "Through Jupyter and the kernel",
};

/** "WebSocket · H.264 · 60 fps · 31 ms · Half size: the link carries 2 Mbit/s", as far as it is known. */
export function pathText(status: SessionStatus): string {
  const codec = status.codec.startsWith("avc1") ? "h264" : status.codec;
  return [
    PATH_WORDS[status.transport] ?? "",
    CODEC_WORDS[codec] ?? status.codec,
    status.displayedFps >= 0.5 ? `${fixed(status.displayedFps, 0)} fps` : "",
    status.latencyMs > 0 ? `${fixed(status.latencyMs, 0)} ms` : "",
    status.heldBack,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** The same in more words, for the tooltip. */
export function pathTitle(status: SessionStatus): string {
  return [
    status.transport !== "webrtc" && VIA_WORDS[status.via],
    status.encoder && `Encoder ${status.encoder}`,
    status.latencyMs > 0 && "Milliseconds from input to shown picture",
    status.viewers > 1 && `${status.viewers} viewers`,
    status.reason,
  ]
    .filter(Boolean)
    .join(" · ");
}
