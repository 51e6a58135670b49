import { describe, expect, it, vi } from "vitest";
import {
  mirrorState,
  tokenSource,
  type ViewerModel,
  type ViewerTraits,
  watchKernel,
} from "../src/model";
import type { ViewPatch, ViewState } from "../src/protocol";
import { relayOpener } from "../src/relay";
import type { Session, SessionError } from "../src/session";
import { INFO, STATE } from "./fakes";

/** A widget model as ipywidgets has it, as far as we use it. */
class FakeModel {
  readonly sent: unknown[] = [];
  readonly saved = vi.fn();
  _state_lock: Record<string, unknown> | null = null;
  readonly #values = new Map<string, unknown>();
  readonly #listeners = new Map<string, Set<(...event: unknown[]) => void>>();
  constructor(values: Partial<ViewerTraits> = {}) {
    for (const [name, value] of Object.entries(values)) this.#values.set(name, value);
  }
  get(name: string): unknown {
    return this.#values.get(name);
  }
  set(name: string, value: unknown): void {
    if (Object.is(this.#values.get(name), value)) return;
    this.#values.set(name, value);
    this.emit(`change:${name}`, this, value);
  }
  setByKernel(name: string, value: unknown): void {
    this._state_lock = { [name]: value };
    this.set(name, value);
    this._state_lock = null;
  }
  emit(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(...args);
  }
  on(event: string, listener: (...args: unknown[]) => void): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }
  off(event: string, listener: (...args: unknown[]) => void): void {
    this.#listeners.get(event)?.delete(listener);
  }
  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((sum, listeners) => sum + listeners.size, 0);
  }
  save_changes(): void {
    this.saved();
  }
  send(content: unknown): void {
    this.sent.push(content);
  }
  get asModel(): ViewerModel {
    return this as unknown as ViewerModel;
  }
}

function mirrored(model: FakeModel) {
  const patches: ViewPatch[] = [];
  const life = new AbortController();
  let tell = (_state: ViewState): void => {};
  const ownView = { isOn: false };
  const session = {
    state: STATE,
    info: INFO,
    ownView,
    patch: (patch: ViewPatch) => {
      patches.push(patch);
    },
    onState: (listener: (state: ViewState) => void) => {
      tell = listener;
    },
    onInfo: () => {},
  };
  mirrorState(model.asModel, session as unknown as Session, life.signal);
  const state = (change: Partial<ViewState>): void => {
    session.state = { ...STATE, ...change };
    tell(session.state);
  };
  return { patches, state, life, ownView };
}

describe("the traits", () => {
  it("follow the session without telling the kernel", () => {
    const model = new FakeModel();
    const { patches, state } = mirrored(model);
    state({ axis: 1, slice_idx: [45, 7, 32], window: 9 });
    expect(model.get("axis")).toBe("crossline");
    expect(model.get("slice_idx")).toBe(7);
    expect(model.get("slice_no")).toBe(114);
    expect(model.get("window")).toBe(9);
    expect(patches).toEqual([]);
    expect(model.saved).not.toHaveBeenCalled();
  });

  it("are those of the view that all see, whatever this page looks at on its own", () => {
    const model = new FakeModel();
    const { patches, state, ownView } = mirrored(model);
    state({ window: 9 });
    ownView.isOn = true;
    state({ window: 5 });
    model.set("axis", "sample");
    expect(model.get("window")).toBe(9);
    expect(patches).toEqual([]);
  });

  it("become patches when somebody else on the page sets them", () => {
    const model = new FakeModel();
    const { patches } = mirrored(model);
    model.set("slice_idx", 3);
    model.set("slice_no", 120);
    model.set("axis", "sample");
    model.set("window", 2);
    expect(patches).toEqual([
      { slice_idx: [3, 54, 32] },
      { slice_idx: [10, 54, 32] },
      { axis: 2 },
      { window: 2 },
    ]);
  });

  it("hold the crosshair, whose place is where the three slices meet", () => {
    const model = new FakeModel();
    const { patches, state } = mirrored(model);
    state({ crosshair: true, slice_idx: [1, 2, 3] });
    expect(model.get("crosshair")).toBe(true);
    expect(model.get("crosshair_idx")).toEqual([1, 2, 3]);
    model.set("crosshair_idx", [5, 1e6, -1]);
    model.set("crosshair", false);
    expect(patches).toEqual([{ slice_idx: [5, 108, 0] }, { crosshair: false }]);
  });

  it("do not when the kernel sets them, which tells the server itself", () => {
    const model = new FakeModel();
    const { patches } = mirrored(model);
    model.setByKernel("window", 2);
    expect(patches).toEqual([]);
  });

  it("stay within the volume, and ask nothing of an axis that there is not", () => {
    const model = new FakeModel();
    const { patches } = mirrored(model);
    model.set("slice_idx", 1e6);
    model.set("axis", "depth");
    expect(patches).toEqual([{ slice_idx: [90, 54, 32] }]);
  });

  it("are let go of at the end", () => {
    const model = new FakeModel();
    mirrored(model).life.abort();
    expect(model.listenerCount).toBe(0);
  });
});

describe("the token", () => {
  const never = new AbortController().signal;
  const tell = (model: FakeModel, token: string): void =>
    model.emit("msg:custom", { kind: "token", token });

  it("is the one that the kernel has sent unasked", async () => {
    const model = new FakeModel();
    const token = tokenSource(model.asModel, never);
    tell(model, "known");
    await expect(token(false)).resolves.toBe("known");
    expect(model.sent).toEqual([]);
  });

  it("is asked of the kernel when a fresh one is wanted", async () => {
    const model = new FakeModel();
    const token = tokenSource(model.asModel, never);
    tell(model, "old");
    const fresh = token(true);
    expect(model.sent).toEqual([{ kind: "token" }]);
    tell(model, "new");
    await expect(fresh).resolves.toBe("new");
    await expect(token(false)).resolves.toBe("new");
  });

  it("is the old one where the kernel is busy", async () => {
    vi.useFakeTimers();
    const model = new FakeModel();
    const token = tokenSource(model.asModel, never);
    tell(model, "old");
    const fresh = token(true);
    await vi.advanceTimersByTimeAsync(1000);
    await expect(fresh).resolves.toBe("old");
    vi.useRealTimers();
  });

  it("is awaited while the kernel still starts its server", async () => {
    vi.useFakeTimers();
    const model = new FakeModel();
    const token = tokenSource(model.asModel, never)(false);
    await vi.advanceTimersByTimeAsync(5000);
    tell(model, "first");
    await expect(token).resolves.toBe("first");
    vi.useRealTimers();
  });

  it("is no longer listened for at the end", () => {
    const model = new FakeModel();
    const life = new AbortController();
    tokenSource(model.asModel, life.signal);
    life.abort();
    expect(model.listenerCount).toBe(0);
  });
});

describe("the kernel", () => {
  it("tells errors and the end, also those from before", () => {
    const error = { code: "volume-not-found", message: "There is no a.vds.", hint: "" };
    const model = new FakeModel({ _error: error, _closed: false });
    const heard: (SessionError | null | "end")[] = [];
    const session = {
      end: () => heard.push("end"),
      setKernelError: (told: SessionError | null) => heard.push(told),
    };
    watchKernel(model.asModel, session, new AbortController().signal);
    model.setByKernel("_error", {});
    model.setByKernel("_closed", true);
    expect(heard).toEqual([error, null, "end"]);
  });
});

describe("the relay", () => {
  function relay() {
    const model = new FakeModel();
    const heard: unknown[] = [];
    const link = relayOpener(model.asModel)({
      opened: () => heard.push("opened"),
      text: (text) => heard.push(text),
      binary: (data) => heard.push(data),
      closed: (reason) => heard.push(reason),
    });
    const { channel } = model.sent[0] as { channel: string };
    return { model, heard, link, channel };
  }

  it("opens a channel of its own, and carries text both ways and pictures here", async () => {
    const { model, heard, link, channel } = relay();
    await Promise.resolve();
    link.send("out");
    const picture = new DataView(new ArrayBuffer(4));
    model.emit("msg:custom", { kind: "relay", channel, text: "in" }, []);
    model.emit("msg:custom", { kind: "relay-frame", channel }, [picture]);
    expect(model.sent).toEqual([
      { kind: "relay-open", channel },
      { kind: "relay", channel, text: "out" },
    ]);
    expect(heard).toEqual(["opened", "in", picture]);
  });

  it("does not hear what is for another page", () => {
    const { model, heard } = relay();
    model.emit("msg:custom", { kind: "relay", channel: "other", text: "in" }, []);
    model.emit("msg:custom", "nonsense", []);
    expect(heard).toEqual([]);
  });

  it("tells when the kernel lets go, and lets go itself", () => {
    const gone = relay();
    gone.model.emit("msg:custom", { kind: "relay-close", channel: gone.channel }, []);
    expect(gone.heard).toHaveLength(1);
    expect(gone.model.listenerCount).toBe(0);
    const left = relay();
    left.link.close();
    expect(left.model.sent.at(-1)).toEqual({ kind: "relay-close", channel: left.channel });
    expect(left.model.listenerCount).toBe(0);
  });
});
