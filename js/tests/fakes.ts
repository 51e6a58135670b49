/** A server in the test's hands: links that it can open, answer, break. */
import { vi } from "vitest";
import type { Link, LinkEvents, LinkName, OpenLink } from "../src/link";
import {
  type FrameHeader,
  MessageType,
  NO_PANES,
  type ServerMessage,
  type SharedPerson,
  type ViewerMessage,
  type ViewState,
  type VolumeInfo,
  type Welcome,
} from "../src/protocol";
import type { Frame } from "../src/session";
import { contract } from "./contract";

export const INFO = contract.geometry[0]?.info as unknown as VolumeInfo;

export const STATE: ViewState = {
  revision: 1,
  axis: 0,
  slice_idx: [45, 54, 32],
  time_idx: 0,
  channel: 0,
  window: 4,
  level: 0,
  colormap: "seismic",
  reverse: false,
  below_color: "",
  above_color: "",
  no_value_color: "",
  label_style: "",
  zoom: 1,
  pan: [0.5, 0.5],
  stretch: 1,
  interpolate: true,
  north_up: false,
  rotation: 0,
  flip_x: false,
  flip_y: false,
  slab: 1,
  slab_mode: "max",
  display: "density",
  wiggle_excursion: 1,
  wiggle_fill: true,
  wiggle_polarity: "normal",
  section: null,
  crosshair: false,
  segmentations: [],
  show_segmentations: true,
  overlays: [],
  show_overlays: true,
  width_px: 960,
  height_px: 540,
  layout: "single",
  panes: [],
  pane_sizes: [],
  active: 0,
  linked: true,
  maximised: false,
  columns: [],
  rows: [],
};

export function welcome(change: Partial<Welcome> = {}): Welcome {
  return {
    type: MessageType.WELCOME,
    session: "s",
    peer: 1,
    role: "owner",
    state: STATE,
    info: INFO,
    webrtc: true,
    ice_servers: [],
    ice_loopback: false,
    ice_relay_only: false,
    protocol: 1,
    via: "proxy",
    own: false,
    ...change,
  };
}

export function header(change: Partial<FrameHeader> = {}): FrameHeader {
  return {
    flags: 1,
    axis: 0,
    lod: 0,
    channel: 0,
    width_px: 960,
    height_px: 540,
    frame_no: 0,
    revision: 1,
    timestamp_90k: 0,
    slice_idx: 45,
    zoom: 1,
    pan_x: 0.5,
    pan_y: 0.5,
    stretch: 1,
    window: 4,
    level: 0,
    colormap_idx: 1,
    is_reversed: 0,
    is_north_up: 0,
    turn: 0,
    n_panes: 0,
    panes: NO_PANES,
    ...change,
  };
}

export class FakeImage {
  isClosed = false;
  close(): void {
    this.isClosed = true;
  }
}

export function frame(change: Partial<FrameHeader> = {}): Frame & { image: FakeImage } {
  return { header: header(change), image: new FakeImage() } as unknown as Frame & {
    image: FakeImage;
  };
}

class FakeChunk {
  readonly type: string;
  readonly timestamp: number;
  readonly data: Uint8Array;
  constructor({ type, timestamp, data }: EncodedVideoChunkInit) {
    this.type = type;
    this.timestamp = timestamp;
    this.data = data as Uint8Array;
  }
}

/** Decodes when the test says so. */
export class FakeVideoDecoder {
  static made: FakeVideoDecoder[] = [];
  state = "unconfigured";
  configs: VideoDecoderConfig[] = [];
  chunks: FakeChunk[] = [];
  get decodeQueueSize(): number {
    return this.chunks.length;
  }
  constructor(private readonly init: VideoDecoderInit) {
    FakeVideoDecoder.made.push(this);
  }
  configure(config: VideoDecoderConfig): void {
    this.state = "configured";
    this.configs.push(config);
  }
  decode(chunk: FakeChunk): void {
    this.chunks.push(chunk);
  }
  close(): void {
    this.state = "closed";
  }
  output(): FakeImage {
    const image = Object.assign(new FakeImage(), { timestamp: this.chunks.shift()?.timestamp });
    this.init.output(image as unknown as VideoFrame);
    return image;
  }
  fail(): void {
    this.init.error(new DOMException("broken"));
  }
  static get newest(): FakeVideoDecoder {
    const newest = FakeVideoDecoder.made.at(-1);
    if (!newest) throw new Error("no decoder was made");
    return newest;
  }
}

/** Have WebCodecs until the test ends. */
export function stubVideoDecoder(): void {
  FakeVideoDecoder.made = [];
  vi.stubGlobal("VideoDecoder", FakeVideoDecoder);
  vi.stubGlobal("EncodedVideoChunk", FakeChunk);
}

/** One link that was opened. */
export class FakeLink implements Link {
  readonly sent: ViewerMessage[] = [];
  isClosed = false;

  constructor(
    readonly name: LinkName,
    private readonly events: LinkEvents,
  ) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ViewerMessage);
  }

  close(): void {
    this.isClosed = true;
  }

  /** Messages of a type, in the order they were sent. */
  of(type: number): ViewerMessage[] {
    return this.sent.filter((message) => message.type === type);
  }

  open(): void {
    this.events.opened();
  }

  say(message: ServerMessage): void {
    this.events.text(JSON.stringify(message));
  }

  frame(data: DataView): void {
    this.events.binary(data);
  }

  break(reason = "gone"): void {
    this.events.closed(reason);
  }

  welcome(change: Partial<Welcome> = {}): void {
    this.open();
    this.say(welcome(change));
  }
}

/** Records the links that are opened, by name. */
export class FakeServer {
  readonly links: FakeLink[] = [];

  opener(name: LinkName): OpenLink {
    return (events) => {
      const link = new FakeLink(name, events);
      this.links.push(link);
      return link;
    };
  }

  /** The newest link of a name. */
  link(name: LinkName): FakeLink {
    const link = this.links.findLast((candidate) => candidate.name === name);
    if (!link) throw new Error(`no ${name} was opened`);
    return link;
  }

  count(name: LinkName): number {
    return this.links.filter((link) => link.name === name).length;
  }
}

/** Somebody who is told of. */
export const person = (id: string, change: Partial<SharedPerson> = {}): SharedPerson => ({
  id,
  name: id,
  role: "viewer",
  color: "#123456",
  since_ms: 0,
  transport: "websocket",
  latency_ms: 0,
  drives: false,
  asks: false,
  is_lent: false,
  looks_around: false,
  in_call: false,
  muted: false,
  recorded: false,
  ...change,
});
