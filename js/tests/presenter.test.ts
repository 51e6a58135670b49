import { describe, expect, it } from "vitest";
import { Presenter } from "../src/presenter";
import { frame } from "./fakes";

class Display {
  readonly shown: number[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly presenter = new Presenter(
    ({ header }) => this.shown.push(header.frame_no),
    (run) => this.#waiting.push(run),
  );

  paint(): void {
    for (const run of this.#waiting.splice(0)) run();
  }
}

describe("the presenter", () => {
  it("shows a picture after a pause at once", () => {
    const display = new Display();
    display.presenter.offer(frame({ frame_no: 1 }));
    expect(display.shown).toEqual([1]);
    display.paint();
    display.presenter.offer(frame({ frame_no: 2 }));
    expect(display.shown).toEqual([1, 2]);
  });

  it("shows the second of a burst with the next refresh", () => {
    const display = new Display();
    display.presenter.offer(frame({ frame_no: 1 }));
    display.presenter.offer(frame({ frame_no: 2 }));
    expect(display.shown).toEqual([1]);
    display.paint();
    expect(display.shown).toEqual([1, 2]);
    display.paint();
    expect(display.shown).toEqual([1, 2]);
  });

  it("closes a waiting picture that a newer one overtakes", () => {
    const display = new Display();
    const old = frame({ frame_no: 2 });
    display.presenter.offer(frame({ frame_no: 1 }));
    display.presenter.offer(old);
    display.presenter.offer(frame({ frame_no: 3 }));
    expect(old.image.isClosed).toBe(true);
    display.paint();
    expect(display.shown).toEqual([1, 3]);
  });

  it("keeps a waiting picture when an older one comes by a slower way", () => {
    const display = new Display();
    const late = frame({ frame_no: 10 });
    display.presenter.offer(frame({ frame_no: 9 }));
    display.presenter.offer(frame({ frame_no: 11 }));
    display.presenter.offer(late);
    expect(late.image.isClosed).toBe(true);
    display.paint();
    expect(display.shown).toEqual([9, 11]);
  });

  it("forgets what waits when the connection is gone", () => {
    const display = new Display();
    const waiting = frame({ frame_no: 2 });
    display.presenter.offer(frame({ frame_no: 1 }));
    display.presenter.offer(waiting);
    display.presenter.clear();
    display.paint();
    expect(waiting.image.isClosed).toBe(true);
    expect(display.shown).toEqual([1]);
  });
});
