// @vitest-environment happy-dom
import { afterEach, describe, expect, it } from "vitest";
import { jupyterBaseUrl, socketUrl } from "../src/websocket";

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
