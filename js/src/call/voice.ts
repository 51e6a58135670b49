/** The voice of this page's person in the recording: asked for once, sent only as long as they agree. */
import type { RecordingLink } from "../live-recording";
import { type CallMember, MessageType, type RecordVoice, type Voice } from "../protocol";
import { BrowserCoder, type Coder, canCode, type MakeCoder, type Packet } from "./coder";

/** What of a call it hangs on. */
export interface Talking {
  readonly isIn: boolean;
  readonly seat: string;
  readonly members: readonly CallMember[];
  readonly isMuted: boolean;
  readonly microphone: MediaStreamTrack | null;
}

export interface VoiceOptions {
  send(message: RecordVoice | Voice): boolean;
  readonly recording?: RecordingLink | undefined;
  readonly make?: MakeCoder | undefined;
  /** Another question, another answer. */
  changed(): void;
}

/** "unable": this browser cannot; "failed": it could not; "never": it cannot, and that was read. */
export type Answer = "open" | "yes" | "no" | "unable" | "failed" | "never";

/** A fifth of a second; what is not sent yet is lost with the page. */
const PACKETS_EACH = 10;
const PACKET_MS = 20;
const ROUNDED_MS = 1;
/** An answer that the server seems not to know is told again, as often as this at most. */
const TOLD_APART_MS = 2000;

export class RecordedVoice {
  answer: Answer = "open";
  /** Why it failed. */
  reason = "";
  readonly #options: VoiceOptions;
  readonly #make: MakeCoder | null;
  #call: Talking | null = null;
  /** Of the recording that was asked about; "" while none runs. */
  #recording = "";
  #number = 0;
  /** The seat whose agreement the server was told. */
  #seat = "";
  #toldMs = Number.NEGATIVE_INFINITY;
  #toldTimer: ReturnType<typeof setTimeout> | undefined;
  #coder: Coder | null = null;
  #coded: MediaStreamTrack | null = null;
  #packets: Packet[] = [];

  constructor(options: VoiceOptions) {
    this.#options = options;
    const made: MakeCoder = (packet, failed) => new BrowserCoder(packet, failed);
    this.#make = options.make ?? (canCode() ? made : null);
    const always = new AbortController().signal;
    options.recording?.onChange(() => this.#recordingChanged(), always);
  }

  /** A recording runs, and somebody may be heard here: there is something to answer. */
  get isAsked(): boolean {
    return this.#recording !== "" && this.#call?.isIn === true && this.#call.microphone !== null;
  }

  /** The sender's own answer; it can be changed at any time. */
  agree(on: boolean): void {
    if (!this.isAsked || !this.#make) return;
    this.answer = on ? "yes" : "no";
    if (!on) this.#tell(false);
    this.#options.changed();
  }

  /** A word was read: it is not shown again. */
  dismiss(): void {
    this.answer = this.#make ? "no" : "never";
    this.#options.changed();
  }

  /** The server refused something of it: unless that was only some sound, nobody has agreed. */
  refused(): void {
    if (this.answer !== "yes" || this.#isRecorded) return;
    this.answer = "open";
    this.#seat = "";
    this.#options.changed();
  }

  /** Take note how the call is. */
  review(call: Talking): void {
    this.#call = call;
    if (!call.isIn) {
      this.answer = "open";
      this.#seat = "";
      clearTimeout(this.#toldTimer);
      this.#toldTimer = undefined;
    } else if (this.answer === "open" && !this.#make) this.answer = "unable";
    const track = this.answer === "yes" && this.isAsked ? call.microphone : null;
    if (!track) {
      if (this.#recording !== "" && this.answer !== "yes" && this.#isRecorded) this.#tellAgain();
      this.#stop();
      return;
    }
    if (call.seat !== this.#seat && this.#tell(true)) this.#seat = call.seat;
    if (!this.#isRecorded) this.#tellAgain();
    if (call.isMuted) this.#flush();
    this.#code(track, call.isMuted);
  }

  #recordingChanged(): void {
    const state = this.#options.recording?.state;
    if (!state) return;
    // A server that begins anew counts anew: the name tells apart what was agreed to.
    const running = state.phase === "on" ? `${state.number} ${state.name}` : "";
    if (running === this.#recording) return;
    this.#recording = running;
    this.#number = state.number;
    this.answer = "open";
    this.#seat = "";
    this.#options.changed();
  }

  /** As the server tells everybody. */
  get #isRecorded(): boolean {
    const { seat, members } = this.#call ?? { seat: "", members: [] };
    return members.some((member) => member.seat === seat && member.recorded);
  }

  /** The answer was lost, or is on its way. */
  #tellAgain(): void {
    if (this.#toldTimer !== undefined) return;
    const waitMs = TOLD_APART_MS - (performance.now() - this.#toldMs);
    if (waitMs <= 0) this.#tell(this.answer === "yes");
    this.#toldTimer = setTimeout(
      () => {
        this.#toldTimer = undefined;
        if (this.#call) this.review(this.#call);
      },
      waitMs > 0 ? waitMs : TOLD_APART_MS,
    );
  }

  #tell(on: boolean): boolean {
    this.#toldMs = performance.now();
    if (!on) this.#seat = "";
    return this.#options.send({ type: MessageType.RECORD_VOICE, recording: this.#number, on });
  }

  #code(track: MediaStreamTrack, muted: boolean): void {
    if (!this.#coder && this.#make) {
      this.#coder = this.#make(
        (packet) => this.#take(packet),
        (why) => this.#failed(why),
      );
    }
    if (!this.#coder) return;
    this.#coder.muted = muted;
    if (track === this.#coded) return;
    this.#coded = track;
    this.#coder.use(track);
  }

  #take(packet: Packet): void {
    const last = this.#packets.at(-1);
    const apartMs = packet.atMs - (last?.atMs ?? packet.atMs - PACKET_MS) - PACKET_MS;
    const isNext = Math.abs(apartMs) <= ROUNDED_MS && packet.clock === (last ?? packet).clock;
    if (!isNext) this.#flush();
    this.#packets.push(packet);
    if (this.#packets.length >= PACKETS_EACH) this.#flush();
  }

  /** What cannot be sent is not kept: it would come too late for the recording. */
  #flush(): void {
    const [first] = this.#packets;
    if (!first) return;
    this.#options.send({
      type: MessageType.VOICE,
      recording: this.#number,
      clock: first.clock,
      at_ms: first.atMs,
      packets: this.#packets.map(({ data }) => btoa(String.fromCharCode(...data))),
    });
    this.#packets = [];
  }

  #failed(why: string): void {
    this.#tell(false);
    this.answer = "failed";
    this.reason = why;
    this.#options.changed();
  }

  #stop(): void {
    this.#coder?.close();
    this.#coder = this.#coded = null;
    this.#packets = [];
  }
}
