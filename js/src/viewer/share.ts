/** The dialog about people: a link for others, who is here, what each may do. */
import { css, html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { talkButton } from "../call/section";
import type { GuestRole, OwnLink } from "../people";
import type { SharedPerson } from "../protocol";
import type { ViewContext } from "./context";
import { icon } from "./icons";
import { define, Part } from "./part";
import { qrCode } from "./qr";
import { avatar, avatarStyles } from "./sharebutton";
import { copyText } from "./states";
import { shared } from "./styles";

const ROLES: readonly (readonly [GuestRole, string, string])[] = [
  ["viewer", "Viewer", "can view"],
  ["annotator", "Annotator", "can view and draw"],
  ["editor", "Editor", "can drive"],
];
const TIMES: readonly (readonly [number, string])[] = [
  [1800, "30 minutes"],
  [7200, "2 hours"],
  [86400, "1 day"],
  [604800, "7 days"],
];
const SEATS: readonly (readonly [number, string])[] = [
  [1, "one person"],
  [5, "5 people"],
  [20, "20 people"],
  [100, "100 people"],
  [300, "300 people"],
];
const START = { role: "viewer" as GuestRole, expiresS: 7200, seats: 20 };

export class ShareDialog extends Part {
  static override styles = [
    shared,
    avatarStyles,
    css`
      :host {
        display: block;
        padding: 16px;
      }
      .head,
      .row,
      .choices,
      .foot {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .head {
        margin: -4px -4px 8px 0;
      }
      h2 {
        margin: 0;
        font-size: 15px;
        line-height: 20px;
        font-weight: 600;
      }
      h3 {
        margin: 0 0 4px;
        font-size: 13px;
        line-height: 16px;
        font-weight: 600;
      }
      h2 span,
      h3 span {
        font-weight: 400;
        margin-left: 4px;
      }
      .said {
        margin: 0;
      }
      .said:not(:empty) {
        margin-top: 12px;
      }
      .link {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 8px 16px;
        align-items: start;
      }
      .link svg.qr {
        width: 104px;
        height: 104px;
        border-radius: 4px;
      }
      .choices {
        flex-wrap: wrap;
      }
      .address {
        flex: 1;
        min-width: 0;
        height: 32px;
        padding: 0 8px;
        border: 0;
        border-radius: 4px;
        background: none;
        box-shadow: inset 0 0 0 1px var(--line1);
        text-overflow: ellipsis;
      }
      select {
        height: 28px;
        padding: 0 4px;
        border: 0;
        border-radius: 4px;
        background: var(--bg);
        box-shadow: inset 0 0 0 1px var(--line1);
      }
      p {
        margin: 8px 0;
        font-size: 12px;
      }
      hr {
        border: 0;
        height: 1px;
        background: var(--line);
        margin: 12px 0;
      }
      ul {
        list-style: none;
        margin: 0 -3px;
        padding: 0 3px; /* the ring of who speaks is not cut off */
        max-height: 200px;
        overflow: auto;
        overscroll-behavior: contain;
      }
      .row {
        min-height: 40px;
      }
      .row .cut {
        flex: 1 1 0;
      }
      .acts {
        display: flex;
        align-items: center;
        gap: 8px;
        flex: none;
      }
      .foot {
        margin-top: 12px;
      }
      .stop {
        color: var(--err);
      }
      @media (pointer: coarse) {
        select,
        .address,
        .button,
        .button.small,
        .tool {
          height: 44px;
          min-width: 44px;
        }
      }
      @container (max-width: 420px) {
        .link {
          grid-template-columns: 1fr;
        }
        /* The name alone, what they do below it; buttons below both where there is no room beside. */
        .row {
          flex-wrap: wrap;
          justify-content: flex-end;
          padding: 2px 0;
        }
        .row .cut {
          flex-basis: 100px;
        }
        .row .cut .quiet {
          display: block;
          font-size: 12px;
          overflow: hidden;
          text-overflow: ellipsis;
        }
      }
      @media (pointer: coarse) and (min-height: 700px) {
        ul {
          max-height: 320px;
        }
      }
    `,
  ];

  private choice = { ...START };
  private made: OwnLink | null = null;
  /** The server knows of it. */
  private isKnown = false;

  constructor(context: ViewContext) {
    super(context);
    this.setAttribute("role", "dialog");
    this.setAttribute("aria-label", "Share this view");
  }

  focusFirst(): void {
    const first = this.find<HTMLElement>(".main") ?? this.find<HTMLElement>("button");
    first?.focus({ preventScroll: true });
  }

  protected override focusLost(): void {
    this.focusFirst();
  }

  protected override render(): TemplateResult {
    const { people, role } = this.context.session;
    return html`
      <div class="head">
        <h2>${role === "owner" ? "Share this view" : this.here()}</h2>
        <span class="grow"></span>
        <button class="tool" aria-label="Close" title="Close (Esc)" @click=${() => this.close()}>${icon("close")}</button>
      </div>
      ${role === "owner" ? html`${this.link()}${people.isShared ? html`<hr />` : nothing}` : nothing}
      ${people.isShared ? this.list() : nothing}
      <div class="foot">
        ${
          role === "owner" && people.isShared
            ? html`<button class="button stop" part="stop-sharing" @click=${() => this.stop()}>Stop sharing</button>`
            : nothing
        }
        ${this.control()}
        <span class="grow"></span>
        ${talkButton(this.context)}
        <button class="button" @click=${() => this.close()}>Done</button>
      </div>
      ${this.said()}
    `;
  }

  /** What is said over the picture is below this dialog there. */
  private said(): TemplateResult {
    const { notice } = this.context.ui;
    return html`<p class="said">${notice ? `${notice.message} ${notice.hint}` : nothing}</p>`;
  }

  private here(): TemplateResult {
    return html`People here <span class="quiet">${this.context.session.people.count}</span>`;
  }

  private close(): void {
    this.context.set({ open: "" });
  }

  private stop(): void {
    this.made = null;
    this.context.session.people.stopSharing();
  }

  // ------------------------------------------------------------- the link

  private link(): TemplateResult {
    const { guestPage, people } = this.context.session;
    if (!guestPage) {
      return html`<p class="quiet">
        From this page it is not known where guests would find the view. <kbd>viewer.share()</kbd> in Python says more.
      </p>`;
    }
    // The one that this page made last, with the code that came for it, as long as it is not over.
    const known = this.made && (people.own.get(this.made.id) ?? this.made);
    const isThere = known !== null && people.links.some(({ id }) => id === known.id);
    if (isThere) this.isKnown = true;
    const isOver = !isThere && (this.isKnown || people.isShared);
    return known && !isOver ? this.madeLink(known) : this.newLink();
  }

  private newLink(): TemplateResult {
    const { choice } = this;
    return html`
      <div class="choices">
        ${this.select(
          "What guests may do",
          ROLES.map(([role, , words]) => [role, `Anyone with it ${words}`]),
          choice.role,
          (v) => {
            choice.role = v as GuestRole;
          },
        )}
        ${this.select(
          "How long",
          TIMES.map(([s, words]) => [String(s), `for ${words}`]),
          String(choice.expiresS),
          (v) => {
            choice.expiresS = Number(v);
          },
        )}
        ${this.select(
          "How many",
          SEATS.map(([n, words]) => [String(n), `for ${words}`]),
          String(choice.seats),
          (v) => {
            choice.seats = Number(v);
          },
        )}
        <span class="grow"></span>
        <button class="button main" part="make-link" @click=${() => this.make()}>${icon("link")}Make a link</button>
      </div>
      <p class="quiet">Guests see pictures of this view. Files, kernel and data stay on the server.</p>
    `;
  }

  private make(): void {
    const { guestPage, people } = this.context.session;
    const { role, expiresS, seats } = this.choice;
    this.made = people.openLink(guestPage, role, expiresS, seats);
    this.isKnown = false;
    this.requestUpdate();
  }

  private madeLink(link: OwnLink): TemplateResult {
    const info = this.context.session.people.links.find(({ id }) => id === link.id);
    const words = ROLES.find(([role]) => role === (info?.role ?? this.choice.role))?.[2];
    const until = info && timeText(info.expires_ms);
    return html`<div class="link">
      <div>
        <div class="choices">
          <input class="address" part="address" readonly aria-label="Link" .value=${link.url} @focus=${(e: Event) => (e.target as HTMLInputElement).select()} />
          <button class="button main" part="copy-link" @click=${() => void copyText(this.context, link.url)}>${icon("copy")}Copy</button>
        </div>
        <p class="quiet">
          Anyone with it ${words}${until ? ` until ${until}` : ""}.
          ${info ? `${info.n_joined} of ${info.max_viewers} came. ` : ""}${info && !info.is_open ? "It lets nobody new in. " : ""}
          Guests see pictures of this view. Files, kernel and data stay on the server.
        </p>
        ${isOfThisMachine(link.url) ? html`<p>This address works on this computer only.</p>` : nothing}
        <button class="button small" @click=${() => this.another()}>Another link</button>
      </div>
      ${link.qr.length > 0 ? qrCode(link.qr) : nothing}
    </div>`;
  }

  private another(): void {
    this.made = null;
    this.requestUpdate();
  }

  private select(
    label: string,
    options: readonly (readonly [string, string])[],
    chosen: string,
    change: (value: string) => void,
  ): TemplateResult {
    return html`<select aria-label=${label} @change=${(e: Event) => change((e.target as HTMLSelectElement).value)}>
      ${options.map(([value, words]) => html`<option value=${value} .selected=${live(value === chosen)}>${words}</option>`)}
    </select>`;
  }

  // ------------------------------------------------------------- people

  private list(): TemplateResult {
    const { people, role } = this.context.session;
    return html`${role === "owner" ? html`<h3>${this.here()}</h3>` : nothing}
      <ul tabindex="0" aria-label="People here">
        ${people.all.map((person) => html`<li class="row" part="person">${this.person(person)}</li>`)}
        ${people.more > 0 ? html`<li class="row quiet">and ${people.more} more</li>` : nothing}
      </ul>`;
  }

  private person(person: SharedPerson): TemplateResult {
    return html`${avatar(person, this.context.session.call.speaking.has(person.id))}
      <span class="cut" title=${person.name}><bdi>${person.name}</bdi> <span class="quiet">${this.words(person)}</span></span>
      <span class="acts">${this.buttons(person)}</span>`;
  }

  private words(person: SharedPerson): string {
    if (person.asks) return "asks to drive";
    const { people } = this.context.session;
    const words = person.id === people.you?.id ? ["you"] : [];
    if (person.looks_around) words.push("looks around");
    else if (person.drives) words.push("drives");
    else if (people.all.some(({ drives }) => drives)) words.push("follows");
    if (person.in_call) words.push(person.muted ? "in the call, muted" : "in the call");
    if (person.recorded) words.push("voice recorded");
    if (person.latency_ms > 0) words.push(`${person.latency_ms} ms`);
    return words.join(" · ");
  }

  private buttons(person: SharedPerson): TemplateResult {
    const { people, role } = this.context.session;
    const isOwner = role === "owner";
    if (person.asks && (isOwner || (role === "editor" && !people.you?.is_lent))) {
      return html`<button class="button small" @click=${() => people.manage(person.id, "refuse")}>Not now</button>
        <button class="button small main" part="allow" @click=${() => people.manage(person.id, "grant")}>Allow</button>`;
    }
    if (!isOwner || person.role === "owner") {
      const word = ROLES.find(([known]) => known === person.role)?.[1] ?? "Owner";
      return html`<span class="quiet">${word}</span>`;
    }
    if (person.is_lent) {
      return html`<button class="button small" @click=${() => people.manage(person.id, "take-back")}>Take back</button>${this.removal(person)}`;
    }
    return html`${this.select(
      `Role of ${person.name}`,
      ROLES.map(([value, word]) => [value, word]),
      person.role,
      (v) => people.setRole(person.id, v as GuestRole),
    )}${this.removal(person)}`;
  }

  private removal(person: SharedPerson): TemplateResult {
    return html`<button
      class="tool"
      part="remove"
      aria-label="Remove ${person.name}"
      title="Remove; the link they came by lets nobody new in"
      @click=${() => this.context.session.people.manage(person.id, "remove")}
    >
      ${icon("close")}
    </button>`;
  }

  /** What a guest can do about driving. */
  private control(): TemplateResult | typeof nothing {
    const { people, role } = this.context.session;
    const { you } = people;
    if (!you || role === "owner") return nothing;
    const [word, action] = you.is_lent
      ? (["Give back control", "give-back"] as const)
      : you.asks
        ? (["Ask no more", "withdraw"] as const)
        : (["Ask to drive", "ask"] as const);
    if (role === "editor" && !you.is_lent) return nothing;
    return html`<button class="button" part="control" @click=${() => people.control(action)}>${word}</button>`;
  }
}

/** Nobody else gets anywhere by it. */
function isOfThisMachine(url: string): boolean {
  return /^(localhost|127\..*|\[::1\])$/.test(new URL(url).hostname);
}

function timeText(ms: number): string {
  const at = new Date(ms);
  const isToday = at.toDateString() === new Date().toDateString();
  const time = { hour: "numeric", minute: "2-digit" } as const;
  return isToday
    ? at.toLocaleTimeString(undefined, time)
    : at.toLocaleString(undefined, { day: "numeric", month: "short", ...time });
}

define("blustream-share", ShareDialog);
