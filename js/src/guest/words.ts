/** What a guest is told who is not, or no longer, in the view. */

export interface Words {
  readonly title: string;
  readonly text: string;
  /** Trying again would not help. */
  readonly isFinal: boolean;
  readonly isBusy?: boolean;
}

const ASK = "Ask whoever shared it for a new one.";

const WORDS: Readonly<Record<string, Words>> = {
  joining: { title: "Waiting to be let in", text: "", isFinal: true, isBusy: true },
  "no-code": {
    title: "This address is not complete",
    text: `The part behind “#” is missing: copy the whole link. ${ASK}`,
    isFinal: true,
  },
  link: {
    title: "This link leads nowhere",
    text: `It was closed or mistyped. ${ASK}`,
    isFinal: true,
  },
  "link-expired": { title: "This link has expired", text: ASK, isFinal: true },
  "link-full": {
    title: "No more people are let in",
    text: `The link has let in as many as it may. ${ASK}`,
    isFinal: true,
  },
  "session-full": {
    title: "The view is full",
    text: "Try again when somebody has left.",
    isFinal: false,
  },
  removed: { title: "Your visit has ended", text: "The owner has shown you out.", isFinal: true },
  "sharing-ended": {
    title: "The view is not shared any more",
    text: "The owner has stopped sharing it.",
    isFinal: true,
  },
  ended: { title: "The view has ended", text: "The owner has closed it.", isFinal: true },
  "session-not-found": {
    title: "The view has ended",
    text: "The owner has closed it.",
    isFinal: true,
  },
  token: {
    title: "Your visit is over",
    text: `The server does not know you any more. ${ASK}`,
    isFinal: true,
  },
  protocol: { title: "This page is out of date", text: "Reload it.", isFinal: true },
  "session-awaited": {
    title: "Waiting for the owner",
    text: "The owner's server is starting anew.",
    isFinal: false,
  },
  "signed-out": {
    title: "Log in to see the view",
    text: "JupyterHub does not say who you are, or that you may come here.",
    isFinal: false,
  },
  "not-shared": {
    title: "Nothing is shared here at the moment",
    text: "The owner's server does not run, or no link is open.",
    isFinal: false,
  },
  "hub-full": {
    title: "There is no more room",
    text: "Too many guests are connected. Try again when some have left.",
    isFinal: false,
  },
  "hub-unreachable": {
    title: "Waiting for the owner",
    text: "The owner's server does not answer at the moment.",
    isFinal: false,
  },
  unreachable: {
    title: "Waiting for the owner",
    text: "The owner's server does not answer at the moment.",
    isFinal: false,
  },
};

export function wordsFor(code: string): Words {
  return WORDS[code] ?? { title: "You cannot be let in", text: ASK, isFinal: true };
}

/** Errors of a connection after which no other one would do better. */
export function isFinal(code: string): boolean {
  return code !== "protocol" && (WORDS[code]?.isFinal ?? false);
}
