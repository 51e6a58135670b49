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
  /* Where there is no room for it, it stays in "More". */
  @container (max-width: 859.9px) {
    .avatars {
      display: none;
    }
    .count {
      display: inline;
    }
  }
  @container (max-width: 790px) {
    .people {
      display: none;
    }
  }
  @media (pointer: coarse) {
    /* The button is larger there, its icon is not. */
    .count {
      bottom: calc(50% - 16px);
    }
    @container (max-width: 1000px) {
      .people {
        display: none;
      }
    }
    /* A phone has its tools below: whoever is in a shared view finds the others here. */
    @container (max-width: 560px) {
      .people.here {
        display: inline-flex;
      }
    }
  }
  .dot {
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--warn);
    flex: none;
  }
`;

/** Two letters of a name: the first ones of its first and its last word. */
export function initials(name: string): string {
  const words = name.split(" ").filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return letters
    .map((word) => [...(word ?? "")][0] ?? "")
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
  return html`<button
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
