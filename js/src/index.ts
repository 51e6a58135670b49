/** The widget as anywidget loads it: one session per model, shared by its views. */
import type { AnyWidget, InitializeProps, RenderProps } from "@anywidget/types";
import { Audience } from "./audience";
import { useWorkletFile } from "./call/samples";
import { supportedPictures } from "./decoder";
import { joinExchange } from "./exchange";
import { LiveSession } from "./live-session";
import {
  allowedTransports,
  mirrorState,
  onTrait,
  tokenSource,
  type ViewerTraits,
  watchKernel,
} from "./model";
import { PlayedSession } from "./player/played-session";
import { afterPaint } from "./presenter";
import { Reach, watchReturn } from "./reach";
import { relayOpener } from "./relay";
import type { Session } from "./session";
import { mountViewer } from "./viewer/mount";
import { openPeer, peerObstacle } from "./webrtc";
import { guestPage, jupyterBaseUrl, socketUrls, webSocketOpener } from "./websocket";

// What the page for guests is made of: it is no widget, but shows the same viewer.
export {
  Audience,
  afterPaint,
  describe,
  LiveSession,
  later,
  mountViewer,
  openPeer,
  peerObstacle,
  Reach,
  supportedPictures,
  useWorkletFile,
  watchReturn,
  webSocketOpener,
};

/** One event changes several things one after the other: they go together, with the end of its task. */
function later(flush: () => void, waitMs: number): void {
  if (waitMs > 0) setTimeout(flush, waitMs);
  else queueMicrotask(flush);
}

function openSession(
  model: InitializeProps<ViewerTraits>["model"],
  signal: AbortSignal,
): LiveSession {
  const transports = allowedTransports(model);
  const session = new LiveSession({
    openers: {
      ...(transports.has("websocket") && {
        websocket: webSocketOpener(() => socketUrls(document, model.get("_path"))),
      }),
      ...(transports.has("comm") && { comm: relayOpener(model) }),
    },
    reach: new Reach(`${new URL(jupyterBaseUrl(document), document.baseURI)}api`),
    openPeer: transports.has("webrtc") && !peerObstacle() ? openPeer : null,
    peerObstacle: transports.has("webrtc") ? peerObstacle() : "",
    token: tokenSource(model, signal),
    pictures: supportedPictures,
    later,
    afterPaint,
    guestPage: () => guestPage(document, model.get("_path"), model.get("_hub_page")),
  });
  watchReturn(() => session.returned(), signal);
  onTrait(model, "_hub_page", () => session.tellGuestPage(), signal);
  mirrorState(model, session, signal);
  joinExchange(model, session, signal);
  watchKernel(model, session, signal);
  return session;
}

/** Say on the element what is going on, for style sheets and for who looks from outside. */
function describe(el: HTMLElement, session: Session, signal: AbortSignal): void {
  const tell = (): void => {
    const { phase, transport, via, reason, displayedFps, heldBack } = session.status;
    el.dataset.phase = phase;
    el.dataset.transport = transport;
    el.dataset.via = via;
    el.dataset.reason = reason;
    el.dataset.fps = String(displayedFps);
    el.dataset.heldBack = heldBack;
  };
  session.onStatus(tell, signal);
  session.onFrame(({ header }) => {
    el.dataset.frameNo = String(header.frame_no);
    el.dataset.sliceIdx = String(header.slice_idx);
  }, signal);
  tell();
}

// A function, so that each model has its own session, also where several share the loaded module.
const widget = (): AnyWidget<ViewerTraits> => {
  let session: LiveSession | PlayedSession | undefined;
  let audience: Audience | undefined;
  return {
    initialize({ model }: InitializeProps<ViewerTraits>) {
      const life = new AbortController();
      const isRecording = Boolean(model.get("_recording"));
      session = isRecording
        ? new PlayedSession(model, life.signal)
        : openSession(model, life.signal);
      audience = new Audience(session, life.signal);
      return () => life.abort();
    },
    render({ model, el }: RenderProps<ViewerTraits>) {
      if (!session || !audience) return undefined;
      const life = new AbortController();
      el.classList.add("blustream");
      describe(el, session, life.signal);
      mountViewer(el, session, model, life.signal);
      audience.join(el, life.signal);
      return () => life.abort();
    },
  };
};

export default widget;
