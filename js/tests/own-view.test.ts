/** Looking around on one's own: what the page asks, and that nothing of one view comes into the other. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveSession } from "../src/live-session";
import { OwnView } from "../src/own-view";
import { MessageType, type ViewSync, type ZoomPan } from "../src/protocol";
import { isViewLink, ViewLinks } from "../src/view-links";
import { type FakeLink, FakeServer, STATE, welcome } from "./fakes";

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("the wish", () => {
  let sent: unknown[];
  let own: OwnView;
  beforeEach(() => {
    sent = [];
    own = new OwnView((message) => sent.push(message) > 0);
  });

  it("is asked once, until the server has answered", () => {
    own.set(true);
    own.set(true);
    expect(sent).toEqual([{ type: MessageType.LOOK_AROUND, on: true, resumes: false }]);
    expect([own.isOn, own.isOnTheWay]).toEqual([false, true]);
    expect(own.welcomed(welcome({ own: true }))).toBe(true);
    expect([own.isOn, own.isOnTheWay]).toEqual([true, false]);
    own.refused();
    expect(own.isOn).toBe(true);
  });

  it("goes on after a break, from where it was, and not when the server ended it", () => {
    own.set(true);
    own.welcomed(welcome({ own: true }));
    own.lost();
    expect(own.welcomed(welcome())).toBe(true);
    expect(sent.at(-1)).toEqual({ type: MessageType.LOOK_AROUND, on: true, resumes: true });
    own.welcomed(welcome({ own: true }));
    own.welcomed(welcome());
    own.lost();
    own.welcomed(welcome());
    expect(sent).toHaveLength(2);
  });

  it("may be refused, and is not asked again after a break then", () => {
    own.set(true);
    own.refused();
    expect([own.isOn, own.isOnTheWay]).toEqual([false, false]);
    own.lost();
    own.welcomed(welcome());
    expect(sent).toHaveLength(1);
  });
});

describe("a copied view", () => {
  it("comes from the server, is opened there, and never from a connection that is gone", async () => {
    vi.useFakeTimers();
    const sent: unknown[] = [];
    let isUp = true;
    const links = new ViewLinks((message) => isUp && sent.push(message) > 0);
    const first = links.copy();
    links.received({ type: MessageType.VIEW_LINK, text: "blustream-view:1.e30" });
    expect(await first).toBe("blustream-view:1.e30");
    links.open(" blustream-view:1.e30\n");
    expect(sent).toEqual([
      { type: MessageType.VIEW_LINK },
      { type: MessageType.OPEN_VIEW, text: "blustream-view:1.e30" },
    ]);
    const lost = expect(links.copy()).rejects.toThrow("no connection");
    links.lost();
    await pass(5000);
    await lost;
    isUp = false;
    await expect(links.copy()).rejects.toThrow("no connection");
    expect(["blustream-view:1.x", "https://example.org"].map(isViewLink)).toEqual([true, false]);
    vi.useRealTimers();
  });
});

describe("a copy that the server refuses", () => {
  it("fails at once, and the next one comes", async () => {
    const links = new ViewLinks(() => true);
    const first = expect(links.copy()).rejects.toThrow("cannot be copied now");
    links.refused();
    await first;
    links.refused(); // of something else
    const second = links.copy();
    links.received({ type: MessageType.VIEW_LINK, text: "blustream-view:1.e30" });
    expect(await second).toBe("blustream-view:1.e30");
  });
});

describe("a page that may only look", () => {
  let server: FakeServer;
  let session: LiveSession;
  let link: FakeLink;
  let flush: () => void;

  beforeEach(async () => {
    vi.useFakeTimers();
    server = new FakeServer();
    session = new LiveSession({
      openers: { websocket: server.opener("websocket") },
      openPeer: null,
      token: () => Promise.resolve("t"),
      pictures: () => Promise.resolve({ pictures: ["jpeg"], reason: "" }),
      later: (run) => {
        flush = run;
      },
      afterPaint: (run) => queueMicrotask(run),
    });
    session.start();
    await pass(0);
    link = server.link("websocket");
    link.welcome({ role: "viewer" });
  });
  afterEach(() => {
    session.stop();
    vi.useRealTimers();
  });

  const zooms = (): number[] =>
    [...link.of(MessageType.ZOOM_PAN), ...link.of(MessageType.VIEW_SYNC)].map(
      (message) => (message as ZoomPan | ViewSync).zoom ?? 0,
    );

  it("moves its own view and nothing else", () => {
    const led: unknown[] = [];
    session.onLed((states) => led.push(states), new AbortController().signal);
    session.patch({ zoom: 2 });
    expect(session.state.zoom).toBe(1);
    session.ownView.set(true);
    session.patch({ zoom: 3 });
    expect(session.state.zoom).toBe(1);
    link.say(welcome({ role: "viewer", own: true, state: { ...STATE, zoom: 4 } }));
    expect(session.state.zoom).toBe(4);
    session.patch({ zoom: 5 });
    session.foresee({ zoom: 9 });
    expect(session.state.zoom).toBe(5);
    flush();
    expect(zooms()).toEqual([5]);
    expect(led).toEqual([]);
  });

  it("does not take what it changed there along when it comes back", () => {
    session.ownView.set(true);
    link.say(welcome({ role: "editor", own: true }));
    session.patch({ zoom: 5 });
    flush();
    session.ownView.set(false);
    link.say(welcome({ role: "editor" }));
    expect(session.state.zoom).toBe(1);
    vi.advanceTimersByTime(5000);
    expect(zooms()).toEqual([5]);
  });
});
