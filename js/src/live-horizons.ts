/** Horizons over a session's connection: numbers the questions, tells who listens what came back. */
import type { HorizonLink, Point3, SectionLine } from "./annotations/types";
import { Listeners } from "./listeners";
import {
  type GridOfHorizon,
  MessageType,
  type Snap,
  type Snapped,
  type Track,
  type Tracking,
  type WantGrid,
} from "./protocol";

type Question = Snap | Track | WantGrid;
type Event = NonNullable<Snap["event"]>;

export class LiveHorizons implements HorizonLink {
  readonly #send: (message: Question) => boolean;
  readonly #snapped = new Listeners<Snapped>();
  readonly #tracking = new Listeners<Tracking>();
  readonly #grids = new Listeners<GridOfHorizon>();
  #n = 0;

  /** @param send by the reliable link; false if there is none */
  constructor(send: (message: Question) => boolean) {
    this.#send = send;
  }

  snap(place: Point3, event: Event, reach: number, channel: number): number | null {
    this.#n += 1;
    const sent = this.#send({ type: MessageType.SNAP, n: this.#n, place, event, reach, channel });
    return sent ? this.#n : null;
  }

  track(
    id: string,
    section: SectionLine | null,
    event: Event,
    reach: number,
    channel: number,
  ): number | null {
    this.#n += 1;
    const over = section ? { over: "section" as const, ...section } : { over: "volume" as const };
    const question = { n: this.#n, id, event, reach, channel };
    return this.#send({ type: MessageType.TRACK, ...question, ...over }) ? this.#n : null;
  }

  cancel(n: number, id: string): void {
    this.#send({ type: MessageType.TRACK, n, id, cancel: true });
  }

  want(name: string): void {
    this.#send({ type: MessageType.GRID, name });
  }

  received(message: Snapped | Tracking | GridOfHorizon): void {
    if (message.type === MessageType.SNAP) this.#snapped.emit(message);
    else if (message.type === MessageType.TRACK) this.#tracking.emit(message);
    else this.#grids.emit(message);
  }

  onSnapped(listener: (answer: Snapped) => void, signal: AbortSignal): void {
    this.#snapped.add(listener, signal);
  }

  onTracking(listener: (answer: Tracking) => void, signal: AbortSignal): void {
    this.#tracking.add(listener, signal);
  }

  onGrid(listener: (message: GridOfHorizon) => void, signal: AbortSignal): void {
    this.#grids.add(listener, signal);
  }
}
