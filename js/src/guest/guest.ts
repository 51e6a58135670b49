/** The page for guests: asks for a name, exchanges the link's code, shows the viewer or why not. */
import {
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
} from "../index";
import type { SessionStatus } from "../session";
import { askName, showCard } from "./cards";
import { Errand, hubPageOf } from "./hub";
import {
  codeOf,
  guestSocketUrls,
  keepName,
  knownName,
  Refusal,
  redeem,
  type Ticket,
  Tickets,
} from "./join";
import { isFinal, wordsFor } from "./words";

/** Browsers that keep nothing for a page throw when they are asked to. */
function storageOf(which: "localStorage" | "sessionStorage"): Storage | null {
  try {
    return window[which];
  } catch {
    return null;
  }
}

useWorkletFile(new URL("voice.js", import.meta.url).href);
const place = document.getElementById("view") as HTMLElement;
const hub = hubPageOf(document);
const urls = guestSocketUrls(location.href, hub !== null);
const errand = new Errand(storageOf("sessionStorage"));
const tickets = new Tickets(storageOf("sessionStorage"));
const names = storageOf("localStorage");

async function enter(): Promise<void> {
  const given = codeOf(location.hash);
  // The code is a secret: it is out of the address bar, the history and the referrer at once.
  history.replaceState(null, "", location.pathname);
  const code = given || (hub?.account ? errand.take() : "");
  const known = tickets.known;
  if (!code && !known) {
    showCard(place, wordsFor("no-code"));
  } else if (hub?.isToEnter) {
    logIn(code);
  } else if (known && !code) {
    show(known);
  } else {
    await join(code, hub ? hub.account : await nameOfGuest());
  }
}

async function nameOfGuest(): Promise<string> {
  const name = await askName(place, knownName(names));
  keepName(names, name);
  return name;
}

/** Have the Hub say who this is; it sends the tab back here. */
function logIn(code: string): void {
  const go = (): void => {
    errand.note();
    location.replace("enter");
  };
  if (errand.begin(code)) go();
  else showCard(place, wordsFor("signed-out"), go);
}

async function join(code: string, name: string): Promise<void> {
  showCard(place, wordsFor("joining"));
  try {
    const ticket = await redeem(urls, code, name);
    tickets.keep(ticket);
    show(ticket);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === "signed-out") {
      logIn(code);
      return;
    }
    const words = wordsFor(error.code);
    showCard(place, words, words.isFinal ? undefined : () => void join(code, name));
  }
}

function show(ticket: Ticket): void {
  const life = new AbortController();
  const { signal } = life;
  const session = new LiveSession({
    openers: { websocket: webSocketOpener(() => urls) },
    reach: new Reach(location.href.replace(/#.*/, "")),
    openPeer: peerObstacle() ? null : openPeer,
    peerObstacle: peerObstacle(),
    token: () => Promise.resolve(ticket.token),
    pictures: supportedPictures,
    later,
    afterPaint,
  });
  watchReturn(() => session.returned(), signal);
  place.replaceChildren();
  place.classList.add("blustream");
  describe(place, session, signal);
  mountViewer(place, session, { get: () => 0, on: () => {}, off: () => {} }, signal);
  new Audience(session, signal).join(place, signal);
  const leave = (): void => {
    life.abort();
    session.end();
  };
  const end = (code: string): void => {
    tickets.keep(null);
    leave();
    showCard(place, wordsFor(code));
  };
  session.onStatus(({ phase, error }: SessionStatus) => {
    if (error?.code === "signed-out") {
      leave();
      logIn("");
    } else if (phase === "ended") end("ended");
    else if (error && isFinal(error.code)) end(error.code);
  }, signal);
  session.onInfo(({ name }) => {
    document.title = name ? `${name} · shared view` : "Shared view";
  }, signal);
}

void enter();
// The same tab opened another link: only the part behind "#" differs, so the page is not loaded anew.
window.addEventListener("hashchange", () => {
  if (codeOf(location.hash)) location.reload();
});
