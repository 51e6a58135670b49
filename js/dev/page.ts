/**
 * The viewer on a page of its own, without a server.
 *
 * Query: `volume=seismic|medical|generic`, `theme=light|dark`, `delivery=frame|hand`, `views=2`,
 * `state=opening|sharpening|lost|failed|ended|empty`, `height=560`, `latency=31` (ms).
 */
import type { SessionStatus } from "../src/session";
import { mountViewer } from "../src/viewer/mount";
import { coloursOf, type Look, lookOf, placesOf, recolour } from "../src/viewer/recolour";
import { softwareRecolourer } from "../src/viewer/recolour-software";
import { webglRecolourer } from "../src/viewer/recolour-webgl";
import type { ViewerElement } from "../src/viewer/viewer";
import { type Delivery, FakeSession } from "./fake-session";
import { makeVolume } from "./volumes";

const DARK = {
  "--jp-layout-color0": "#111",
  "--jp-layout-color1": "#212121",
  "--jp-layout-color2": "#2d2d2d",
  "--jp-ui-font-color1": "rgba(255, 255, 255, 0.87)",
  "--jp-border-color1": "#616161",
  "--jp-border-color2": "#424242",
  "--jp-brand-color0": "#1976d2",
  "--jp-brand-color1": "#2196f3",
  "--jp-brand-color2": "#64b5f6",
};

const STATES: Readonly<Record<string, Partial<SessionStatus>>> = {
  sharpening: { progress: 0.64, exact: false },
  lost: { phase: "reconnecting", retryInMs: 3000 },
  busy: { phase: "reconnecting", isNotebookBusy: true },
  ended: { phase: "ended" },
  failed: {
    phase: "failed",
    error: {
      code: "volume-access",
      message: "The bucket refused the key of s3://surveys/north-sea.vds (403).",
      hint: "Check AWS_PROFILE in the kernel.",
    },
  },
};

const query = new URLSearchParams(location.search);
const dark = query.get("theme") === "dark";
document.body.dataset.jpThemeLight = dark ? "false" : "true";
for (const [name, value] of Object.entries(dark ? DARK : {})) {
  document.documentElement.style.setProperty(name, value);
}

const session = new FakeSession(
  makeVolume(query.get("volume") ?? ""),
  (query.get("delivery") ?? "frame") as Delivery,
);
session.setStatus({ latencyMs: Number(query.get("latency") ?? 31) });
const end = new AbortController();
const keysThatLeaked: string[] = [];
document.addEventListener("keydown", (event) => keysThatLeaked.push(event.key));

const cell = document.getElementById("cell") as HTMLElement;
const model = { get: () => Number(query.get("height") ?? 560), on: () => {}, off: () => {} };
for (let view = 0; view < Number(query.get("views") ?? "1"); view++) {
  const el = document.createElement("div");
  cell.append(el);
  mountViewer(el, session, model, end.signal);
}

const state = query.get("state") ?? "live";
if (state === "empty") session.setStatus({ phase: "live" });
else if (state === "opening") session.setStatus({ phase: "opening", worker: "opening" });
else {
  session.open();
  if (state === "failed" || state === "ended") session.info = null;
  session.setStatus(STATES[state] ?? {});
}

/** Pixels of the shown frame in another look, by one of the ways to make them; null: not here. */
function recoloured(way: "software" | "webgl", to: Look): Uint8ClampedArray | null {
  const frame = session.lastFrame();
  const recolourer = way === "webgl" ? webglRecolourer(true) : softwareRecolourer();
  if (!frame || !recolourer) return null;
  const { width_px: width, height_px: height } = frame.header;
  const from = lookOf(frame.header, session);
  recolourer.load(frame.image, width, height, from);
  recolourer.draw(coloursOf(from, to));
  const brush = new OffscreenCanvas(width, height).getContext("2d");
  brush?.drawImage(recolourer.canvas, 0, 0);
  return brush?.getImageData(0, 0, width, height).data ?? null;
}

declare global {
  interface Window {
    dev: {
      session: FakeSession;
      viewer: ViewerElement;
      keysThatLeaked: string[];
      end: AbortController;
      recoloured: typeof recoloured;
      softwareRecolourer: typeof softwareRecolourer;
      webglRecolourer: typeof webglRecolourer;
      lookOf: typeof lookOf;
      coloursOf: typeof coloursOf;
      placesOf: typeof placesOf;
      recolour: typeof recolour;
    };
  }
}
const tools = {
  recoloured,
  softwareRecolourer,
  webglRecolourer,
  lookOf,
  coloursOf,
  placesOf,
  recolour,
};
const viewer = cell.querySelector("div")?.firstElementChild as ViewerElement;
window.dev = { session, viewer, keysThatLeaked, end, ...tools };
