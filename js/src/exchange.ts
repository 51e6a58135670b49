/**
 * Linked viewers of one page follow each other at once.
 *
 * The server has every linked view follow, on this page or not. Here the page does the same a moment
 * earlier, as far as it can know: zoom and colours act on the picture that is there, and the place under
 * a pointer is shown in the others. Nothing of it is sent, so nothing can come back.
 */
import { Guide, type LinkKind, mapped, type Triple } from "./linking";
import { onTrait, type ViewerModel } from "./model";
import type { Place, Pointing } from "./pointing";
import type { ViewPatch, ViewState, VolumeInfo } from "./protocol";

/** Viewers that follow each other, as the kernel says. */
export interface Tie {
  readonly id: string;
  readonly sessions: readonly string[];
  readonly what: readonly LinkKind[];
}

/** What the exchange needs of a session. */
export interface Linkable {
  readonly state: ViewState;
  readonly info: VolumeInfo | null;
  readonly pointing: Pointing;
  /** Show what the server will say in a moment. */
  foresee(patch: ViewPatch): void;
  /** Called with the former state and the new one after something on this page changed the view. */
  onLed(listener: (states: readonly [ViewState, ViewState]) => void, signal: AbortSignal): void;
}

interface Member {
  readonly session: Linkable;
  readonly ties: () => readonly Tie[];
}

interface Led {
  readonly id: string;
  readonly before: ViewState;
}

export class Exchange {
  readonly #members = new Map<string, Member>();

  /** A viewer came onto the page; it is there until the signal ends. */
  join(id: string, member: Member, signal: AbortSignal): void {
    this.#members.set(id, member);
    signal.addEventListener(
      "abort",
      () => {
        this.#point(id, null);
        if (this.#members.get(id) === member) this.#members.delete(id);
      },
      { once: true },
    );
    member.session.onLed(([before]) => this.#led({ id, before }), signal);
    member.session.pointing.here.add((place) => this.#point(id, place), signal);
  }

  /** The others of its ties follow, and lead on in theirs; nobody twice. */
  #led(first: Led): void {
    const reached = new Set([first.id]);
    const steps = [first];
    for (let step = steps.shift(); step; step = steps.shift()) {
      const { id, before } = step;
      const befores = new Map<string, ViewState>();
      for (const [otherId, other, tie] of this.#others(id, reached)) {
        const leader = this.#members.get(id)?.session;
        if (!leader?.info || !other.info) continue;
        if (!befores.has(otherId)) befores.set(otherId, other.state);
        const guide = new Guide(leader.info, other.info, new Set(tie.what));
        other.foresee(guide.patch(before, leader.state, other.state));
      }
      for (const [otherId, was] of befores) {
        reached.add(otherId);
        if (this.#members.get(otherId)?.session.state !== was) {
          steps.push({ id: otherId, before: was });
        }
      }
    }
  }

  #point(id: string, place: Place): void {
    const leader = this.#members.get(id)?.session;
    for (const [, other, { what }] of this.#others(id, new Set([id]))) {
      if (what.includes("cursor")) other.pointing.elsewhere.emit(placeIn(other, leader, place));
    }
  }

  #others(id: string, reached: ReadonlySet<string>): [string, Linkable, Tie][] {
    const ties = this.#members.get(id)?.ties() ?? [];
    return ties.flatMap((tie) =>
      tie.sessions.flatMap((other): [string, Linkable, Tie][] => {
        const member = reached.has(other) ? undefined : this.#members.get(other);
        return member ? [[other, member.session, tie]] : [];
      }),
    );
  }
}

/** Where a place of one volume lies in another; null where that has no voxel. */
function placeIn(other: Linkable, leader: Linkable | undefined, place: Place): Place {
  if (!place || !leader?.info || !other.info) return null;
  const { grid } = new Guide(leader.info, other.info, new Set(["cursor"]));
  if (!grid) return null;
  const at: Triple = mapped(grid, place);
  const { axes } = other.info;
  return at.every((v, a) => v >= -0.5 && v < (axes[a]?.n ?? 0) - 0.5) ? at : null;
}

/** Widgets of several kernels, and copies of this bundle, are on one page: they share one exchange. */
const KEY = Symbol.for("blustream_widget.exchange.1");

function ofPage(): Exchange {
  const page = globalThis as { [KEY]?: Exchange };
  page[KEY] ??= new Exchange();
  return page[KEY];
}

/** Have the widget follow and lead the others on the page, as its model says. */
export function joinExchange(model: ViewerModel, session: Linkable, signal: AbortSignal): void {
  let ties = model.get("_tied") ?? [];
  onTrait(
    model,
    "_tied",
    () => {
      ties = model.get("_tied") ?? [];
      session.pointing.elsewhere.emit(null);
    },
    signal,
  );
  ofPage().join(model.get("_session"), { session, ties: () => ties }, signal);
}
