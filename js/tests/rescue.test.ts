import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../src/connection";
import { MessageType, type Welcome } from "../src/protocol";
import { FakeServer, welcome } from "./fakes";

describe("a silent connection", () => {
  let server: FakeServer;
  let welcomes: Welcome[];
  let connection: Connection;

  beforeEach(async () => {
    vi.useFakeTimers();
    server = new FakeServer();
    welcomes = [];
    connection = new Connection(
      {
        openers: { websocket: server.opener("websocket") },
        hello: () =>
          Promise.resolve({ type: MessageType.HELLO, token: "t", protocol: 1, pictures: ["h264"] }),
      },
      {
        welcome: (message) => welcomes.push(message),
        message: () => {},
        frame: () => {},
        lost: () => {},
        changed: () => {},
      },
    );
    connection.start();
    await vi.advanceTimersByTimeAsync(0);
    server.links[0]?.welcome();
  });

  afterEach(() => {
    connection.stop();
    vi.useRealTimers();
  });

  const ask = (): void => {
    connection.send({ type: MessageType.CHANGE_SLICE, seq: 1, slice_idx: 3 });
  };

  it("is asked again, and then another one is dialled beside it", async () => {
    ask();
    await vi.advanceTimersByTimeAsync(500);
    expect(server.links[0]?.of(MessageType.PING)).toHaveLength(1);
    expect(server.links).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(600);
    expect(server.links).toHaveLength(2);
    expect(server.links[0]?.isClosed).toBe(false);
  });

  it("is replaced by the first that is welcomed", async () => {
    ask();
    await vi.advanceTimersByTimeAsync(3000);
    const newest = server.links.at(-1);
    newest?.open();
    newest?.say(welcome({ peer: 2 }));
    expect(welcomes.map(({ peer }) => peer)).toEqual([1, 2]);
    expect(server.links.slice(0, -1).every((link) => link.isClosed)).toBe(true);
    ask();
    expect(newest?.of(MessageType.CHANGE_SLICE)).toHaveLength(1);
  });

  it("is dialled again and again while there is no network", async () => {
    ask();
    await vi.advanceTimersByTimeAsync(4100);
    expect(server.links.length).toBeGreaterThanOrEqual(6);
    expect(server.links.slice(1, -1).every((link) => link.isClosed)).toBe(true);
  });

  it("stays when it speaks first", async () => {
    ask();
    await vi.advanceTimersByTimeAsync(1100);
    server.links[0]?.say({ type: MessageType.PONG, n: 1 });
    expect(server.links[1]?.isClosed).toBe(true);
    await vi.advanceTimersByTimeAsync(3000);
    expect(server.links).toHaveLength(2);
    expect(server.links[0]?.isClosed).toBe(false);
  });

  it("is left alone when nothing was asked of it", async () => {
    connection.send({ type: MessageType.ACK, frame_no: 1 });
    await vi.advanceTimersByTimeAsync(4000);
    expect(server.links).toHaveLength(1);
  });

  it("answers a server's ping", () => {
    server.links[0]?.say({ type: MessageType.PING, n: 7 });
    expect(server.links[0]?.of(MessageType.PONG)).toEqual([{ type: MessageType.PONG, n: 7 }]);
  });
});
