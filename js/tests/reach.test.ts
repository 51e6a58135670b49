import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../src/connection";
import { MessageType } from "../src/protocol";
import { Reach, watchReturn } from "../src/reach";
import { FakeServer } from "./fakes";

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** A host that answers, is silent, or is refused by the browser at once. */
class Host {
  mood: "answers" | "silent" | "refused" = "answers";
  asked = 0;

  readonly ask = (_url: string, signal: AbortSignal): Promise<unknown> => {
    this.asked += 1;
    if (this.mood === "answers") return Promise.resolve();
    if (this.mood === "refused") return Promise.reject(new TypeError("Failed to fetch"));
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason)),
    );
  };
}

class Scene {
  readonly host = new Host();
  readonly server = new FakeServer();
  readonly askedFresh: boolean[] = [];
  readonly connection = new Connection(
    {
      openers: { websocket: this.server.opener("websocket") },
      reach: new Reach("http://host/api", this.host.ask),
      hello: (isFresh) => {
        this.askedFresh.push(isFresh);
        return Promise.resolve({ type: MessageType.HELLO, token: "t", protocol: 4, pictures: [] });
      },
    },
    { welcome: () => {}, message: () => {}, frame: () => {}, lost: () => {}, changed: () => {} },
  );

  async start(): Promise<this> {
    this.connection.start();
    await pass(0);
    this.server.link("websocket").welcome();
    await pass(0);
    return this;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a network that is gone", () => {
  it("costs no WebSocket, and one is opened within 0.7 s of its return", async () => {
    for (const mood of ["silent", "refused"] as const) {
      const { host, server, connection } = await new Scene().start();
      host.mood = mood;
      server.link("websocket").break();
      await pass(120_000);
      expect(server.count("websocket")).toBe(1);
      host.mood = "answers";
      await pass(700);
      expect(server.count("websocket")).toBe(2);
      server.link("websocket").welcome();
      expect(connection.link).toBe("websocket");
      const { asked } = host;
      await pass(4000);
      expect(host.asked).toBe(asked);
      connection.stop();
    }
  });

  it("is dialled into where the host never answered such a question", async () => {
    const scene = new Scene();
    scene.host.mood = "refused";
    const { server } = await scene.start();
    server.link("websocket").break();
    await pass(200);
    expect(server.count("websocket")).toBe(2);
  });

  it("costs no WebSocket beside a connection that is silent", async () => {
    const { host, server, connection } = await new Scene().start();
    host.mood = "silent";
    connection.send({ type: MessageType.CHANGE_SLICE, seq: 1, slice_idx: 3 });
    await pass(4000);
    expect(server.count("websocket")).toBe(1);
    host.mood = "answers";
    await pass(700);
    expect(server.count("websocket")).toBe(2);
  });

  it("ends a dial that was begun without it when the browser says that it is back", async () => {
    const { server, connection } = await new Scene().start();
    server.link("websocket").break();
    await pass(200);
    const hanging = server.link("websocket");
    connection.returned();
    await pass(0);
    expect(hanging.isClosed).toBe(true);
    expect(server.count("websocket")).toBe(3);
  });

  it("is asked about at once when the link is there but may be dead", async () => {
    const { server, connection } = await new Scene().start();
    connection.returned();
    expect(server.link("websocket").of(MessageType.PING)).toHaveLength(1);
    await pass(1000);
    expect(server.count("websocket")).toBe(2);
  });
});

it("does not ask the kernel for a token that a new server takes as well", async () => {
  const { server, askedFresh } = await new Scene().start();
  server.link("websocket").break();
  await pass(200);
  for (const code of ["session-awaited", "session-not-found", "token"]) {
    server.link("websocket").open();
    server
      .link("websocket")
      .say({ type: MessageType.ERROR, code, message: "", hint: "", fatal: true });
    await pass(500);
  }
  expect(askedFresh).toEqual([false, false, false, true, true]);
});

it("notices that the network may be back", async () => {
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false }));
  const life = new AbortController();
  const back = vi.fn();
  watchReturn(back, life.signal);
  await pass(10_000);
  expect(back).toHaveBeenCalledTimes(0);
  window.dispatchEvent(new Event("online"));
  document.dispatchEvent(new Event("visibilitychange"));
  vi.setSystemTime(Date.now() + 60_000); // the computer slept
  await pass(1000);
  expect(back).toHaveBeenCalledTimes(3);
  life.abort();
  window.dispatchEvent(new Event("online"));
  expect(back).toHaveBeenCalledTimes(3);
});
