/** The toolbar's way to the people: their initials, and whether somebody wants something. */
import { css, html, nothing, type TemplateResult } from "lit";
import { styleMap } from "lit/directives/style-map.js";
import type { SharedPerson } from "../protocol";
import type { ViewContext } from "./context";
import { icon } from "./icons";

const MAX_AVATARS = 3;

export const avatarStyles = css`
  .avatar {
    width: 24px;
    height: 24px;
    border-radius: 50%;
    display: inline-grid;
    place-content: center;
    overflow: hidden;
    flex: none;
    color: #fff;
    font-size: 10px;
    line-height: 12px;
    font-weight: 600;
    forced-color-adjust: none;
  }
  .avatar.speaking {
    outline: 2px solid var(--ok);
    outline-offset: 1px;
  }
  /* No text of the page: a button's name is what it does. */
  .avatar::before {
    content: attr(data-initials);
  }
`;

export const shareButtonStyles = css`
  ${avatarStyles}
  .avatars {
    display: inline-flex;
  }
  .avatars .avatar + .avatar {
    margin-left: -6px;
  }
  .avatars .avatar {
    box-shadow: 0 0 0 2px var(--bg);
  }
  .people {
    position: relative;
  }
  /* Over the icon's corner: it takes no room of the others. */
  .count {
    display: none;
    position: absolute;
    right: 1px;
    bottom: 1px;
    min-width: 12px;
    padding: 0 2px;
    border-radius: 7px;
    background: var(--bg);
    font-size: 11px;
    font-weight: 600;
    line-height: 13px;
    text-align: center;
  }
  .count.unread {
    display: inline;
    top: 0;
    bottom: auto;
    background: var(--solid);
    color: #fff;
    forced-color-adjust: none;
  }
  /* Where there is no room to share, "More" has it; people who are here are always in sight. */
  @container (max-width: 859.9px) {
    .avatars {
      display: none;
    }
    .count {
      display: inline;
    }
  }
  @container (max-width: 790px) {
    .people:not(.here) {
      display: none;
    }
    :host([shared]) .pinched,
    :host([shared]) .fence {
      display: none;
    }
  }
  @container (max-width: 720px) {
    :host([shared]) .split,
    :host([shared]) .side {
      display: none;
    }
  }
  @container (max-width: 420px) {
    :host([shared]) .wide.desk {
      display: none;
    }
  }
  @media (pointer: coarse) {
    /* The button is larger there, its icon is not. */
    .count {
      right: calc(50% - 16px);
      bottom: calc(50% - 16px);
    }
    .count.unread {
      top: calc(50% - 17px);
    }
    @container (max-width: 1000px) {
      .people:not(.here) {
        display: none;
      }
      :host([shared]) .pinched,
      :host([shared]) .fence {
        display: none;
      }
    }
    @container (max-width: 840px) {
      :host([shared]) .split {
        display: none;
      }
    }
    @container (max-width: 680px) {
      :host([shared]) .wide.desk {
        display: none;
      }
    }
  }
  .dot {
    position: absolute;
    top: 3px;
    right: 1px;
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--warn);
    box-shadow: 0 0 0 2px var(--bg);
  }
  @media (pointer: coarse) {
    .dot {
      top: calc(50% - 15px);
      right: calc(50% - 14px);
    }
  }
`;

let segmenter: Intl.Segmenter | undefined;

/** What is read as one letter: of emoji all that makes one picture. */
function firstLetter(word: string): string {
  segmenter ??= "Segmenter" in Intl ? new Intl.Segmenter() : undefined;
  if (!segmenter) return [...word][0] ?? "";
  const [first] = segmenter.segment(word);
  return first?.segment ?? "";
}

/** Two letters of a name: the first ones of its first and its last word. */
export function initials(name: string): string {
  const words = name.split(" ").filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters
    .map((word) => firstLetter(word ?? ""))
    .join("")
    .toUpperCase();
}

export function avatar(person: SharedPerson, isSpeaking = false): TemplateResult {
  const background = person.color;
  return html`<span class="avatar ${isSpeaking ? "speaking" : ""}" aria-hidden="true" data-initials=${initials(person.name)} style=${styleMap({ background })}></span>`;
}

/** Of who may share, and of everybody in a view that is shared. */
export function shareButton(context: ViewContext): TemplateResult | typeof nothing {
  const { people, role } = context.session;
  if (!people.isShared && role !== "owner") return nothing;
  const asks = role === "owner" && people.all.some((person) => person.asks);
  const label = people.isShared ? `People: ${people.count} here` : "Share this view";
  return html`${people.isShared ? chatButton(context) : nothing}<button
    class="tool people ${people.isShared ? "here" : ""}"
    data-opens="share"
    part="share"
    aria-label=${asks ? `${label}, somebody asks to drive` : label}
    title=${label}
    aria-haspopup="dialog"
    aria-expanded=${context.ui.open === "share" ? "true" : "false"}
    @click=${() => context.toggle("share")}
  >
    ${people.isShared ? html`<span class="avatars">${people.all.slice(0, MAX_AVATARS).map((person) => avatar(person))}</span>` : nothing}
    ${icon(role === "owner" ? "share" : "people")}${people.isShared ? html`<span class="count" aria-hidden="true">${people.count}</span>` : nothing}${asks ? html`<span class="dot"></span>` : nothing}
  </button>`;
}

/** The chat, and how many of its lines came unseen. */
function chatButton(context: ViewContext): TemplateResult {
  const { unread } = context.session.people;
  const label = unread > 0 ? `Chat, ${unread} new` : "Chat";
  return html`<button
    class="tool people here"
    data-opens="chat"
    part="chat"
    aria-label=${label}
    title=${label}
    aria-haspopup="dialog"
    aria-expanded=${context.ui.open === "chat" ? "true" : "false"}
    @click=${() => context.toggle("chat")}
  >
    ${icon("chat")}${unread > 0 ? html`<span class="count unread" aria-hidden="true">${unread > 9 ? "9+" : unread}</span>` : nothing}
  </button>`;
}
