/** Starts the worker for frames, whose source is part of the page's own file. */

/** Null where it cannot be: a page's rules may forbid workers. It ends when `signal` aborts. */
export function startWorker(source: string, signal: AbortSignal): Worker | null {
  if (typeof Worker === "undefined") return null;
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    const worker = new Worker(address, { name: "blustream frames" });
    signal.addEventListener("abort", () => worker.terminate(), { once: true });
    return worker;
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(address);
  }
}
