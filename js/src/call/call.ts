/** The call of a session as this page takes part in it: nothing is captured before somebody joins. */
import { Listeners } from "../listeners";
import type { RecordingLink } from "../live-recording";
import {
  type CallLeft,
  type CallMediaTold,
  type CallMember,
  type Call as CallMessage,
  type CallSignalled,
  MessageType,
  type ViewerMessage,
  type Welcome,
} from "../protocol";
import type { SessionError } from "../session";
import type { MakeCoder } from "./coder";
import {
  BrowserMedia,
  type Device,
  type Media,
  type Meter,
  type Source,
  type Trouble,
} from "./media";
import type { PathState } from "./pair";
import { BrowserSpeaker, type Speaker } from "./speaker";
import { RecordedVoice } from "./voice";
import { Ways } from "./ways";

/** "asking": the browser asks for the microphone; "joining": the server is asked. */
export type CallPhase = "out" | "asking" | "joining" | "in";

export interface CallOptions {
  /** By the reliable link; false if there is none. */
  send(message: ViewerMessage): boolean;
  /** What the own voice may go into; without, nothing asks for it. */
  readonly recording?: RecordingLink;
  readonly media?: Media;
  readonly speaker?: Speaker;
  readonly coder?: MakeCoder;
  readonly connect?: (configuration: RTCConfiguration) => RTCPeerConnection;
}

const LEVEL_APART_MS = 150;
/** Quieter than this is breath and fans. */
const SPOKEN = 0.02;
/** Between two words somebody goes on speaking. */
const PAUSE_MS = 500;
/** Others need not hear of every press of a key. */
const TELL_APART_MS = 250;
const AGAIN_APART_MS = 15_000;
const NO_LINK: Trouble = {
  message: "There is no connection at the moment.",
  hint: "Try again when the view is back.",
};

const NO_WEBRTC: Trouble = {
  message: "This browser has no WebRTC, and calls need it.",
  hint: "Open the page in another one to talk.",
};

export class LiveCall {
  phase: CallPhase = "out";
  /** Grows with every change. */
  revision = 0;
  /** What stands in the way, until somebody has read it. */
  trouble: Trouble | null = null;
  /** Who takes part, while this page does. */
  members: readonly CallMember[] = [];
  /** People who speak now. */
  speaking: ReadonlySet<string> = new Set();
  devices: readonly Device[] = [];
  /** What was chosen; "" = as the browser chooses. */
  readonly chosen: Record<MediaDeviceKind, string> = {
    audioinput: "",
    audiooutput: "",
    videoinput: "",
  };
  /** The own voice in the recording. */
  readonly voice: RecordedVoice;
  /** The devices that were opened last, by the names that they were chosen by. */
  readonly #opened = { audioinput: "", audiooutput: "", videoinput: "" };
  readonly #send: CallOptions["send"];
  readonly #media: Media;
  readonly #speaker: Speaker;
  readonly #connects: boolean;
  readonly #changed = new Listeners<void>();
  readonly #ways: Ways;
  readonly #spokenMs = new Map<string, number>();
  #seat = "";
  /** What the server says is wrong with the way of the voices. */
  #trouble = "";
  #configuration: RTCConfiguration = {};
  #microphone: MediaStreamTrack | null = null;
  #camera: MediaStreamTrack | null = null;
  #picture: MediaStream | null = null;
  #meter: Meter | null = null;
  /** As the others were told last. */
  #sound = { muted: false, camera: false };
  /** The server has not answered yet whether this page may join, or go on. */
  #isAsking = false;
  #isMuted = false;
  #wantsCamera = false;
  #isHeld = false;
  #life = new AbortController();
  #levelTimer: ReturnType<typeof setInterval> | undefined;
  #tellTimer: ReturnType<typeof setTimeout> | undefined;
  #againAtMs = 0;

  constructor(options: CallOptions) {
    this.#send = options.send;
    this.#media = options.media ?? new BrowserMedia();
    this.#speaker = options.speaker ?? new BrowserSpeaker();
    this.#connects = options.connect !== undefined || typeof RTCPeerConnection !== "undefined";
    const connect = options.connect ?? ((configuration) => new RTCPeerConnection(configuration));
    this.#ways = new Ways({
      connect: () => connect(this.#configuration),
      send: (message) => void options.send(message),
      changed: () => {
        this.#play();
        this.#tell();
      },
      stuck: () => this.#again(),
    });
    this.voice = new RecordedVoice({
      send: options.send,
      recording: options.recording,
      make: options.coder,
      changed: () => this.#tell(),
    });
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.#changed.add(listener, signal);
  }

  #tell(): void {
    this.voice.review(this);
    this.revision += 1;
    this.#changed.emit();
  }

  // ------------------------------------------------------------ what this page is heard and seen by

  get isIn(): boolean {
    return this.phase === "in";
  }

  /** False for who listens only. */
  get hasMicrophone(): boolean {
    return this.#microphone !== null;
  }

  /** What the others hear, unless it is muted. */
  get microphone(): MediaStreamTrack | null {
    return this.#microphone;
  }

  /** Nobody hears this page. */
  get isMuted(): boolean {
    return !this.#microphone || (this.#isMuted && !this.#isHeld);
  }

  get hasCamera(): boolean {
    return this.#camera !== null;
  }

  /** Of who takes part on this page. */
  get seat(): string {
    return this.#seat;
  }

  /** The picture of somebody's camera; null while that is off, or not there yet. */
  videoOf({ seat, camera }: CallMember): MediaStream | null {
    if (seat === this.#seat) return this.#picture;
    return camera ? this.#ways.pictureOf(seat) : null;
  }

  /** How far the way to somebody is. */
  stateOf({ seat }: CallMember): PathState {
    return seat === this.#seat ? "connected" : this.#ways.stateOf(seat);
  }

  /** Voices go through a server (an SFU), and not from browser to browser. */
  get isRelayed(): boolean {
    return this.#ways.isRelayed;
  }

  // ------------------------------------------------------------ what somebody does here

  /** Take part; with `listens` without being heard, and without asking for a microphone. */
  async join(listens = false): Promise<void> {
    if (this.phase !== "out") return;
    if (!this.#connects) {
      this.trouble = NO_WEBRTC;
      this.#tell();
      return;
    }
    this.#enter("asking");
    const { signal } = this.#life;
    try {
      if (!listens) await this.#open("microphone");
    } catch (trouble) {
      if (!signal.aborted) this.#end(trouble as Trouble);
      return;
    }
    if (signal.aborted) return;
    this.phase = "joining";
    if (!this.#askIn("")) this.#end(NO_LINK);
    this.#tell();
  }

  leave(): void {
    if (this.phase === "out") return;
    this.#send({ type: MessageType.LEAVE_CALL });
    this.#end(null);
  }

  setMuted(on: boolean): void {
    this.#isMuted = on;
    this.#soundChanged();
  }

  /** A key or a button is held: who is muted is heard for so long. */
  hold(on: boolean): void {
    if (on === this.#isHeld || (on && !this.isIn)) return;
    this.#isHeld = on;
    this.#soundChanged();
  }

  async setCamera(on: boolean): Promise<void> {
    if (!this.isIn) return;
    this.#wantsCamera = on;
    if (on === this.hasCamera) return;
    if (!on) this.#stopCamera();
    else await this.#try("camera");
    this.#soundChanged();
  }

  /** Use another device, now and as long as the page is open. */
  async choose(kind: MediaDeviceKind, id: string): Promise<void> {
    this.chosen[kind] = id;
    let opens: Source | null = null;
    if (kind === "audiooutput") this.#speaker.choose(id);
    else if (kind === "audioinput" && this.isIn) opens = "microphone";
    else if (kind === "videoinput" && this.#camera) opens = "camera";
    // What was in use goes on where another one does not start.
    const fails = opens !== null && !(await this.#try(opens));
    if (fails && this.chosen[kind] === id) this.chosen[kind] = this.#opened[kind];
    this.#soundChanged();
  }

  /** The trouble was read. */
  dismiss(): void {
    this.trouble = null;
    this.#tell();
  }

  // ------------------------------------------------------------ from the server

  received(message: CallMessage | CallSignalled | CallMediaTold | CallLeft): void {
    if (this.phase === "out") return;
    switch (message.type) {
      case MessageType.CALL:
        this.#told(message);
        break;
      case MessageType.CALL_SIGNAL:
        this.#ways.signalled(message);
        break;
      case MessageType.CALL_MEDIA:
        this.#ways.toldBySfu(message);
        break;
      case MessageType.LEAVE_CALL:
        this.#end(message);
        break;
    }
  }

  /** The server does not let this page in; true if that was asked for. */
  refused(trouble: SessionError): boolean {
    if (!this.#isAsking) return false;
    this.#end(trouble);
    return true;
  }

  /** There is a link, perhaps another one: what goes from browser to browser has gone on meanwhile. */
  welcomed(welcome: Pick<Welcome, "ice_servers" | "ice_relay_only">): void {
    this.#configuration = {
      iceServers: welcome.ice_servers as unknown as RTCIceServer[],
      iceTransportPolicy: welcome.ice_relay_only ? "relay" : "all",
      bundlePolicy: "max-bundle",
    };
    if (this.phase !== "in" && this.phase !== "joining") return;
    this.#askIn(this.#seat);
    this.#ways.signalsAgain();
  }

  // ------------------------------------------------------------ life

  #enter(phase: CallPhase): void {
    this.phase = phase;
    this.trouble = null;
    this.#life = new AbortController();
    this.#media.onDevices(() => void this.#listDevices(), this.#life.signal);
    this.#tell();
  }

  #end(trouble: Trouble | null): void {
    this.#life.abort();
    this.phase = "out";
    this.trouble = trouble && { message: trouble.message, hint: trouble.hint };
    this.members = [];
    this.speaking = new Set();
    this.#seat = "";
    this.#isAsking = this.#isHeld = this.#wantsCamera = false;
    clearInterval(this.#levelTimer);
    clearTimeout(this.#tellTimer);
    this.#levelTimer = this.#tellTimer = undefined;
    this.#ways.close();
    this.#speaker.close();
    this.#trouble = "";
    this.#useMicrophone(null);
    this.#stopCamera();
    this.#tell();
  }

  #askIn(seat: string): boolean {
    this.#sound = { muted: this.isMuted, camera: this.hasCamera };
    this.#isAsking = this.#send({ type: MessageType.JOIN_CALL, seat, ...this.#sound });
    return this.#isAsking;
  }

  #told(message: CallMessage): void {
    const { seat, members, trouble = "" } = message;
    this.#isAsking = false;
    if (seat !== this.#seat) this.#begin(seat);
    for (const former of this.members) {
      const isThere = members.some((member) => member.seat === former.seat);
      if (!isThere) this.#speaker.play(former.seat, null);
    }
    this.members = members;
    this.#ways.told(message);
    if (trouble !== this.#trouble) {
      if (trouble || this.trouble?.message === this.#trouble)
        this.trouble = trouble ? { message: trouble, hint: "" } : null;
      this.#trouble = trouble;
    }
    this.#play();
    this.#tell();
  }

  #begin(seat: string): void {
    this.#seat = seat;
    this.phase = "in";
    this.#levelTimer ??= setInterval(() => void this.#listen(), LEVEL_APART_MS);
    void this.#listDevices();
  }

  #play(): void {
    for (const { seat } of this.members) {
      if (seat !== this.#seat) this.#speaker.play(seat, this.#ways.voiceOf(seat));
    }
  }

  /** Something that two browsers told each other got lost: all begins anew, with another seat. */
  #again(): void {
    const now = performance.now();
    if (!this.isIn || now - this.#againAtMs < AGAIN_APART_MS) return;
    this.#againAtMs = now;
    this.#askIn("");
  }

  // ------------------------------------------------------------ devices

  /** False if the device does not start: why, is to be read. */
  async #try(source: Source): Promise<boolean> {
    const { signal } = this.#life;
    try {
      await this.#open(source);
      if (!signal.aborted) this.trouble = null;
      return true;
    } catch (trouble) {
      if (!signal.aborted) this.trouble = trouble as Trouble;
      return false;
    }
  }

  async #open(source: Source): Promise<void> {
    const { signal } = this.#life;
    const kind = source === "microphone" ? "audioinput" : "videoinput";
    const id = this.chosen[kind];
    const track = await this.#media.open(source, id);
    // Somebody left, chose yet another one or switched the camera off while the browser asked.
    const isWanted = id === this.chosen[kind] && (source === "microphone" || this.#wantsCamera);
    if (signal.aborted || !isWanted) {
      track.stop();
      return;
    }
    this.#opened[kind] = id;
    track.addEventListener("ended", () => this.#lost(source, track), { signal });
    if (source === "microphone") this.#useMicrophone(track);
    else this.#useCamera(track);
    // Browsers tell the devices of a kind once the first of it was allowed.
    if (this.isIn) void this.#listDevices();
  }

  #useMicrophone(track: MediaStreamTrack | null): void {
    this.#microphone?.stop();
    this.#meter?.close();
    this.#microphone = track;
    this.#meter = track && this.#media.meter(track);
    if (track) track.enabled = !this.isMuted;
    this.#ways.send("audio", track);
  }

  #useCamera(track: MediaStreamTrack): void {
    this.#stopCamera();
    this.#camera = track;
    this.#picture = new MediaStream([track]);
    this.#ways.send("video", track);
  }

  #stopCamera(): void {
    this.#camera?.stop();
    this.#camera = this.#picture = null;
    this.#ways.send("video", null);
  }

  /** It was unplugged, or taken back in the browser's own controls. */
  #lost(source: Source, track: MediaStreamTrack): void {
    if (track !== this.#microphone && track !== this.#camera) return;
    if (source === "microphone") this.#useMicrophone(null);
    else this.#stopCamera();
    this.trouble = { message: `The ${source} is gone.`, hint: "Choose another one." };
    this.#soundChanged();
  }

  async #listDevices(): Promise<void> {
    const { signal } = this.#life;
    const devices = await this.#media.devices();
    if (signal.aborted) return;
    this.devices = devices;
    this.#tell();
  }

  // ------------------------------------------------------------ sound

  #soundChanged(): void {
    if (this.#microphone) this.#microphone.enabled = !this.isMuted;
    if (this.isIn) this.#tellTimer ??= setTimeout(() => this.#tellSound(), TELL_APART_MS);
    this.#tell();
  }

  #tellSound(): void {
    this.#tellTimer = undefined;
    const told = this.#sound;
    this.#sound = { muted: this.isMuted, camera: this.hasCamera };
    if (told.muted === this.#sound.muted && told.camera === this.#sound.camera) return;
    this.#send({ type: MessageType.CALL_SOUND, ...this.#sound });
  }

  async #listen(): Promise<void> {
    const { signal } = this.#life;
    const levels = await this.#ways.levels();
    if (signal.aborted) return;
    const now = performance.now();
    for (const { seat, person } of this.members) {
      const own = this.isMuted ? 0 : (this.#meter?.level ?? 0);
      const level = seat === this.#seat ? own : (levels.get(seat) ?? 0);
      if (level > SPOKEN) this.#spokenMs.set(person, now);
    }
    const people = this.members.map(({ person }) => person);
    const speaking = people.filter((p) => now - (this.#spokenMs.get(p) ?? -PAUSE_MS) < PAUSE_MS);
    const isSame =
      speaking.length === this.speaking.size && speaking.every((p) => this.speaking.has(p));
    if (isSame) return;
    this.speaking = new Set(speaking);
    this.#tell();
  }
}
