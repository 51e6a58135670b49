// @vitest-environment happy-dom
import type { AnyModel } from "@anywidget/types";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { frontEnd } from "../src/loader";
import type { ViewerTraits } from "../src/model";

type Callback = (content: unknown, buffers: DataView[]) => void;

const DIGEST = "@digest@"; // the kernel replaces it
const module = { default: () => ({}) };

class Port {
  sent: unknown[] = [];
  callbacks = new Set<Callback>();
  on(_event: string, callback: Callback): void {
    this.callbacks.add(callback);
  }
  off(_event: string, callback: Callback): void {
    this.callbacks.delete(callback);
  }
  send(content: unknown): void {
    this.sent.push(content);
  }
  answer(content: unknown, ...buffers: DataView[]): void {
    for (const callback of [...this.callbacks]) callback(content, buffers);
  }
  get model(): AnyModel<ViewerTraits> {
    return this as unknown as AnyModel<ViewerTraits>;
  }
}

const code = new DataView(new TextEncoder().encode("export default () => ({})").buffer);
const untilAsked = (port: Port): Promise<void> =>
  vi.waitFor(() => expect(port.sent).toHaveLength(1));

describe("loader", () => {
  beforeEach(() => {
    document.head.innerHTML = `<script id="jupyter-config-data" type="application/json">
      {"baseUrl": "/user/alice/"}</script>`;
  });

  it("takes the front end from Jupyter, once for all viewers of a page", async () => {
    const page = {};
    const load = vi.fn(async () => module);
    const port = new Port();
    expect(await frontEnd(port.model, page, load)).toBe(module);
    expect(await frontEnd(new Port().model, page, load)).toBe(module);
    expect(load).toHaveBeenCalledOnce();
    expect(load).toHaveBeenCalledWith(
      expect.stringMatching(`/user/alice/blustream-direct/widget-${DIGEST}\\.js$`),
    );
    expect(port.sent).toEqual([]);
  });

  it("asks the kernel where Jupyter does not have it, and takes no other version", async () => {
    const load = vi.fn(async (url: string) => {
      if (!url.startsWith("blob:")) throw new TypeError("404");
      return module;
    });
    const port = new Port();
    const loading = frontEnd(port.model, {}, load);
    await untilAsked(port);
    expect(port.sent).toEqual([{ kind: "front-end" }]);
    port.answer({ kind: "front-end", digest: "another" }, code);
    port.answer({ kind: "relay", channel: "x" });
    expect(load).toHaveBeenCalledOnce();
    port.answer({ kind: "front-end", digest: DIGEST }, code);
    expect(await loading).toBe(module);
    expect(port.callbacks.size).toBe(0);
  });

  it("says what to do when neither has it, and tries again for the next viewer", async () => {
    vi.useFakeTimers();
    try {
      const page = {};
      const load = vi.fn(async () => Promise.reject(new TypeError("404")));
      const failed = expect(frontEnd(new Port().model, page, load)).rejects.toThrow(/run the cell/);
      await vi.advanceTimersByTimeAsync(60_000);
      await failed;
      load.mockResolvedValueOnce(module as never);
      expect(await frontEnd(new Port().model, page, load)).toBe(module);
    } finally {
      vi.useRealTimers();
    }
  });
});
