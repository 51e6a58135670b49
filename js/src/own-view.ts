/** Whether this page follows the shown view or has one of its own, and the way from one to the other. */
import { Listeners } from "./listeners";
import { type LookAround, MessageType, type Welcome } from "./protocol";

export class OwnView {
  readonly #send: (message: LookAround) => boolean;
  readonly #changed = new Listeners<void>();
  #isOn = false;
  #isWanted = false;
  #isAsked = false;
  #wasLost = false;

  /** @param send by the reliable link; false if there is none */
  constructor(send: (message: LookAround) => boolean) {
    this.#send = send;
  }

  /** State and pictures are of an own view. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Which view comes is not decided: what a hand changes now would be of the wrong one. */
  get isOnTheWay(): boolean {
    return this.#isAsked;
  }

  /** Look around on one's own, or follow again. */
  set(on: boolean): void {
    if (on === this.#isOn || this.#isAsked) return;
    this.#isWanted = on;
    this.#isAsked = this.#send({ type: MessageType.LOOK_AROUND, on, resumes: false });
  }

  /** Take a welcome; true if another view begins with it. */
  welcomed({ own }: Welcome): boolean {
    const before = this.#isOn;
    this.#isOn = own;
    this.#isAsked = false;
    // After a break everybody follows at first; who looked around goes on where they were.
    if (this.#wasLost && this.#isWanted && !own) {
      this.#isAsked = this.#send({ type: MessageType.LOOK_AROUND, on: true, resumes: true });
    } else {
      this.#isWanted = own;
    }
    this.#wasLost = false;
    if (before !== own) this.#changed.emit();
    return before !== own;
  }

  /** The server refused something; if it was this, the view stays the one it is. */
  refused(): void {
    if (!this.#isAsked) return;
    this.#isAsked = false;
    this.#isWanted = this.#isOn;
  }

  /** The connection is gone. */
  lost(): void {
    this.#isAsked = false;
    this.#wasLost = true;
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.#changed.add(listener, signal);
  }
}
