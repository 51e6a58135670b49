import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../src/connection";
import type { LinkName } from "../src/link";
import { MessageType, type ServerMessage, type Welcome } from "../src/protocol";
import { FakeServer, STATE } from "./fakes";

class Scene {
  readonly server = new FakeServer();
  readonly welcomes: Welcome[] = [];
  readonly messages: ServerMessage[] = [];
  readonly askedFresh: boolean[] = [];
  isKernelGone = false;
  losses = 0;
  readonly connection: Connection;

  constructor(names: LinkName[] = ["websocket", "comm"]) {
    const openers = Object.fromEntries(names.map((name) => [name, this.server.opener(name)]));
    const hello = (isFresh: boolean) => {
      this.askedFresh.push(isFresh);
      if (this.isKernelGone) return Promise.reject(new Error("the comm is closed"));
      return Promise.resolve({ type: MessageType.HELLO, token: "t" });
    };
    this.connection = new Connection(
      { openers, hello },
      {
        welcome: (welcome) => this.welcomes.push(welcome),
        message: (message) => this.messages.push(message),
        frame: () => {},
        lost: () => {
          this.losses += 1;
        },
        changed: () => {},
      },
    );
  }

  async start(): Promise<this> {
    this.connection.start();
    await pass(0);
    return this;
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("connecting", () => {
  it("says hello over the WebSocket first, and is up when welcomed", async () => {
    const { server, connection, welcomes } = await new Scene().start();
    const socket = server.link("websocket");
    socket.open();
    expect(socket.sent).toEqual([{ type: MessageType.HELLO, token: "t", transport: "websocket" }]);
    expect(connection.link).toBeNull();
    socket.welcome();
    expect(connection.link).toBe("websocket");
    expect(welcomes).toHaveLength(1);
    expect(server.count("comm")).toBe(0);
  });

  it("falls back to the comm at once when the WebSocket is refused", async () => {
    const { server, connection } = await new Scene().start();
    server.link("websocket").break("404");
    await pass(0);
    server.link("comm").welcome();
    expect(connection.link).toBe("comm");
    expect(connection.reason).toContain("404");
  });

  it("falls back to the comm when the WebSocket does not answer within two seconds", async () => {
    const { server } = await new Scene().start();
    await pass(1999);
    expect(server.count("comm")).toBe(0);
    await pass(1);
    expect(server.count("comm")).toBe(1);
  });

  it("goes back from the comm to the WebSocket when that answers later", async () => {
    const scene = await new Scene().start();
    const { server, connection, welcomes } = scene;
    server.link("websocket").break();
    await pass(0);
    const relay = server.link("comm");
    relay.welcome();
    await pass(5000);
    expect(server.count("websocket")).toBe(2);
    expect(scene.losses).toBe(0);
    server.link("websocket").welcome({ peer: 2 });
    expect(scene.losses).toBe(1); // what hung on the relay is asked for again
    expect(connection.link).toBe("websocket");
    expect(relay.isClosed).toBe(true);
    expect(welcomes.map((w) => w.peer)).toEqual([1, 2]);
  });

  it("does not let a late comm replace the WebSocket", async () => {
    const { server, connection } = await new Scene().start();
    server.link("websocket").break();
    await pass(200);
    const relay = server.link("comm");
    server.link("websocket").welcome();
    expect(connection.link).toBe("websocket");
    expect(relay.isClosed).toBe(true);
  });

  it("does not try the comm with a token that was refused, and asks for a fresh one", async () => {
    const { server, askedFresh } = await new Scene().start();
    server.link("websocket").open();
    const refusal = { code: "token", message: "The token has expired.", hint: "", fatal: true };
    server.link("websocket").say({ type: MessageType.ERROR, ...refusal });
    await pass(200);
    expect(server.count("comm")).toBe(0);
    expect(askedFresh).toEqual([false, true]);
  });

  it("uses only what is allowed", async () => {
    const { server } = await new Scene(["comm"]).start();
    expect(server.count("websocket")).toBe(0);
    server.link("comm").break();
    await pass(200);
    expect(server.count("comm")).toBe(2);
  });
});

describe("a lost link", () => {
  it("is dialled again soon at first, then with pauses up to five seconds", async () => {
    const { server, connection } = await new Scene(["websocket"]).start();
    server.link("websocket").welcome();
    server.link("websocket").break();
    for (const pauseMs of [200, 400, ...Array(10).fill(500), 5000, 5000]) {
      const before = server.count("websocket");
      expect(connection.retryAtMs - performance.now()).toBe(pauseMs);
      await pass(pauseMs - 1);
      expect(server.count("websocket")).toBe(before);
      await pass(1);
      expect(server.count("websocket")).toBe(before + 1);
      server.link("websocket").break();
    }
  });

  it("is dialled again also where the kernel cannot be asked for a token now", async () => {
    const scene = await new Scene(["websocket"]).start();
    scene.server.link("websocket").welcome();
    scene.isKernelGone = true;
    scene.server.link("websocket").break();
    await pass(200);
    expect(scene.server.count("websocket")).toBe(1);
    expect(scene.connection.reason).toContain("the comm is closed");
    scene.isKernelGone = false;
    await pass(400);
    expect(scene.server.count("websocket")).toBe(2);
  });

  it("is told once, and nothing more is heard from it", async () => {
    const scene = await new Scene(["websocket"]).start();
    const link = scene.server.link("websocket");
    link.welcome();
    link.break();
    link.say({ type: MessageType.STATE, seq: 0, state: STATE });
    expect(scene.losses).toBe(1);
    expect(scene.messages).toHaveLength(0);
  });

  it("is dialled at once when the user asks", async () => {
    const { server, connection } = await new Scene(["websocket"]).start();
    server.link("websocket").break();
    connection.retryNow();
    await pass(0);
    expect(server.count("websocket")).toBe(2);
  });

  it("is noticed by its silence", async () => {
    const scene = await new Scene(["websocket"]).start();
    const link = scene.server.link("websocket");
    link.welcome();
    await pass(5000);
    expect(link.of(MessageType.PING)).toHaveLength(1);
    link.say({ type: MessageType.PONG, n: 1 });
    await pass(5000);
    expect(scene.losses).toBe(0);
    await pass(5000);
    expect(scene.losses).toBe(1);
    expect(link.isClosed).toBe(true);
  });
});

describe("the round trip of the link in use", () => {
  it("is measured by pings, and told to nobody else", async () => {
    const { server, connection, messages } = await new Scene(["websocket"]).start();
    const link = server.link("websocket");
    link.welcome();
    const measured = connection.roundTripMs(8);
    await pass(0);
    expect(link.of(MessageType.PING)).toEqual([{ type: MessageType.PING, n: 1 }]);
    await pass(20);
    link.say({ type: MessageType.PONG, n: 1 });
    await pass(0);
    expect(link.of(MessageType.PING)).toHaveLength(2);
    await pass(3);
    link.say({ type: MessageType.PONG, n: 2 });
    expect(await measured).toBe(3);
    expect(link.of(MessageType.PING)).toHaveLength(2);
    expect(messages).toHaveLength(0);
  });
});

describe("stopping", () => {
  it("closes every link and every timer", async () => {
    const { server, connection } = await new Scene().start();
    server.link("websocket").break();
    await pass(0);
    connection.stop();
    expect(server.link("comm").isClosed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    await pass(60_000);
    expect(server.links).toHaveLength(2);
  });

  it("is forgotten by starting again", async () => {
    const { server, connection } = await new Scene().start();
    server.link("websocket").welcome();
    connection.stop();
    connection.start();
    await pass(0);
    server.link("websocket").welcome();
    expect(connection.link).toBe("websocket");
    expect(server.count("websocket")).toBe(2);
  });
});
