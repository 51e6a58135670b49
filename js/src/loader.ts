/**
 * What a kernel sends for each viewer when its Jupyter server has the front end itself: a few lines that
 * fetch it from there, once a page and from the browser's cache after that. Where the page cannot reach
 * that server (VS Code, a page of another origin), the kernel is asked for it.
 */
import type { AnyModel, AnyWidget } from "@anywidget/types";
import type { ViewerTraits } from "./model";
import { jupyterBaseUrl } from "./websocket";

/** The kernel puts the name of its front end here: the digest of the file. */
const DIGEST = "@digest@";
const KERNEL_TIMEOUT_MS = 60_000;

type Model = AnyModel<ViewerTraits>;
type Widget = Exclude<AnyWidget<ViewerTraits>, () => unknown>;

interface FrontEnd {
  readonly default: () => Widget;
}

interface Page {
  /** Front ends of this page by digest, whichever viewer fetched them. */
  blustreamFrontEnds?: Map<string, Promise<FrontEnd>>;
}

type Load = (url: string) => Promise<unknown>;

/** The front end's module; the page evaluates it once. */
export function frontEnd(
  model: Model,
  page: Page = globalThis as Page,
  load: Load = (url) => import(url),
): Promise<FrontEnd> {
  page.blustreamFrontEnds ??= new Map();
  const all = page.blustreamFrontEnds;
  let loading = all.get(DIGEST);
  if (!loading) {
    loading = load(addressAtJupyter())
      .catch((error: unknown) => fromKernel(model, load, error))
      .then((module) => module as FrontEnd);
    all.set(DIGEST, loading);
    // A viewer that comes later tries again.
    loading.catch(() => all.delete(DIGEST));
  }
  return loading;
}

function addressAtJupyter(): string {
  const path = `${jupyterBaseUrl(document)}blustream-direct/widget-${DIGEST}.js`;
  return new URL(path, document.baseURI).href;
}

function fromKernel(model: Model, load: Load, reason: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      model.off("msg:custom", receive);
    };
    const receive = (content: unknown, buffers: DataView[]): void => {
      const { kind, digest } = (content ?? {}) as { kind?: unknown; digest?: unknown };
      const [code] = buffers;
      if (kind !== "front-end" || digest !== DIGEST || !code) return;
      stop();
      resolve(evaluate(code, load));
    };
    const timer = setTimeout(() => {
      stop();
      reject(
        new Error(
          `The viewer's front end came neither from Jupyter (${String(reason)}) nor from the kernel: ` +
            "run the cell again when the kernel is idle.",
        ),
      );
    }, KERNEL_TIMEOUT_MS);
    model.on("msg:custom", receive);
    model.send({ kind: "front-end" });
  });
}

async function evaluate(code: DataView, load: Load): Promise<unknown> {
  const bytes = new Uint8Array(code.buffer as ArrayBuffer, code.byteOffset, code.byteLength);
  const url = URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));
  try {
    return await load(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

export default (): Widget => {
  let widget: Promise<Widget> | undefined;
  return {
    // Not waited for: anywidget gives a model up that is not ready after two seconds.
    initialize(props) {
      let cleanup: unknown;
      widget = frontEnd(props.model).then(async (module) => {
        const made = module.default();
        cleanup = await made.initialize?.(props);
        return made;
      });
      const settled = widget.catch(() => undefined); // render says what went wrong
      return async () => {
        await settled;
        if (typeof cleanup === "function") await cleanup();
      };
    },
    render: async (props) => (await widget)?.render?.(props),
  };
};
