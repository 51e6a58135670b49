/** The session of one widget: connection, decoder, state and measurements, seen as one `Session`. */
import { Abilities, type ProbePictures } from "./abilities";
import { LiveCall } from "./call/call";
import { Connection, type ConnectionOptions } from "./connection";
import type { Linkable } from "./exchange";
import { LiveLabels } from "./labels/link";
import { isAtLeast, LatencyMeter } from "./latency";
import { Listeners } from "./listeners";
import { LiveAnnotations } from "./live-annotations";
import { LiveRecording } from "./live-recording";
import { LiveStatus } from "./live-status";
import { OwnView } from "./own-view";
import { Palettes } from "./palettes";
import { PatchSender } from "./patch-sender";
import { mayDrive, People } from "./people";
import { PicturePath } from "./picture-path";
import { Replayed } from "./player/replayed";
import { Pointing } from "./pointing";
import {
  type Error as ErrorMessage,
  type Hello,
  MessageType,
  type People as PeopleMessage,
  PROTOCOL_VERSION,
  type SegmentationInfo,
  type ServerMessage,
  type ViewerMessage,
  type ViewPatch,
  type ViewState,
  type VolumeInfo,
  type Welcome,
} from "./protocol";
import { randomName } from "./random-name";
import type { Frame, ProbedValue, Session, SessionError, SessionStatus } from "./session";
import { Takeover } from "./takeover";
import { ViewLinks } from "./view-links";
import type { OpenPeer } from "./webrtc";

export interface LiveSessionOptions {
  readonly openers: ConnectionOptions["openers"];
  readonly reach?: ConnectionOptions["reach"];
  /** Null where WebRTC may not or cannot be used. */
  readonly openPeer: OpenPeer | null;
  /** Why it cannot, where it might. */
  readonly peerObstacle?: string;
  token(isFresh: boolean): Promise<string>;
  /** What can be decoded here, and why not more. */
  readonly pictures: ProbePictures;
  /** Calls back once after `waitMs`, see `PatchSenderOptions`. */
  later(flush: () => void, waitMs: number): void;
  /** Calls back once, after the next paint. */
  afterPaint(run: () => void): void;
  /** Where guests find the view; undefined where that is not known, or not for this page to say. */
  readonly guestPage?: (() => string) | undefined;
}

/** Codes of errors that say "this message is not taken": a notice, and the server's state again. */
const REFUSALS = new Set(["state", "not-driver", "protocol"]);
/** Codes of errors that concern WebRTC alone: the link goes on serving, the status says why. */
const RTC_REFUSALS = new Set(["signalling", "ice-failed"]);

export class LiveSession implements Session, Linkable {
  readonly palettes = new Palettes();
  readonly pointing = new Pointing();
  /** The same by every connection: the server knows which of them is the newest. */
  readonly #page = randomName();
  readonly #options: LiveSessionOptions;
  readonly #connection: Connection;
  readonly #takeover: Takeover | null;
  readonly #meter = new LatencyMeter();
  readonly #pictures: PicturePath;
  readonly #status: LiveStatus;
  readonly #sender: PatchSender;
  readonly #abilities: Abilities;
  readonly labels = new LiveLabels((message) => this.#connection.send(message));
  readonly recording = new LiveRecording((message) => this.#connection.send(message));
  readonly people = new People(
    (message) => this.#connection.send(message),
    () => this.recording.state?.phase === "on",
  );
  readonly replay = new Replayed({
    send: (message) => this.#connection.send(message),
    say: (notice) => this.#say(notice),
    mayDrive: () => mayDrive(this.#role),
  });
  readonly ownView = new OwnView((message) => this.#connection.send(message));
  readonly call = new LiveCall({
    send: (message) => this.#connection.send(message),
    recording: this.recording,
  });
  readonly viewLinks = new ViewLinks((message) => this.#connection.send(message));
  readonly annotations = new LiveAnnotations((message) => this.#connection.send(message));
  readonly #stateListeners = new Listeners<ViewState>();
  readonly #ledListeners = new Listeners<readonly [ViewState, ViewState]>();
  readonly #infoListeners = new Listeners<VolumeInfo>();
  readonly #valueListeners = new Listeners<ProbedValue>();
  readonly #noticeListeners = new Listeners<SessionError>();
  readonly #always = new AbortController().signal;
  #info: VolumeInfo | null = null;
  #segmentations: readonly SegmentationInfo[] = [];
  #role = "";
  #isVisible = true;
  #probes = 0;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
    this.#abilities = new Abilities(options.pictures);
    this.#pictures = new PicturePath({
      meter: this.#meter,
      send: (message) => this.#connection.send(message),
      header: (header) => this.#takeover?.header(header),
      shown: () => this.#status.shown(),
      unusable: (reason) => {
        this.#abilities.giveUpVideo(reason);
        this.retry();
      },
      afterPaint: options.afterPaint,
    });
    this.#connection = new Connection(
      {
        openers: options.openers,
        reach: options.reach,
        hello: (isFresh) => this.#hello(isFresh),
      },
      {
        welcome: (welcome) => this.#welcomed(welcome),
        message: (message) => this.#received(message),
        frame: (data) => this.#pictures.received(data),
        lost: () => this.#lost(),
        changed: () => this.#status.refresh(),
      },
    );
    this.#sender = new PatchSender({
      meter: this.#meter,
      later: options.later,
      send: (message) => this.#send(message),
      sendReliably: (message) => this.#connection.send(message),
      changed: (state) => this.#stateListeners.emit(state),
    });
    this.#status = new LiveStatus({
      connection: this.#connection,
      abilities: this.#abilities,
      screen: this.#pictures.screen,
      meter: this.#meter,
      takeover: () => this.#takeover,
      peerObstacle: options.peerObstacle ?? "",
      hasInfo: () => this.#info !== null,
    });
    this.#takeover = options.openPeer && this.#makeTakeover(options.openPeer);
    this.pointing.here.add((place) => this.people.point(place), this.#always);
  }

  get state(): ViewState {
    return this.#sender.state;
  }

  get info(): VolumeInfo | null {
    return this.#info;
  }

  get segmentations(): readonly SegmentationInfo[] {
    return this.#segmentations;
  }

  get status(): SessionStatus {
    return this.#status.now;
  }

  get role(): string {
    return this.#role;
  }

  // ------------------------------------------------------------ life

  /** Connect, and stay connected until `stop`. */
  start(): void {
    if (this.#status.hasEnded) return;
    this.#status.start();
    this.#connection.start();
    this.#status.refresh();
  }

  /** Close all connections; the last picture stays. `start` connects again. */
  stop(): void {
    this.#status.stop();
    this.call.leave();
    this.#lost();
    this.replay.close();
    this.#connection.stop();
    this.#status.refresh();
  }

  /** The session is over for good. */
  end(): void {
    this.#status.ended();
    this.stop();
  }

  /** An error that the kernel knows of, for example a volume that does not exist; null when mended. */
  setKernelError(error: SessionError | null): void {
    this.#status.failedInKernel(error);
  }

  // ------------------------------------------------------------ Session

  get guestPage(): string {
    return this.#options.guestPage?.() ?? "";
  }

  patch(patch: ViewPatch): void {
    const { isOn, isOnTheWay } = this.ownView;
    if (isOnTheWay || !(isOn || mayDrive(this.#role))) return;
    const before = this.state;
    this.#sender.patch(patch);
    if (!isOn && this.state !== before) this.#ledListeners.emit([before, this.state]);
  }

  foresee(patch: ViewPatch): void {
    if (!this.ownView.isOn) this.#sender.foresee(patch);
  }

  onLed(listener: (states: readonly [ViewState, ViewState]) => void, signal: AbortSignal): void {
    this.#ledListeners.add(listener, signal);
  }

  probe(voxel: readonly [number, number, number]): void {
    this.#probes += 1;
    this.#send({ type: MessageType.PROBE, n: this.#probes, voxel });
  }

  retry(): void {
    if (this.#status.hasEnded) return;
    this.#status.failed(null);
    if (this.#status.isStopped) {
      this.start();
    } else if (this.#connection.link) {
      // Connected, but there is nothing to show: a new welcome begins again.
      this.#lost();
      this.#connection.stop();
      this.#connection.start();
    } else {
      this.#connection.retryNow();
    }
    this.#status.refresh();
  }

  /** There may be a network again. */
  returned(): void {
    this.#connection.returned();
  }

  cancel(): void {
    this.#status.cancelled();
    this.stop();
  }

  setVisible(visible: boolean): void {
    if (visible === this.#isVisible) return;
    this.#isVisible = visible;
    this.#pictures.reset();
    if (this.#takeover) this.#takeover.setVisible(visible);
    else this.#sendVisibility();
  }

  onFrame(listener: (frame: Frame) => void, signal: AbortSignal): void {
    this.#pictures.screen.listeners.add(listener, signal);
  }

  onState(listener: (state: ViewState) => void, signal: AbortSignal): void {
    this.#stateListeners.add(listener, signal);
  }

  onStatus(listener: (status: SessionStatus) => void, signal: AbortSignal): void {
    this.#status.listeners.add(listener, signal);
  }

  onInfo(listener: (info: VolumeInfo) => void, signal: AbortSignal): void {
    this.#infoListeners.add(listener, signal);
  }

  onValue(listener: (value: ProbedValue) => void, signal: AbortSignal): void {
    this.#valueListeners.add(listener, signal);
  }

  onNotice(listener: (error: SessionError) => void, signal: AbortSignal): void {
    this.#noticeListeners.add(listener, signal);
  }

  lastFrame(): Frame | null {
    return this.#pictures.screen.frame;
  }

  // ------------------------------------------------------------ from the server

  async #hello(isFresh: boolean): Promise<Omit<Hello, "transport">> {
    const [token, pictures] = await Promise.all([
      this.#options.token(isFresh),
      this.#abilities.pictures(),
    ]);
    const calm = this.#abilities.wantsCalm;
    const page = this.#page;
    return { type: MessageType.HELLO, token, protocol: PROTOCOL_VERSION, pictures, calm, page };
  }

  #welcomed(welcome: Welcome): void {
    this.#role = welcome.role;
    this.#status.welcomed(welcome.via);
    const isAnother = this.ownView.welcomed(welcome);
    if (isAnother) this.#leaveView();
    this.#sender.restart(welcome.state);
    if (isAnother) this.#stateListeners.emit(this.state);
    if (welcome.info) this.#inform(welcome.info);
    this.#pictures.screen.restart();
    if (!this.#isVisible) this.#sendVisibility();
    this.tellGuestPage();
    this.#takeover?.start(welcome);
    this.call.welcomed(welcome);
    this.replay.welcomed();
    this.#status.refresh();
  }

  /** State and pictures of another view follow: what was changed or is on its way is of this one. */
  #leaveView(): void {
    this.#takeover?.stop();
    this.#sender.stop();
    this.#sender.refused();
    this.#pictures.clear();
  }

  /** The kernel, which makes links too, cannot know how a browser reaches this server. */
  tellGuestPage(): void {
    const address = this.guestPage;
    if (address && this.#role === "owner") {
      this.#connection.send({ type: MessageType.GUEST_PAGE, address });
    }
  }

  #peopleChanged(message: PeopleMessage): void {
    this.people.received(message);
    const role = this.people.you?.role ?? this.#role;
    if (role === this.#role) return;
    this.#role = role;
    // What was on its way when the role changed is refused: the server's state counts.
    if (!mayDrive(role) && !this.ownView.isOn) this.#sender.refused();
    this.#stateListeners.emit(this.state);
  }

  #inform(info: VolumeInfo): void {
    if (JSON.stringify(info) === JSON.stringify(this.#info)) return;
    this.#info = info;
    this.#infoListeners.emit(info);
  }

  #received(message: ServerMessage): void {
    switch (message.type) {
      case MessageType.STATE:
        this.#sender.confirmed(message);
        if (this.#isPictureDue(this.#sender.pictureRevision)) this.#takeover?.expectPicture();
        break;
      case MessageType.PALETTE:
        this.palettes.add(message);
        this.#stateListeners.emit(this.state);
        break;
      case MessageType.SEGMENTATIONS:
        this.#segmentations = message.segmentations;
        this.#stateListeners.emit(this.state);
        break;
      case MessageType.INFO:
        this.#inform(message.info);
        break;
      case MessageType.ACK_PACE:
        this.#paceAcks(message.every_ms);
        break;
      case MessageType.STATUS:
        this.#status.received(message);
        break;
      case MessageType.VALUE:
        if (message.n === this.#probes) this.#valueListeners.emit(message);
        break;
      case MessageType.ANNOTATION:
        this.annotations.received(message);
        break;
      case MessageType.LABELS_EDITED:
        this.labels.received(message);
        break;
      case MessageType.EDIT_PROGRESS:
        this.labels.progressed(message);
        break;
      case MessageType.MEASUREMENT:
        this.annotations.answered(message);
        break;
      case MessageType.SNAP:
      case MessageType.TRACK:
      case MessageType.GRID:
        this.annotations.horizons.received(message);
        break;
      case MessageType.PEOPLE:
        this.#peopleChanged(message);
        break;
      case MessageType.LINK_OPENED:
      case MessageType.CHAT:
      case MessageType.POINTER:
        this.people.received(message);
        break;
      case MessageType.CALL:
      case MessageType.CALL_SIGNAL:
      case MessageType.CALL_MEDIA:
      case MessageType.LEAVE_CALL:
        this.call.received(message);
        break;
      case MessageType.VIEW_LINK:
        this.viewLinks.received(message);
        break;
      case MessageType.RTC_ANSWER:
        this.#takeover?.answer(message.sdp);
        break;
      case MessageType.RECORDING:
        this.#say(this.recording.received(message));
        break;
      case MessageType.REPLAY:
        this.replay.received(message);
        break;
      case MessageType.SAID:
        this.replay.said(message);
        break;
      case MessageType.PUBLISHED:
        this.recording.publishing(message);
        break;
      case MessageType.ERROR:
        this.#failed(message);
        break;
      case MessageType.ENDED:
        this.end();
        break;
    }
  }

  #isPictureDue(revision: number): boolean {
    const shown = this.#pictures.screen.frame?.header.revision ?? 0;
    return this.status.worker === "ready" && !isAtLeast(shown, revision);
  }

  #failed({ code, message, hint, fatal }: ErrorMessage): void {
    const error = { code, message, hint };
    if (RTC_REFUSALS.has(code)) {
      this.#takeover?.refused(message);
      return;
    }
    if (code === "call" && this.call.refused(error)) return;
    if (code === "voice") this.call.voice.refused();
    this.ownView.refused();
    if (code === "state" || code === "view-link") this.viewLinks.refused();
    if (REFUSALS.has(code)) this.#sender.refused();
    if (fatal) {
      this.#status.failed(error);
      this.#status.refresh();
    } else {
      this.#noticeListeners.emit(error);
    }
  }

  #say(notice: SessionError | null): void {
    if (notice) this.#noticeListeners.emit(notice);
  }

  #lost(): void {
    this.recording.lost();
    this.replay.lost();
    this.people.lost();
    this.ownView.lost();
    this.viewLinks.lost();
    this.#takeover?.stop();
    this.#pictures.lost();
    this.#takeover?.acks.pace(0);
    this.#sender.stop();
  }

  // ------------------------------------------------------------ to the server

  #paceAcks(everyMs: number): void {
    this.#pictures.pace(everyMs);
    this.#takeover?.acks.pace(everyMs);
  }

  #makeTakeover(open: OpenPeer): Takeover {
    return new Takeover(open, {
      send: (message) => this.#connection.send(message),
      // A lossless still of the socket may be newer than video that comes now: the numbers tell.
      frame: (frame) => this.#pictures.offer(frame),
      text: (text) => this.#received(JSON.parse(text) as ServerMessage),
      changed: () => {
        this.#pictures.reset();
        this.#status.refresh();
      },
      renew: () => this.#connection.renew(),
      roundTripMs: (enoughMs) => this.#connection.roundTripMs(enoughMs),
    });
  }

  #send(message: ViewerMessage): boolean {
    return this.#takeover?.send(message) || this.#connection.send(message);
  }

  #sendVisibility(): void {
    this.#connection.send({ type: MessageType.STREAM, path: "socket", visible: this.#isVisible });
  }
}
