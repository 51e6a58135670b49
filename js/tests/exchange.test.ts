import { beforeEach, describe, expect, it } from "vitest";
import { Exchange, type Linkable, type Tie } from "../src/exchange";
import { Listeners } from "../src/listeners";
import { type Place, Pointing } from "../src/pointing";
import type { ViewPatch, ViewState, VolumeInfo } from "../src/protocol";
import { INFO, STATE } from "./fakes";

/** Voxels of `size` mm, in a cube of 60 mm. */
function cube(size: number): VolumeInfo {
  const n = 60 / size;
  const axes = INFO.axes.map((axis) => ({ ...axis, n, spacing: size }));
  return {
    ...INFO,
    kind: "medical",
    world_unit: "mm",
    axes: axes as unknown as VolumeInfo["axes"],
    affine: [size, 0, 0, 0, 0, size, 0, 0, 0, 0, size, 0, 0, 0, 0, 1],
  };
}

class View implements Linkable {
  state: ViewState = { ...STATE, slice_idx: [10, 10, 10] };
  readonly pointing = new Pointing();
  readonly foreseen: ViewPatch[] = [];
  readonly life = new AbortController();
  pointed: Place | undefined;
  ties: Tie[] = [];
  readonly #led = new Listeners<readonly [ViewState, ViewState]>();

  constructor(
    exchange: Exchange,
    id: string,
    readonly info: VolumeInfo,
  ) {
    exchange.join(id, { session: this, ties: () => this.ties }, this.life.signal);
    this.pointing.elsewhere.add((place) => {
      this.pointed = place;
    }, this.life.signal);
  }

  foresee(patch: ViewPatch): void {
    if (Object.keys(patch).length === 0) return;
    this.foreseen.push(patch);
    this.state = { ...this.state, ...patch };
  }

  onLed(listener: (states: readonly [ViewState, ViewState]) => void, signal: AbortSignal): void {
    this.#led.add(listener, signal);
  }

  move(patch: ViewPatch): void {
    const before = this.state;
    this.state = { ...before, ...patch };
    this.#led.emit([before, this.state]);
  }
}

describe("viewers of one page", () => {
  let exchange: Exchange;
  let fine: View;
  let coarse: View;
  let third: View;

  const tie = (id: string, views: Record<string, View>, what: Tie["what"]): void => {
    const made = { id, sessions: Object.keys(views), what };
    for (const view of Object.values(views)) view.ties.push(made);
  };

  beforeEach(() => {
    exchange = new Exchange();
    fine = new View(exchange, "fine", cube(1));
    coarse = new View(exchange, "coarse", cube(3));
    third = new View(exchange, "third", cube(1));
  });

  it("meet at the same place, and the leader stays where it was put", () => {
    tie("t", { fine, coarse }, ["slice"]);
    fine.move({ slice_idx: [31, 10, 10] });
    expect(coarse.state.slice_idx[0]).toBe(10);
    fine.move({ slice_idx: [32, 10, 10] });
    expect(coarse.state.slice_idx[0]).toBe(11);
    expect(fine.foreseen).toEqual([]);
    coarse.move({ slice_idx: [12, 10, 10] });
    expect(fine.state.slice_idx[0]).toBe(36);
    expect(third.foreseen).toEqual([]);
  });

  it("lead on through a chain, in what each link has", () => {
    tie("ab", { fine, coarse }, ["slice", "window"]);
    tie("bc", { coarse, third }, ["slice"]);
    fine.move({ slice_idx: [36, 10, 10], window: 7 });
    expect(coarse.state.window).toBe(7);
    expect(third.foreseen).toEqual([{ slice_idx: [36, 10, 10] }]);
    expect(fine.foreseen).toEqual([]);
  });

  it("show the place under the other's pointer, where they have it", () => {
    tie("t", { fine, coarse }, ["cursor"]);
    fine.pointing.here.emit([30, 31, 32]);
    expect(coarse.pointed?.[0]).toBeCloseTo(10);
    expect(coarse.pointed?.[1]).toBeCloseTo(31 / 3);
    expect(fine.pointed).toBeUndefined();
    fine.pointing.here.emit([30, 31, 90]);
    expect(coarse.pointed).toBeNull();
    tie("other", { coarse, third }, ["slice"]);
    coarse.pointing.here.emit([1, 1, 1]);
    expect(third.pointed).toBeUndefined();
  });

  it("leave the page: the others go on without them", () => {
    tie("t", { fine, coarse, third }, ["slice", "cursor"]);
    fine.pointing.here.emit([3, 3, 3]);
    fine.life.abort();
    expect(coarse.pointed).toBeNull();
    third.move({ slice_idx: [33, 10, 10] });
    expect(coarse.state.slice_idx[0]).toBe(11);
    expect(fine.foreseen).toEqual([]);
  });

  it("are one of two views by the same name: the newer one stays when the older goes", () => {
    const again = new View(exchange, "coarse", cube(3));
    tie("t", { fine, coarse: again }, ["slice"]);
    coarse.life.abort();
    fine.move({ slice_idx: [36, 10, 10] });
    expect(again.state.slice_idx[0]).toBe(12);
  });
});
