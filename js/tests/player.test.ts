/** A recording that is played: the right picture for each time, and what happens when there is none. */
import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { EncodedPictures, toAnnexB } from "../src/player/encoded";
import { Film, filmText } from "../src/player/film";
import { Playback } from "../src/player/playback";
import { PlayedSession } from "../src/player/played-session";
import { Refusal, Source } from "../src/player/source";
import { type News, Timeline } from "../src/player/timeline";
import { timeText, viewText } from "../src/player/words";
import { FrameFlags } from "../src/protocol";
import type { Frame } from "../src/session";
import { INFO, STATE } from "./fakes";
import {
  Clock,
  PlayedDecoder,
  PlayedImage,
  PlayedKernel,
  settled,
  stubDecoder,
} from "./player-kit";

const NOTHING: News = {
  times: [],
  sizes: [],
  stills: [],
  events: [],
  duration: 0,
  isFinished: true,
  isGrowing: false,
  chapters: [],
};

function timeline(change: Partial<News> = {}): Timeline {
  const made = new Timeline();
  const times = [0, 0.1, 0.2, 5, 5.1];
  const sizes = times.map((_, i) => (i % 3 === 0 ? 2 ** 31 : 0) + 100);
  made.add({ ...NOTHING, times, sizes, duration: 6, ...change });
  return made;
}

describe("a timeline", () => {
  it("finds the picture of a time, and where its decoding begins", () => {
    const made = timeline();
    expect([-1, 0, 0.15, 0.2, 4.9, 5, 99].map((t) => made.pictureAt(t))).toEqual([
      0, 0, 1, 2, 2, 3, 4,
    ]);
    expect([0, 2, 3, 4].map((picture) => made.keyAt(picture))).toEqual([0, 0, 3, 3]);
    expect([0, 2, 3].map((picture) => made.keyAfter(picture))).toEqual([3, 3, 5]);
    expect(new Timeline().pictureAt(1)).toBe(-1);
  });

  it("shows an exact picture until the view moves again", () => {
    const made = timeline({ stills: [0.5, 5.5] });
    expect([0.4, 0.5, 4.9, 5, 5.6].map((t) => made.stillAt(t))).toEqual([-1, 0, 0, -1, 1]);
    expect(made.restAfter(0.5)).toBeCloseTo(4.5);
  });

  it("shows pointers where they were, by whose they are, until nobody moves them", () => {
    const who = (id: string, name: string): object => ({ id, name, color: "#123456" });
    const at = (t: number, id: string, voxel: unknown): News["events"][number] => ({
      t,
      kind: "pointers",
      places: [{ who: id, voxel }],
    });
    const events = [
      { t: 1, kind: "people", people: [who("a", "Ada")] },
      at(1, "a", [1, 0, 0]),
      { t: 2, kind: "people", people: [who("b", "Mei")] },
      at(2, "b", [2, 0, 0]),
      at(3, "a", [3, 0, 0]),
      at(4, "b", null),
    ];
    const made = timeline({ events });
    const seen = (t: number): unknown => made.pointersAt(t).map((m) => [m.name, m.place?.[0]]);
    expect([0.5, 1, 2.5, 3.5, 8.9, 9.1].map(seen)).toEqual([
      [],
      [["Ada", 1]],
      [
        ["Mei", 2],
        ["Ada", 1],
      ],
      [
        ["Ada", 3],
        ["Mei", 2],
      ],
      [["Ada", 3]],
      [],
    ]);
  });

  it("has the state of each time, in whatever order they are asked for", () => {
    const events = Array.from({ length: 400 }, (_, i) => ({
      t: i / 100,
      kind: "state",
      set: i === 0 ? STATE : { zoom: i },
    }));
    const made = timeline({ events });
    const zooms = [3.5, 0.01, 2.565, 0, -1].map((t) => made.stateAt(t)?.zoom);
    expect(zooms).toEqual([350, 1, 256, 1, 1]);
    expect(made.stateAt(3)?.window).toBe(STATE.window);
    expect(made.stateAt(3.001)).toBe(made.stateAt(3.002));
    expect(new Timeline().stateAt(1)).toBeNull();
  });

  it("gives the annotations between two times, and all of them anew when it goes back", () => {
    const edit = (id: string) => ({ op: "remove" as const, id });
    const event = (t: number, id: string, reset = false) => ({
      ...{ t, kind: "annotations", edits: [edit(id)], reset },
    });
    const events = [event(0, "a", true), event(1, "b"), event(2, "c"), event(3, "d", true)];
    const made = timeline({ events });
    const ids = (from: number, to: number) => {
      const { edits, reset } = made.changesBetween(from, to);
      return [edits.map((each) => (each as { id: string }).id).join(""), reset];
    };
    expect([0, 1.5, 9].map((t) => made.editsUntil(t))).toEqual([1, 2, 4]);
    expect([ids(0, 2), ids(2, 3), ids(3, 2), ids(1, 4)]).toEqual([
      ["ab", true],
      ["c", false],
      ["ab", true],
      ["d", true],
    ]);
  });
});

test("lengths become start codes; one that leads out of the unit is seen", () => {
  const unit = Uint8Array.of(0, 0, 0, 2, 0x67, 1, 0, 0, 0, 1, 0x65);
  expect(toAnnexB(unit)).toBe(true);
  expect([...unit]).toEqual([0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x65]);
  for (const bytes of [[], [0, 0, 0], [0, 0, 0, 9, 1], [0, 0, 0, 0], [0, 0, 0, 1, 7, 0]]) {
    expect(toAnnexB(Uint8Array.from(bytes))).toBe(false);
  }
});

describe("encoded pictures", () => {
  function opened(mostBytes?: number): [PlayedKernel, EncodedPictures, AbortController] {
    const kernel = new PlayedKernel();
    kernel.pictures = 200;
    const made = new Timeline();
    const times = Array.from({ length: 200 }, (_, i) => i);
    const sizes = times.map(() => 9);
    made.add({ ...NOTHING, times, sizes });
    const life = new AbortController();
    const source = new Source(kernel, life.signal);
    return [kernel, new EncodedPictures(source, made, sizes, mostBytes), life];
  }

  it("come in runs, however few an answer holds, and are asked for once", async () => {
    const [kernel, pictures] = opened();
    kernel.most = 10;
    const all = await Promise.all([3, 4, 12, 13].map((picture) => pictures.get(picture)));
    expect(all.map(({ header }) => header?.frame_no)).toEqual([3, 4, 12, 13]);
    expect(kernel.asked("pictures").map(({ first }) => first)).toEqual([3, 13]);
    await pictures.get(20);
    expect(kernel.asked("pictures")).toHaveLength(2);
  });

  it("are kept within bounds, those used last longest", async () => {
    const [kernel, pictures] = opened(9 * 64);
    await pictures.get(0);
    await pictures.get(100);
    expect(pictures.bytes).toBeLessThanOrEqual(9 * 64);
    await pictures.get(100);
    expect(kernel.asked("pictures")).toHaveLength(2);
    await pictures.get(0);
    expect(kernel.asked("pictures")).toHaveLength(3);
  });

  it("count once where two answers hold the same: else ever less would be kept", async () => {
    const [kernel, pictures] = opened();
    kernel.most = 46;
    await Promise.all([pictures.get(60), pictures.get(20)]);
    expect(pictures.bytes).toBe(9 * (60 + 46 - 20));
  });

  it("are refused where the kernel refuses, and nobody listens when it is over", async () => {
    const [kernel, pictures, life] = opened();
    kernel.error = { code: "recording", message: "It is gone.", hint: "" };
    await expect(pictures.get(0)).rejects.toThrow("It is gone.");
    life.abort();
    expect(kernel.listeners).toBe(0);
  });
});

describe("the time", () => {
  function opened(change: Partial<News> = {}) {
    const clock = new Clock();
    const host = { mayGoTo: vi.fn(() => true), changed: vi.fn() };
    const playback = new Playback(timeline(change), clock, host);
    return { clock, host, playback };
  }

  it.each([0.25, 1, 4, 8])("goes on %d times as fast, and ends at the end", (speed) => {
    const { clock, playback } = opened();
    playback.speed = speed;
    playback.play();
    clock.tick(100);
    expect(playback.t).toBeCloseTo(0.1 * speed);
    while (clock.isAsked) clock.tick(10);
    expect([playback.t, playback.playing]).toEqual([6, false]);
    expect(Math.abs(clock.ms - 6000 / speed)).toBeLessThanOrEqual(10);
    playback.play();
    expect(playback.t).toBe(0); // from the end it begins anew
  });

  it("knows its speeds", () => {
    const { playback } = opened();
    for (let i = 0; i < 9; i++) playback.faster(1);
    expect(playback.speed).toBe(8);
    for (let i = 0; i < 9; i++) playback.faster(-1);
    expect(playback.speed).toBe(0.25);
    playback.speed = 3;
    expect(playback.speed).toBe(0.25);
  });

  it("stands still while nobody sees it or a picture is late, and does not catch up", () => {
    const { clock, host, playback } = opened();
    playback.play();
    playback.isHidden = true;
    clock.tick(5000);
    playback.isHidden = false;
    host.mayGoTo.mockReturnValueOnce(false);
    clock.tick(5000);
    expect(playback.t).toBe(0);
    clock.tick(5000);
    expect(playback.t).toBe(0.25);
  });

  it("steps from picture to picture, out of a rest to where it began, and stops at the ends", () => {
    const { playback } = opened();
    const steps = (by: 1 | -1, count: number) =>
      Array.from({ length: count }, () => {
        playback.step(by);
        return playback.t;
      });
    expect(steps(1, 6)).toEqual([0.1, 0.2, 5, 5.1, 6, 6]);
    playback.seek(4);
    expect(steps(-1, 4)).toEqual([0.2, 0.1, 0, 0]);
  });

  it("goes to chapters, back to the one before when it has just begun, and not out of the file", () => {
    const chapters = [0, 2, 4].map((t) => ({ t, title: String(t) }));
    const { playback } = opened({ chapters });
    const places = [];
    for (const by of [1, 1, 1, -1, -1, -1] as const) {
      playback.chapter(by);
      places.push(playback.t);
    }
    expect(places).toEqual([2, 4, 6, 4, 2, 0]);
    for (const [t, place] of [
      [-3, 0],
      [99, 6],
      [Number.NaN, 6],
    ] as const) {
      playback.seek(t);
      expect(playback.t).toBe(place);
    }
  });

  it("waits at the end of a recording that is still made", () => {
    const { clock, playback } = opened({ isGrowing: true });
    playback.seek(5.95);
    playback.play();
    clock.tick(100);
    clock.tick(100);
    expect([playback.t, playback.playing]).toEqual([6, true]);
  });
});

describe("a recording on the page", () => {
  let kernel: PlayedKernel;
  let clock: Clock;
  let life: AbortController;
  let shown: number[];

  beforeEach(() => {
    vi.useFakeTimers();
    stubDecoder();
    kernel = new PlayedKernel();
    clock = new Clock();
    life = new AbortController();
    shown = [];
  });
  afterEach(() => {
    life.abort();
    vi.useRealTimers();
  });

  async function opened(isVideo = true): Promise<PlayedSession> {
    const pictures = isVideo ? (["h264"] as const) : (["jpeg"] as const);
    const session = new PlayedSession(kernel, life.signal, {
      clock,
      bitmap: () => Promise.resolve(new PlayedImage(0) as unknown as ImageBitmap),
      pictures: () => Promise.resolve({ pictures: [...pictures], reason: isVideo ? "" : "none" }),
    });
    session.onFrame(({ header }: Frame) => shown.push(header.slice_idx), life.signal);
    session.start();
    await settled();
    return session;
  }

  async function seek(session: PlayedSession, t: number): Promise<void> {
    session.playback.seek(t);
    await settled();
  }

  it("shows its first picture, its volume and its view, and can only be looked at", async () => {
    const session = await opened();
    expect(shown).toEqual([0]);
    expect([session.status.phase, session.info, session.role]).toEqual(["live", INFO, "viewer"]);
    expect(session.state).toEqual(STATE);
  });

  it("shows the picture of a time alone, decoded from the keyframe before", async () => {
    const session = await opened();
    await seek(session, 1.35);
    expect(shown).toEqual([0, 13]);
    expect(PlayedDecoder.taken.slice(-4)).toEqual([10, 11, 12, 13]);
    await seek(session, 1.4); // goes on from there
    await seek(session, 0.71);
    expect(shown).toEqual([0, 13, 14, 7]);
    expect(PlayedDecoder.taken.slice(-4)).toEqual([14, 5, 6, 7]);
  });

  it("ends where the hand stopped, whatever was on its way", async () => {
    const session = await opened();
    for (const t of [1.9, 0.3, 1.2, 0.6]) session.playback.seek(t);
    await settled();
    expect(shown.at(-1)).toBe(6);
  });

  it("plays every picture in its order and comes to its end", async () => {
    const session = await opened();
    session.playback.play();
    for (let i = 0; i < 200 && session.playback.playing; i++) {
      clock.tick();
      await settled();
    }
    expect(shown).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(session.playback.t).toBe(2);
    expect(clock.ms).toBeCloseTo(2000, -2);
  });

  it.each([0.25, 8])("decodes no picture twice at %d times the speed", async (speed) => {
    const session = await opened();
    session.playback.speed = speed;
    session.playback.play();
    for (let i = 0; i < 500 && session.playback.playing; i++) {
      clock.tick();
      await settled();
    }
    expect(PlayedDecoder.taken).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(shown.at(-1)).toBe(19);
    expect(PlayedImage.open).toBeLessThanOrEqual(10);
  });

  it("steps back over pictures that are still there without decoding anew", async () => {
    const session = await opened();
    await seek(session, 1.4);
    const taken = PlayedDecoder.taken.length;
    for (let i = 0; i < 4; i++) {
      session.playback.step(-1);
      await settled();
    }
    expect(shown.slice(1)).toEqual([14, 13, 12, 11, 10]);
    expect(PlayedDecoder.taken).toHaveLength(taken);
  });

  it("waits with the time for pictures that do not come", async () => {
    kernel.unanswered.add("pictures");
    const session = await opened();
    session.playback.play();
    for (let i = 0; i < 100; i++) clock.tick();
    vi.advanceTimersByTime(2000);
    expect([session.playback.t, session.playback.isKernelBusy]).toEqual([0, true]);
    for (const question of kernel.asked("pictures")) kernel.answer(question);
    await settled();
    clock.tick();
    expect([session.playback.t, session.playback.isKernelBusy]).toEqual([0.02, false]);
  });

  it("says it once when pictures are damaged, and goes on at the next whole one", async () => {
    kernel.broken.add(7);
    const session = await opened();
    const notices: string[] = [];
    session.onNotice(({ message }) => notices.push(message), life.signal);
    session.playback.play();
    for (let i = 0; i < 200 && session.playback.playing; i++) {
      clock.tick();
      await settled();
    }
    expect(shown).toEqual([0, 1, 2, 3, 4, 5, 6, ...Array.from({ length: 10 }, (_, i) => 10 + i)]);
    expect(notices).toEqual(["Pictures of the recording are damaged."]);
    expect(PlayedDecoder.taken.length).toBeLessThanOrEqual(25); // one group again, and once
    await seek(session, 0.6);
    expect(shown.at(-1)).toBe(6);
    expect(session.playback.t).toBe(0.6);
  });

  it("has the kernel decode where the browser cannot, the newest first", async () => {
    const session = await opened(false);
    expect(session.status).toMatchObject({ codec: "jpeg", reason: "none" });
    for (const t of [0.3, 0.8, 1.5]) session.playback.seek(t);
    await settled();
    expect(shown).toEqual([0, 15]);
    expect(kernel.asked("pictures")).toEqual([]);
  });

  it("asks the kernel for pictures when the decoder takes none at all", async () => {
    kernel.broken = new Set(Array.from({ length: 20 }, (_, i) => i));
    const session = await opened();
    for (const t of [0.6, 1.1, 1.6]) await seek(session, t);
    expect(session.status.codec).toBe("jpeg");
    expect(shown.at(-1)).toBe(16);
  });

  it("shows the exact picture where the view rested", async () => {
    kernel.stills = [1.95];
    const session = await opened();
    await seek(session, 1.97);
    expect(shown).toEqual([0, 19, 1000]);
    await seek(session, 1.91);
    await seek(session, 1.5);
    expect(shown.slice(3)).toEqual([15]);
    expect(session.status.exact).toBe(false);
  });

  it("has state and annotations as they were at each time", async () => {
    kernel.state(1, { slice_idx: [7, 54, 32], revision: 2 });
    const item = { id: "a", kind: "text", label: "Fault" };
    const edits = [{ op: "put", item }];
    kernel.events.push({ t: 1.2, kind: "annotations", edits });
    const session = await opened();
    const seen = async (t: number): Promise<unknown[]> => {
      await seek(session, t);
      return [session.state.slice_idx[0], session.annotations.store.items.length];
    };
    expect(await seen(0.9)).toEqual([45, 0]);
    expect(await seen(1.3)).toEqual([7, 1]);
    expect(await seen(1.1)).toEqual([7, 0]);
  });

  it("grows while it is still made", async () => {
    kernel.isGrowing = true;
    const session = await opened();
    kernel.pictures = 30;
    kernel.isGrowing = false;
    await vi.advanceTimersByTimeAsync(2000);
    await settled();
    expect([session.playback.duration, session.timeline.isFinished]).toEqual([3, true]);
    await seek(session, 2.75);
    expect(shown.at(-1)).toBe(27);
    const asked = kernel.asked("index").length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(kernel.asked("index")).toHaveLength(asked);
  });

  it("says what is wrong, and tries again", async () => {
    kernel.error = { code: "recording", message: "It is gone.", hint: "Look for it." };
    const session = await opened();
    expect(session.status).toMatchObject({ phase: "failed", error: kernel.error });
    kernel.error = null;
    session.retry();
    await settled();
    expect([session.status.phase, shown]).toEqual(["live", [0]]);
  });

  it("keeps no picture when nobody looks, and shows the same place when somebody does", async () => {
    const session = await opened();
    await seek(session, 1.2);
    session.stop();
    expect(PlayedImage.open).toBe(1); // the one that is shown
    session.start();
    await settled();
    await seek(session, 1.3);
    expect(shown.at(-1)).toBe(13);
    life.abort();
    expect(kernel.listeners).toBe(0);
  });

  it("sets no mark of exactness on video", async () => {
    const session = await opened();
    expect((session.lastFrame()?.header.flags ?? 0) & FrameFlags.STILL).toBe(0);
  });
});

test("times and views are said in words", () => {
  expect([0, 7.34, 59.96, 600.05, 3723].map(timeText)).toEqual([
    ...["0:00.0", "0:07.3", "0:59.9", "10:00.0", "1:02:03.0"],
  ]);
  expect(viewText(INFO, STATE)).toMatch(/Window\u00a04\.00, level\u00a00\.00/);
});

describe("a film of it", () => {
  const told = (phase: string, share = 0): object => ({
    phase,
    share,
    name: "talk-film.webm",
    folder: "/home",
    message: "",
    hint: "",
  });

  function asked(answers: object[]) {
    const questions: unknown[] = [];
    const changes: string[] = [];
    const source = {
      ask: async (ask: string, places: object) => {
        questions.push([ask, places]);
        const content = answers.shift();
        if (content instanceof Error) throw content;
        return { content, buffers: [] };
      },
    };
    const film = new Film(source as unknown as Source, new AbortController().signal, (before) =>
      changes.push(`${before.phase}>${film.state.phase}`),
    );
    return { film, questions, changes };
  }

  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("says how far it is until it is there", async () => {
    const { film, questions, changes } = asked([told("on"), told("on", 0.425), told("done", 1)]);
    film.begin(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(filmText(film.state)).toBe("Film 42 %");
    film.begin(0); // one after the other
    await vi.advanceTimersByTimeAsync(5000);
    expect(filmText(film.state)).toBe("Saved: talk-film.webm");
    expect(changes).toEqual(["none>on", "on>on", "on>done"]);
    expect(questions).toEqual([
      ["film", { ending: 1 }],
      ["film-stands", {}],
      ["film-stands", {}],
    ]);
  });

  it("is given up by a wish, and says why it cannot be", async () => {
    const refusal = new Refusal({ code: "recording", message: "Disk full.", hint: "" });
    const { film, questions } = asked([told("on"), told("cancelled"), refusal]);
    film.cancel();
    film.begin(0);
    await vi.advanceTimersByTimeAsync(0);
    film.cancel();
    await vi.advanceTimersByTimeAsync(1000);
    expect(film.isOn).toBe(false);
    film.begin(2);
    await vi.advanceTimersByTimeAsync(1000);
    expect([film.state.phase, film.state.message]).toEqual(["failed", "Disk full."]);
    expect(questions.map((question) => (question as [string])[0])).toEqual([
      "film",
      "film-cancel",
      "film",
    ]);
  });
});
