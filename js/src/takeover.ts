/**
 * Lets WebRTC take over from the link when its first picture is there, and gives back at once when it
 * breaks. After each break it waits longer before it tries again. On a near link the browser decodes;
 * when that is found not to be near after all, frames are taken encoded, and that stays so.
 */
import { AckPace } from "./ack-pace";
import { mayBeNear, NEAR_MS } from "./near";
import {
  type Ack,
  type FrameHeader,
  MessageType,
  type RtcOffer,
  type ViewerMessage,
  type Welcome,
} from "./protocol";
import { haveEnded, iceServers } from "./relay-trouble";
import type { Frame } from "./session";
import type { OpenPeer, Peer } from "./webrtc";

export interface TakeoverEvents {
  /** Send over the link. */
  send(message: ViewerMessage): boolean;
  frame(frame: Frame): void;
  text(text: string): void;
  /** `isActive` or `reason` changed. */
  changed(): void;
  /** The credentials of the welcome have ended: another one brings new ones. */
  renew(): void;
  /** Least round trip of the link; no need to look further once it is less than `enoughMs`. */
  roundTripMs(enoughMs: number): Promise<number>;
}

/** States change and no picture comes for this long: the path is dead, whatever it says. */
const NO_PICTURE_MS = 2000;
/** Before that, the picture is asked for: it, or the header without which it is not shown, was lost. */
const ASK_AGAIN_MS = 500;
/** The acknowledgement of a single picture may get lost, and the server would not know that there is room. */
const ACK_AGAIN_MS = 40;
/** Something was sent and no picture came for so long: the link may be waiting for a lost segment. */
const SILENT_MS = 250;
const PAUSE_MIN_MS = 10_000;
const PAUSE_MAX_MS = 300_000;

export class Takeover {
  readonly acks = new AckPace((ack) => this.#acknowledge(ack));
  readonly #open: OpenPeer;
  readonly #events: TakeoverEvents;
  #welcome: Welcome | null = null;
  /** By this clock its credentials were good when it came. */
  #wasGood = false;
  #peer: Peer | null = null;
  #isNear = false;
  /** A near link was once found to be none: it is not asked again. */
  #isFar = false;
  /** While the link's round trip is measured. */
  #measuring: AbortController | null = null;
  #isActive = false;
  #isConnected = false;
  #isVisible = true;
  #breaks = 0;
  #reason = "";
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** When the oldest message left that no picture followed yet. */
  #askedMs: number | null = null;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(open: OpenPeer, events: TakeoverEvents) {
    this.#open = open;
    this.#events = events;
  }

  /** Pictures come by WebRTC. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** They are decoded here, not by the browser's own WebRTC. */
  get takesEncoded(): boolean {
    return this.#peer?.takesEncoded ?? false;
  }

  /** Why they do not. */
  get reason(): string {
    return this.#reason;
  }

  /** A link was welcomed: begin, unless a peer of this very link is there already. */
  start(welcome: Welcome): void {
    if (this.#welcome?.peer === welcome.peer && this.#welcome.session === welcome.session) return;
    this.stop();
    this.#welcome = welcome;
    this.#wasGood = !haveEnded(iceServers(welcome));
    if (!welcome.webrtc) {
      this.#reason = "The server has WebRTC switched off.";
      return;
    }
    this.#begin();
  }

  /** The link is gone, and the peer of its viewer with it. */
  stop(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#closePeer();
    this.#welcome = null;
  }

  answer(sdp: string): void {
    this.#peer?.answer(sdp);
  }

  /** The link brought the header of a picture that comes by WebRTC. */
  header(header: FrameHeader): void {
    this.#peer?.header(header);
  }

  /** Send input by the data channel; false if that is not the way now. */
  send(message: ViewerMessage): boolean {
    if (!this.#isActive) return false;
    this.#askedMs ??= performance.now();
    return !this.#linkServes() && (this.#peer?.send(JSON.stringify(message)) ?? false);
  }

  /**
   * Small messages go by the link: a data channel holds up the page until the browser's network
   * thread has taken the message (0.7 ms), and costs the server SCTP in Python. Not where packets get
   * lost, which hold up all that comes after them on the link, and not where a proxy is in between.
   */
  #linkServes(): boolean {
    const waitedMs = this.#askedMs === null ? 0 : performance.now() - this.#askedMs;
    return this.#welcome?.via === "direct" && !this.#peer?.isLossy && waitedMs < SILENT_MS;
  }

  /** The server drew or will draw a new picture: one must come. */
  expectPicture(): void {
    if (!this.#isConnected || !this.#isVisible || this.#watchdog !== undefined) return;
    this.#watchdog = setTimeout(() => {
      this.#events.send({ type: MessageType.KEYFRAME });
      const leftMs = NO_PICTURE_MS - ASK_AGAIN_MS;
      this.#watchdog = setTimeout(() => this.#break("no picture came"), leftMs);
    }, ASK_AGAIN_MS);
  }

  /** The server cannot or will not answer the offer. */
  refused(reason: string): void {
    if (this.#peer) this.#break(reason, false);
  }

  setVisible(visible: boolean): void {
    this.#isVisible = visible;
    if (!visible) this.#calm();
    const path = this.#isActive ? "webrtc" : "socket";
    this.#events.send({ type: MessageType.STREAM, path, visible });
    const isUnderWay = this.#peer || this.#measuring || this.#retryTimer !== undefined;
    if (visible && !isUnderWay) this.#begin();
  }

  /** Nobody looks: then no picture comes that could prove the path, and it is left for later. */
  #begin(): void {
    this.#retryTimer = undefined;
    const welcome = this.#welcome;
    if (!welcome?.webrtc || !this.#isVisible) return;
    if (this.#wasGood && haveEnded(iceServers(welcome))) {
      this.#events.renew();
      return;
    }
    if (this.#isFar || !mayBeNear(welcome)) this.#openPeer(welcome, false);
    else this.#openMeasured(welcome).catch((error: unknown) => this.#break(String(error)));
  }

  async #openMeasured(welcome: Welcome): Promise<void> {
    const measuring = new AbortController();
    this.#measuring = measuring;
    const roundTripMs = await this.#events.roundTripMs(NEAR_MS);
    if (measuring.signal.aborted) return;
    this.#measuring = null;
    if (this.#isVisible) this.#openPeer(welcome, roundTripMs < NEAR_MS);
  }

  #openPeer(welcome: Welcome, isNear: boolean): void {
    this.#isNear = isNear;
    const events = {
      offer: (message: RtcOffer) => this.#events.send(message),
      connected: () => {
        this.#isConnected = true;
        this.expectPicture();
      },
      frame: (frame: Frame) => this.#frame(frame),
      wantKeyframe: () => this.#events.send({ type: MessageType.KEYFRAME }),
      far: (reason: string) => this.#changeOver(reason),
      text: (text: string) => this.#events.text(text),
      failed: (reason: string) => {
        this.#peer = null;
        this.#break(reason);
      },
    };
    this.#peer = this.#open(welcome, events, isNear);
  }

  /** Begin again at once with frames taken encoded; the link serves meanwhile. */
  #changeOver(reason: string): void {
    this.#isFar = true;
    this.#giveBack();
    this.#reason = `WebRTC begins anew: ${reason}`;
    this.#events.changed();
    this.#begin();
  }

  #frame(frame: Frame): void {
    this.#calm();
    this.#askedMs = null;
    const { frame_no } = frame.header;
    const there_ms = frame.thereMs ?? 0;
    this.acks.came({ type: MessageType.ACK, frame_no, of_rtc: true, there_ms });
    const isFirst = !this.#isActive;
    this.#isActive = true;
    this.#reason = "";
    this.#events.frame(frame);
    if (!isFirst) return;
    this.#events.send({ type: MessageType.STREAM, path: "webrtc", visible: this.#isVisible });
    this.#events.changed();
  }

  #acknowledge(ack: Ack): void {
    clearTimeout(this.#ackTimer);
    if (this.#linkServes() && this.#events.send(ack)) return;
    const text = JSON.stringify(ack);
    this.#peer?.send(text);
    this.#ackTimer = setTimeout(() => this.#peer?.send(text), ACK_AGAIN_MS);
  }

  #break(reason: string, isOfPath = true): void {
    // What the browser did not manage by itself may be managed here.
    this.#isFar ||= this.#isNear && isOfPath;
    this.#giveBack();
    this.#reason = `WebRTC: ${reason}`;
    const pauseMs = Math.min(PAUSE_MIN_MS * 3 ** this.#breaks, PAUSE_MAX_MS);
    this.#breaks += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#begin(), pauseMs);
    this.#events.changed();
  }

  #giveBack(): void {
    const wasConnected = this.#isConnected;
    this.#closePeer();
    if (!wasConnected) return;
    this.#events.send({ type: MessageType.STREAM, path: "socket", visible: this.#isVisible });
  }

  #closePeer(): void {
    this.#measuring?.abort();
    this.#measuring = null;
    this.#calm();
    clearTimeout(this.#ackTimer);
    this.acks.forget();
    this.#peer?.close();
    this.#peer = null;
    this.#isActive = false;
    this.#isConnected = false;
    this.#askedMs = null;
  }

  #calm(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = undefined;
  }
}
