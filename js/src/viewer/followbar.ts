/** Over the picture: whom one follows and the way to a view of one's own; who drives on loan; who asks to. */
import { css, html, nothing, type TemplateResult } from "lit";
import type { ViewContext } from "./context";
import { asker, followText } from "./driving";
import type { Entry } from "./entries";
import { define, Part } from "./part";
import { shared } from "./styles";

export class FollowBar extends Part {
  static override styles = [
    shared,
    css`
      :host {
        position: absolute;
        z-index: 3;
        left: 50%;
        bottom: 12px;
        transform: translateX(-50%);
        max-width: calc(100% - 24px);
        display: flex;
        flex-direction: column;
        align-items: center;
        gap: 8px;
        pointer-events: none;
        color: #fff;
        font-size: 12px;
        forced-color-adjust: none;
      }
      .row {
        display: flex;
        align-items: center;
        gap: 8px;
        height: 28px;
        max-width: 100%;
        padding: 0 2px 0 12px;
        box-sizing: border-box;
        border-radius: 14px;
        background: rgb(12 14 17 / 0.82);
        pointer-events: auto;
      }
      :host([hidden]) {
        display: none;
      }
      .row.own {
        box-shadow: inset 0 0 0 2px var(--accent);
      }
      button {
        height: 24px;
        padding: 0 10px;
        border-radius: 12px;
        color: #fff;
        background: rgb(255 255 255 / 0.16);
        white-space: nowrap;
        flex: none;
        max-width: 60%;
      }
      button:hover {
        background: rgb(255 255 255 / 0.28);
      }
      button.main {
        background: #1976d2;
      }
      button + button {
        margin-left: -4px;
      }
      button:focus-visible {
        outline: 2px solid #fff;
        outline-offset: -2px;
      }
      @container (min-width: 560.1px) {
        /* Beside the chat. */
        :host([aside]) {
          left: 60px;
          bottom: 56px;
          transform: none;
          max-width: calc(100% - 400px);
          align-items: flex-start;
        }
        @media (pointer: coarse) and (max-height: 480px) {
          :host([aside]) {
            left: auto;
            right: 12px;
            bottom: 12px;
            align-items: flex-end;
          }
        }
      }
      @container (max-width: 560px) {
        /* The scale below it and the colour bar beside it stay in sight. */
        :host {
          left: 48px;
          bottom: 56px;
          transform: none;
          max-width: calc(100% - 60px);
          align-items: flex-start;
        }
      }
      @container (max-width: 400px) {
        /* Who asks is no shorter than the two answers. */
        .row.asked {
          flex-wrap: wrap;
          justify-content: flex-end;
          height: auto !important;
          padding: 8px 2px 2px 16px;
          row-gap: 4px;
        }
        .row.asked .cut {
          flex: 1 1 100%;
        }
      }
      @media (pointer: coarse) {
        .row {
          height: 48px;
          border-radius: 24px;
        }
        button {
          height: 44px;
          border-radius: 22px;
          padding: 0 16px;
        }
      }
    `,
  ];

  constructor(context: ViewContext) {
    super(context);
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Following");
    context.session.ownView.onChange(() => this.turned(), context.signal);
  }

  protected override shows(): readonly unknown[] {
    const { session, ui } = this.context;
    const { ownView, people, role, info } = session;
    return [ownView.isOn, people.all, role, info, ui.open];
  }

  /** The button that was pressed is gone: keys are meant for the picture. */
  protected override focusLost(): void {
    this.context.ask("focus");
  }

  private turned(): void {
    const { ownView, people } = this.context.session;
    this.context.say(
      ownView.isOn ? "You look around on your own" : followText(people.driver?.name),
    );
    this.requestUpdate();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session, ui } = this.context;
    const asked = session.info ? this.question() : nothing;
    const own = session.info ? this.body() : nothing;
    this.toggleAttribute("hidden", asked === nothing && own === nothing);
    this.toggleAttribute("aside", ui.open === "chat");
    // Above, not in the place of what somebody is about to press.
    return html`${asked === nothing ? nothing : html`<div class="row asked">${asked}</div>`}
      ${own === nothing ? nothing : html`<div class="row ${session.ownView.isOn ? "own" : ""}">${own}</div>`}`;
  }

  private question(): TemplateResult | typeof nothing {
    const { session, ui } = this.context;
    const { people } = session;
    const asks = asker(session);
    if (!asks || ui.open === "share") return nothing;
    return html`<span class="cut"><bdi>${asks.name}</bdi> asks to drive</span>
      <button part="refuse" @click=${() => people.manage(asks.id, "refuse")}>Not now</button>
      <button part="let-drive" class="main" @click=${() => people.manage(asks.id, "grant")}>Allow</button>`;
  }

  private body(): TemplateResult | typeof nothing {
    const { actions, session } = this.context;
    const { ownView, people } = session;
    const driver = people.driver?.name;
    if (ownView.isOn) {
      return html`<span class="cut">Your own view</span>
        <button part="follow" class="cut" title="${backText(driver)} (Esc)" @click=${() => this.go(false)}>${backText(driver)}</button>`;
    }
    if (people.you?.is_lent) {
      return html`<span class="cut">You drive</span>
        <button part="give-back" title="Give back control" @click=${() => people.control("give-back")}>Give back</button>`;
    }
    if (actions.canDrive) return nothing;
    return html`<span class="cut">${followText(driver)}</span>
      <button part="look-around" title="Move a view of your own; the others stay where they are" @click=${() => this.go(true)}>Look around</button>`;
  }

  /** The button that was pressed is about to be another one: keys are meant for the picture. */
  private go(on: boolean): void {
    this.context.session.ownView.set(on);
    this.context.ask("focus");
  }
}

define("blustream-follow-bar", FollowBar);

function backText(driver: string | undefined): string {
  return driver ? `Follow ${driver}` : "Follow again";
}

/** The same for the menu, also of those who drive. */
export function followEntries({ session: { ownView, people } }: ViewContext): readonly Entry[] {
  return ownView.isOn
    ? [{ label: backText(people.driver?.name), key: "Esc", act: () => ownView.set(false) }]
    : [{ label: "Look around on your own", act: () => ownView.set(true) }];
}
