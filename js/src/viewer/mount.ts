/** Entry of the viewer: makes one view of a session in an element of the page. */
import type { Session } from "../session";
import { ViewContext } from "./context";
import { ViewerElement } from "./viewer";

/** The part of anywidget's model that a view looks at. */
export interface ModelLike {
  get(name: "height"): unknown;
  on(event: "change:height", listener: () => void): void;
  off(event: "change:height", listener: () => void): void;
}

/**
 * Show `session` in `el` until `signal` aborts.
 *
 * @param model its trait `height` is the viewer's height in CSS pixels
 */
export function mountViewer(
  el: HTMLElement,
  session: Session,
  model: ModelLike,
  signal: AbortSignal,
): void {
  if (signal.aborted) return;
  const viewer = new ViewerElement(new ViewContext(session, signal));
  viewer.setAttribute("role", "region");
  const kind = session.playback ? "Recording of" : "Volume";
  const name = (): void => {
    viewer.setAttribute(
      "aria-label",
      session.info ? `${kind} ${session.info.name}` : `${kind} viewer`,
    );
  };
  session.onInfo(name, signal);
  name();
  const resize = (): void => {
    const height = Number(model.get("height"));
    if (height > 0) viewer.style.setProperty("--blustream-height", `${height}px`);
    viewer.style.removeProperty("height"); // what the user dragged it to by hand
  };
  model.on("change:height", resize);
  signal.addEventListener("abort", () => model.off("change:height", resize), { once: true });
  resize();
  el.append(viewer);
  signal.addEventListener("abort", () => viewer.remove(), { once: true });
}
