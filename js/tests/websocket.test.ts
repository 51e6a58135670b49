// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Link } from "../src/link";
import {
  guestPage,
  jupyterBaseUrl,
  socketUrl,
  socketUrls,
  webSocketOpener,
} from "../src/websocket";

afterEach(() => {
  document.body.innerHTML = "";
  delete document.body.dataset.baseUrl;
});

function configure(text: string): void {
  document.body.innerHTML = `<script id="jupyter-config-data" type="application/json">${text}</script>`;
}

describe("the server's address", () => {
  it("is below Jupyter's base address, as the page's configuration says", () => {
    configure('{"baseUrl": "/user/alice/"}');
    const page = { getElementById: document.getElementById.bind(document), body: document.body };
    const secure = { ...page, baseURI: "https://hub.example/user/alice/lab" } as Document;
    expect(socketUrl(secure, "blustream/ws")).toBe("wss://hub.example/user/alice/blustream/ws");
    const plain = { ...page, baseURI: "http://localhost:8888/lab" } as Document;
    expect(socketUrl(plain, "blustream/ws")).toBe("ws://localhost:8888/user/alice/blustream/ws");
  });

  it("is told by the body where there is no configuration, or none that can be read", () => {
    document.body.dataset.baseUrl = "/base";
    expect(jupyterBaseUrl(document)).toBe("/base/");
    configure("{");
    expect(jupyterBaseUrl(document)).toBe("/base/");
  });

  it("is the page's own root otherwise", () => {
    expect(jupyterBaseUrl(document)).toBe("/");
  });
});

describe("the page for guests", () => {
  const page = { getElementById: () => null, body: document.body } as unknown as Document;
  const at = (baseURI: string): Document => ({ ...page, baseURI }) as Document;
  const lab = at("https://hub.example/user/alice/lab");

  it("is beside the server's WebSocket where JupyterHub has no service for it", () => {
    expect(guestPage(lab, "blustream/ws")).toBe("https://hub.example/blustream/guest");
    expect(guestPage(lab, "blustream/ws", null)).toBe("https://hub.example/blustream/guest");
    expect(guestPage(at("vscode-webview://x/"), "blustream/ws")).toBe("");
  });

  it("is at the service where there is one, and nowhere while it is not known", () => {
    const path = "/services/blustream/0a/guest";
    expect(guestPage(lab, "blustream/ws", path)).toBe(`https://hub.example${path}`);
    expect(guestPage(lab, "blustream/ws", `https://share.example${path}`)).toBe(
      `https://share.example${path}`,
    );
    expect(guestPage(lab, "blustream/ws", "")).toBe("");
  });
});

describe("the addresses to try", () => {
  it("begin with the one that Jupyter hands over at, where it does", () => {
    configure('{"baseUrl": "/user/alice/", "blustreamPath": "blustream-direct/ws"}');
    const paths = socketUrls(document, "blustream/ws").map((url) => new URL(url).pathname);
    expect(paths).toEqual(["/user/alice/blustream-direct/ws", "/user/alice/blustream/ws"]);
  });

  it.each(["{}", '{"blustreamPath": ""}', '{"blustreamPath": 3}', "null", "["])(
    "are the proxy's alone with the configuration %s",
    (text) => {
      configure(text);
      expect(socketUrls(document, "blustream/ws")).toEqual([socketUrl(document, "blustream/ws")]);
    },
  );
});

class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  binaryType = "";
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }

  refuse(): void {
    this.onclose?.({ code: 1006, reason: "" });
  }

  close(): void {}
}

describe("a link with two addresses", () => {
  const said: string[] = [];
  const open = (): Link =>
    opener({
      opened: () => said.push("opened"),
      text: () => {},
      binary: () => {},
      closed: (reason) => said.push(reason),
    });
  let opener: ReturnType<typeof webSocketOpener>;
  const urls = (): string[] => FakeSocket.all.map((socket) => socket.url);
  const last = (): FakeSocket => FakeSocket.all.at(-1) as FakeSocket;

  beforeEach(() => {
    FakeSocket.all = [];
    said.length = 0;
    vi.stubGlobal("WebSocket", FakeSocket);
    opener = webSocketOpener(() => ["direct", "proxy"]);
  });

  afterEach(() => vi.unstubAllGlobals());

  it("stays with the first while that works, also after a break", () => {
    open();
    last().open();
    last().refuse();
    open();
    expect(urls()).toEqual(["direct", "direct"]);
    expect(said).toEqual(["opened", "closed with code 1006"]);
  });

  it("takes the second at once where the first is refused, and says nothing of it", () => {
    open();
    last().refuse();
    expect(urls()).toEqual(["direct", "proxy"]);
    expect(said).toEqual([]);
    last().open();
    expect(said).toEqual(["opened"]);
  });

  it("fails when both are refused, and begins with the first again", () => {
    open();
    last().refuse();
    last().refuse();
    expect(said).toEqual(["closed with code 1006"]);
    open();
    expect(urls()).toEqual(["direct", "proxy", "direct"]);
  });

  it("begins with the second after the first did not answer", () => {
    open().close();
    open();
    expect(urls()).toEqual(["direct", "proxy"]);
  });
});
