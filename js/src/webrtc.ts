/**
 * Pictures by RTP and input by data channel, beside the link.
 *
 * Where the browser can, frames are taken from it before it decodes them, each with its header behind
 * it. On a near link (`near.ts`), and where it cannot, it decodes them: a picture's header comes over
 * the link, or else the data channel, and is found by the picture's RTP timestamp, which both have in
 * common; pictures are taken from the track as they are decoded, or a hidden `<video>` hands them out
 * once per animation frame.
 */
import workerSource from "worker:./frame-worker";
import {
  type DecodedMessage,
  givesPictures,
  ownTimestamp,
  picturesOf,
  takePictures,
} from "./decoded-frames";
import { giveUpEncoded, receiveEncoded } from "./encoded-receiver";
import { NearWatch } from "./near";
import {
  type FrameHeader,
  MessageType,
  type RtcOffer,
  type RtcStats,
  unpackHeader,
  type Welcome,
} from "./protocol";
import { iceServers, relayTrouble } from "./relay-trouble";
import { watchStats } from "./rtc-stats";
import { RtpMatch } from "./rtp-match";
import type { Frame } from "./session";
import { VideoCopies } from "./video-copy";
import { startWorker } from "./worker-start";

export interface PeerEvents {
  /** The offer is ready to be sent over the link. */
  offer(message: RtcOffer): void;
  /** Network path and data channel stand: pictures may come. */
  connected(): void;
  frame(frame: Frame): void;
  /** Nothing can be decoded before the next keyframe. */
  wantKeyframe(): void;
  /** The link is near no more: begin another peer, which takes frames encoded. */
  far(reason: string): void;
  /** A message of the server over the data channel. */
  text(text: string): void;
  /** It broke, or never came to be. Called once, not after `close()`. */
  failed(reason: string): void;
}

export interface Peer {
  /** Frames are decoded here, not by the browser's own WebRTC. */
  readonly takesEncoded: boolean;
  /** The network has lost packets lately. */
  readonly isLossy: boolean;
  answer(sdp: string): void;
  /** The header of a picture that is to come, or has come, by this peer. */
  header(header: FrameHeader): void;
  /** False if the data channel cannot take it now: use the link. */
  send(text: string): boolean;
  close(): void;
}

/** `isNear`: the link is, so the browser decodes. */
export type OpenPeer = (welcome: Welcome, events: PeerEvents, isNear: boolean) => Peer;

/** A path that is interrupted for longer than this is given up. */
const DISCONNECTED_MS = 1500;
/** Without ICE servers only local addresses are gathered, which takes milliseconds. */
const GATHER_LOCAL_MS = 300;
const GATHER_SERVERS_MS = 2000;
const CONNECT_MS = 8000;
/** Input waiting in the data channel: more than this and newer input would wait behind older. */
const MAX_BUFFERED_BYTES = 16_384;
/** A network that lost a packet may lose more. */
const LOSSY_MS = 10_000;
/**
 * Why WebRTC cannot be used in this browser; "" if it can.
 *
 * Firefox has H.264 there only with a plugin of its own, which Debian's is built without, also where
 * its WebCodecs decode H.264.
 */
export function peerObstacle(): string {
  if (typeof RTCPeerConnection === "undefined") return "This browser has no WebRTC.";
  const codecs = globalThis.RTCRtpReceiver?.getCapabilities?.("video")?.codecs;
  const hasH264 = !codecs || codecs.some(({ mimeType }) => mimeType.toLowerCase() === "video/h264");
  return hasH264 ? "" : "This browser has WebRTC without H.264.";
}

/** Open a peer connection; the answer to its offer is given to `answer`. */
export const openPeer: OpenPeer = (welcome, events, isNear) =>
  new BrowserPeer(welcome, events, isNear);

class BrowserPeer implements Peer {
  readonly #events: PeerEvents;
  readonly #connection: RTCPeerConnection;
  readonly #input: RTCDataChannel;
  readonly #match = new RtpMatch((frame) => this.#events.frame(frame));
  readonly #ended = new AbortController();
  readonly takesEncoded: boolean;
  /** Takes the pictures that the browser decodes, on a near link. */
  readonly #worker: Worker | null;
  readonly #near: NearWatch | null;
  #relayTrouble = "";
  #lossAtMs = Number.NEGATIVE_INFINITY;
  #isConnected = false;
  #hasPicture = false;
  #timer: ReturnType<typeof setTimeout>;

  constructor(welcome: Welcome, events: PeerEvents, isNear: boolean) {
    this.#events = events;
    this.#worker = isNear ? startWorker(workerSource, this.#ended.signal) : null;
    this.#near = this.#worker && new NearWatch();
    const servers = iceServers(welcome);
    this.#connection = new RTCPeerConnection({
      iceServers: servers,
      iceTransportPolicy: welcome.ice_relay_only ? "relay" : "all",
      bundlePolicy: "max-bundle",
    });
    this.#input = this.#connection.createDataChannel("input", {
      ordered: false,
      maxRetransmits: 0,
    });
    this.#input.binaryType = "arraybuffer";
    const { receiver } = this.#connection.addTransceiver("video", { direction: "recvonly" });
    this.takesEncoded = !this.#near && this.#receiveEncoded(receiver);
    this.#timer = setTimeout(() => this.#fail("no connection in time"), CONNECT_MS);
    this.#listen();
    const gatherMs = servers.length > 0 ? GATHER_SERVERS_MS : GATHER_LOCAL_MS;
    this.#offer(gatherMs).catch((error: unknown) => this.#fail(String(error)));
  }

  get isLossy(): boolean {
    return performance.now() - this.#lossAtMs < LOSSY_MS;
  }

  answer(sdp: string): void {
    this.#connection
      .setRemoteDescription({ type: "answer", sdp })
      .catch((error: unknown) => this.#fail(String(error)));
  }

  header(header: FrameHeader): void {
    this.#match.header(header);
  }

  send(text: string): boolean {
    if (this.#input.readyState !== "open") return false;
    if (this.#input.bufferedAmount > MAX_BUFFERED_BYTES) return false;
    this.#input.send(text);
    return true;
  }

  close(): void {
    // Connected and never a picture: the next attempt leaves it to the browser.
    if (this.takesEncoded && this.#isConnected && !this.#hasPicture) giveUpEncoded();
    this.#ended.abort();
    clearTimeout(this.#timer);
    this.#match.clear();
    this.#connection.close();
  }

  #fail(reason: string): void {
    if (this.#ended.signal.aborted) return;
    this.close();
    this.#events.failed(this.#relayTrouble ? `${reason}; ${this.#relayTrouble}` : reason);
  }

  #listen(): void {
    const { signal } = this.#ended;
    this.#connection.addEventListener("track", (event) => this.#receive(event), { signal });
    this.#connection.addEventListener("connectionstatechange", () => this.#stateChanged(), {
      signal,
    });
    this.#connection.addEventListener("icecandidateerror", (event) => this.#notGathered(event), {
      signal,
    });
    const failed = (): void => this.#events.far("the worker for frames does not run");
    this.#worker?.addEventListener("error", failed, { signal });
    this.#input.addEventListener("open", () => this.#stateChanged(), { signal });
    this.#input.addEventListener("close", () => this.#fail("the data channel closed"), { signal });
    this.#input.addEventListener(
      "message",
      ({ data }: MessageEvent<string | ArrayBuffer>) => {
        if (typeof data === "string") this.#events.text(data);
        else this.#addHeader(data);
      },
      { signal },
    );
  }

  /** Of what goes wrong with STUN and TURN servers, a refusal is what somebody can mend. */
  #notGathered(event: RTCPeerConnectionIceErrorEvent): void {
    if (!event.url.startsWith("turn") || this.#relayTrouble.includes("refuses")) return;
    this.#relayTrouble = relayTrouble(event, this.#connection.getConfiguration().iceServers ?? []);
  }

  #addHeader(data: ArrayBuffer): void {
    const header = unpackHeader(new DataView(data));
    if (header) this.#match.header(header);
  }

  #stateChanged(): void {
    const state = this.#connection.connectionState;
    if (state === "failed" || state === "closed") {
      this.#fail("no network path");
    } else if (state === "disconnected") {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#fail("the network path broke"), DISCONNECTED_MS);
    } else if (state === "connected" && this.#input.readyState === "open") {
      clearTimeout(this.#timer);
      this.#isConnected = true;
      this.#events.connected();
    }
  }

  async #offer(gatherMs: number): Promise<void> {
    await this.#connection.setLocalDescription();
    await this.#gathered(gatherMs);
    const sdp = this.#connection.localDescription?.sdp;
    if (!sdp || this.#ended.signal.aborted) return;
    const isAll = this.#connection.iceGatheringState === "complete";
    if (isAll && !sdp.includes("a=candidate")) return this.#fail("the browser has no address");
    this.#events.offer({
      type: MessageType.RTC_OFFER,
      sdp,
      takes_encoded: this.takesEncoded,
      headers_by_link: this.#near !== null,
    });
  }

  #gathered(capMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#connection.iceGatheringState === "complete") return resolve();
      const timer = setTimeout(resolve, capMs);
      this.#connection.addEventListener(
        "icegatheringstatechange",
        () => {
          if (this.#connection.iceGatheringState !== "complete") return;
          clearTimeout(timer);
          resolve();
        },
        { signal: this.#ended.signal },
      );
    });
  }

  #receiveEncoded(receiver: RTCRtpReceiver): boolean {
    const { signal } = this.#ended;
    return receiveEncoded(
      receiver,
      workerSource,
      {
        frame: (frame) => {
          this.#hasPicture = true;
          this.#events.frame(frame);
        },
        wantKeyframe: () => this.#events.wantKeyframe(),
        failed: (reason) => this.#fail(reason),
      },
      signal,
    );
  }

  #receive({ track, receiver }: RTCTrackEvent): void {
    minimiseBuffer(receiver);
    const show: ShowFrame = (image, rtpTimestamp) => {
      if (this.#ended.signal.aborted) image.close();
      else this.#match.picture(image, rtpTimestamp);
    };
    const { signal } = this.#ended;
    const tell = (stats: RtcStats, roundTripMs: number | null): void => {
      if (stats.loss > 0) this.#lossAtMs = performance.now();
      const far = this.#near?.look(stats.loss, roundTripMs);
      if (far) {
        this.#events.far(far);
        return;
      }
      // Frames that are taken encoded never wait in the browser's buffer. Of a near link, what comes
      // unevenly waited for a processor.
      const waits = !this.takesEncoded && !this.#near;
      const told = waits ? stats : { ...stats, delay_ms: 0 };
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = told.delay_ms ?? 0;
      this.send(JSON.stringify(told));
    };
    watchStats(receiver, tell, signal);
    if (this.takesEncoded) return;
    if (this.#worker) takePictures(track, this.#worker, (picture) => this.#show(picture), signal);
    else if (givesPictures())
      readTrack(track, show, signal).catch((error: unknown) => this.#fail(String(error)));
    else readVideo(track, show, signal);
  }

  #show({ image, rtpTimestamp, thereMs }: DecodedMessage): void {
    if (rtpTimestamp !== undefined) {
      this.#match.picture(image, rtpTimestamp, thereMs);
      return;
    }
    // Headers and pictures come by different ways: the newest header need not be this one's.
    image.close();
    this.#events.far("the browser does not tell which frame a picture is");
  }
}

type ShowFrame = (image: VideoFrame | ImageBitmap, rtpTimestamp: number | undefined) => void;

/** Ask for the least buffering: interaction wants the newest picture, not an even rhythm. */
function minimiseBuffer(receiver: RTCRtpReceiver): void {
  const tunable = receiver as RTCRtpReceiver & { playoutDelayHint?: number };
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
  if ("playoutDelayHint" in tunable) tunable.playoutDelayHint = 0;
}

async function readTrack(
  track: MediaStreamTrack,
  show: ShowFrame,
  signal: AbortSignal,
): Promise<void> {
  const reader = picturesOf(track)?.getReader();
  if (!reader) return;
  signal.addEventListener("abort", () => reader.cancel().catch(() => {}), { once: true });
  for (;;) {
    const { value: image, done } = await reader.read();
    if (done) return;
    show(image, ownTimestamp(image));
  }
}

function readVideo(track: MediaStreamTrack, show: ShowFrame, signal: AbortSignal): void {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  const copies = new VideoCopies<ImageBitmap>(show);
  const next = (_now: number, frame: VideoFrameCallbackMetadata): void => {
    if (signal.aborted) return;
    // A page that is neither https nor localhost has no VideoFrame.
    if (typeof VideoFrame !== "undefined") {
      const image = new VideoFrame(video);
      show(image, ownTimestamp(image) ?? frame.rtpTimestamp);
    } else {
      copies.add(frame, performance.now(), createImageBitmap(video));
    }
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
  signal.addEventListener("abort", () => {
    copies.close();
    video.srcObject = null;
  });
  // Muted video may always play; where it may not, no picture comes and the link goes on serving.
  video.play().catch(() => {});
}
