/** What a pane shows when it is not simply live: opening, sharpening, lost, failed, empty, ended. */
import { html, nothing, type TemplateResult } from "lit";
import type { SessionStatus } from "../session";
import type { ViewContext } from "./context";
import { icon } from "./icons";

export type PaneState =
  | "empty"
  | "opening"
  | "live"
  | "sharpening"
  | "lost"
  | "failed"
  | "stopped"
  | "ended";

/** One word for the pane, from the connection's status and what there is to show. */
export function paneStateOf(
  status: SessionStatus,
  hasInfo: boolean,
  hasPicture: boolean,
): PaneState {
  if (status.phase === "failed") return "failed";
  if (status.phase === "stopped") return "stopped";
  if (status.phase === "ended") return "ended";
  if (status.phase === "reconnecting") return "lost";
  if (status.phase === "live" && !hasInfo) return "empty";
  if (status.phase !== "live" || !hasPicture) return "opening";
  return status.progress < 1 ? "sharpening" : "live";
}

/** States that leave nothing to control. */
export function isDead(state: PaneState): boolean {
  return state === "failed" || state === "stopped" || state === "ended" || state === "empty";
}

export function percentText(share: number): string {
  return `${Math.floor(share * 100)}\u00a0%`;
}

/** Words for the status line, the dot's colour, and what is said besides where there is room. */
type StateWords = readonly [string, string, string?];

function lostWords({ isNotebookBusy }: SessionStatus): StateWords {
  return [isNotebookBusy ? "Notebook is busy" : "No connection", "var(--warn)"];
}

/** @param restarted the renderer died a moment ago and is back */
export function stateWords(
  state: PaneState,
  status: SessionStatus,
  canDrive: boolean,
  restarted = false,
): StateWords {
  if (state === "live" || state === "sharpening") {
    if (status.worker === "restarting") return ["Restarting renderer", "var(--warn)"];
    if (restarted) return ["Renderer restarted", "var(--ok)"];
  }
  switch (state) {
    case "failed":
      return ["Not open", "var(--err)"];
    case "stopped":
      return ["Stopped", "var(--fg2)"];
    case "ended":
      return ["Ended", "var(--fg2)"];
    case "lost":
      return lostWords(status);
    case "empty":
      return ["Ready", "var(--fg2)"];
    case "opening":
      return [status.phase === "connecting" ? "Connecting" : "Loading", "var(--accent)"];
    case "sharpening":
      if (status.trouble) return ["Waiting for storage", "var(--warn)", status.trouble];
      return [`Sharpening ${percentText(status.progress)}`, "var(--accent)"];
    case "live":
      if (!canDrive) return ["View only", "var(--ok)"];
      return status.exact ? ["Exact", "var(--ok)", "pixels"] : ["Live", "var(--ok)"];
  }
}

function copyDetails(context: ViewContext): void {
  const { error, phase, transport, worker } = context.session.status;
  const lines = [
    `${error?.code ?? "error"}: ${error?.message ?? ""}`,
    error?.hint ?? "",
    `phase ${phase}, transport ${transport || "none"}, worker ${worker || "unknown"}`,
    navigator.userAgent,
  ];
  void copyText(context, lines.filter(Boolean).join("\n"));
}

/** Put text on the clipboard, and say whether it worked: pages without HTTPS have none. */
export async function copyText(context: ViewContext, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    context.note("Copied");
  } catch {
    context.note("This page may not use the clipboard.", text);
  }
}

function failed(context: ViewContext): TemplateResult {
  const { session } = context;
  const { error } = session.status;
  const name = session.info?.name;
  return html`<div class="message" role="alert">
    <span style="color:var(--err)">${icon("warning")}</span>
    <h2>${name ? `Cannot show ${name}` : "Cannot show the volume"}</h2>
    <p>${error?.message ?? "The server gave no reason."}</p>
    ${error?.hint ? html`<p>${error.hint}</p>` : nothing}
    <div class="buttons">
      <button class="button main" @click=${() => session.retry()}>${icon("retry")}Try again</button>
      <button class="button" @click=${() => copyDetails(context)}>Copy details</button>
    </div>
  </div>`;
}

function stopped(context: ViewContext): TemplateResult {
  return html`<div class="message" role="status">
    <span class="quiet">${icon("ended")}</span>
    <h2>Opening was cancelled</h2>
    <p>Nothing is loaded while this view waits.</p>
    <div class="buttons">
      <button class="button main" @click=${() => context.session.retry()}>${icon("retry")}Try again</button>
    </div>
  </div>`;
}

function ended(context: ViewContext): TemplateResult {
  const reason = context.session.status.error?.message;
  return html`<div class="message" role="status">
    <span class="quiet">${icon("ended")}</span>
    <h2>This view has ended</h2>
    <p>${reason || "Run the cell again to open it anew."}</p>
  </div>`;
}

function empty(): TemplateResult {
  return html`<div class="message" role="status">
    <span class="quiet">${icon("cube")}</span>
    <h2>No volume yet</h2>
    <p>Open one from Python:</p>
    <kbd>Viewer("survey.vds")</kbd>
  </div>`;
}

function opening(context: ViewContext, secondsLeft: number): TemplateResult {
  const { status, info, playback } = context.session;
  if (playback) {
    const waits = playback.isKernelBusy;
    return html`<div class="progress moving"><i></i></div>
      <div class="label opening" role="status">
        <span class="spinner"></span>
        <span class="cut">${waits ? "Waiting for the notebook's kernel" : "Opening the recording"}</span>
      </div>`;
  }
  const waits = status.phase === "connecting" && secondsLeft > 0 && !status.isNotebookBusy;
  const connecting = status.isNotebookBusy
    ? "Waiting for the notebook, which is busy"
    : "Connecting";
  const words = waits
    ? `No answer yet. Next try in ${secondsLeft} s`
    : status.phase === "connecting"
      ? connecting
      : status.worker === "starting"
        ? "Starting the renderer"
        : `Opening ${info?.name ?? "the volume"}`;
  return html`<div class="progress moving"><i></i></div>
    <div class="label opening" role="status">
      <span class="spinner"></span><span class="cut">${words}</span>
      <button class="button small" @click=${() => context.session.cancel()}>Cancel</button>
    </div>`;
}

function lost(context: ViewContext, secondsLeft: number): TemplateResult {
  const isBusy = context.session.status.isNotebookBusy;
  const next = secondsLeft > 0 ? `Next try in ${secondsLeft} s` : "Trying now";
  const words = isBusy ? "Waiting for it." : next;
  return html`<div class="toast lost">
    <span class="spinner"></span>
    <span role="alert">${isBusy ? "The notebook is busy." : "Connection lost."}</span><span>${words}</span>
    <button class="button small" @click=${() => context.session.retry()}>Try now</button>
  </div>`;
}

function sharpening(context: ViewContext): TemplateResult {
  const { progress } = context.session.status;
  return html`<div class="progress"><i style="width:${progress * 100}%"></i></div>`;
}

function notes(context: ViewContext): TemplateResult | typeof nothing {
  const { notice, hint } = context.ui;
  if (notice) {
    return html`<div class="toast" role="status">
      <span>${notice.message} ${notice.hint ? html`<br />${notice.hint}` : nothing}</span>
    </div>`;
  }
  if (!hint) return nothing;
  return html`<div class="toast hint" aria-hidden="true">
    ${
      hint === "touch"
        ? html`<span>Tap the picture, then one finger scrolls slices.</span>`
        : html`<span>Click the picture to scroll slices.</span><span><kbd>Esc</kbd> gives the page back</span>`
    }
  </div>`;
}

/** Everything of the state that lies over the picture. */
export function stateOverlay(
  context: ViewContext,
  state: PaneState,
  secondsLeft: number,
): TemplateResult {
  const body = {
    failed: () => failed(context),
    stopped: () => stopped(context),
    ended: () => ended(context),
    empty: () => empty(),
    opening: () => opening(context, secondsLeft),
    lost: () => lost(context, secondsLeft),
    sharpening: () => sharpening(context),
    live: () => nothing,
  }[state];
  return html`${body()}${state === "lost" || isDead(state) ? nothing : notes(context)}`;
}
