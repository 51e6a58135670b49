/** Over the picture of who does not drive: whom they follow, the way to a view of their own, and back. */
import { css, html, nothing, type TemplateResult } from "lit";
import type { ViewContext } from "./context";
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
        right: 12px;
        bottom: 12px;
        max-width: calc(100% - 24px);
        display: flex;
        align-items: center;
        gap: 8px;
        height: 28px;
        padding: 0 2px 0 12px;
        box-sizing: border-box;
        border-radius: 14px;
        background: rgb(12 14 17 / 0.82);
        color: #fff;
        font-size: 12px;
        forced-color-adjust: none;
      }
      :host([hidden]) {
        display: none;
      }
      :host([own]) {
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
      }
      button:hover {
        background: rgb(255 255 255 / 0.28);
      }
      button:focus-visible {
        outline: 2px solid #fff;
        outline-offset: -2px;
      }
      @container (max-width: 560px) {
        :host {
          bottom: 56px; /* the scale stays in sight */
        }
      }
      @media (pointer: coarse) {
        :host {
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
    const { ownView, people, role, info } = this.context.session;
    return [ownView.isOn, people.all, role, info];
  }

  private turned(): void {
    const { ownView, people } = this.context.session;
    this.context.say(
      ownView.isOn ? "You look around on your own" : followText(people.driver?.name),
    );
    this.requestUpdate();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session } = this.context;
    const { ownView, people, info } = session;
    const isShown = info !== null && (ownView.isOn || !this.context.actions.canDrive);
    this.toggleAttribute("hidden", !isShown);
    this.toggleAttribute("own", ownView.isOn);
    if (!isShown) return nothing;
    const driver = people.driver?.name;
    if (!ownView.isOn) {
      return html`<span class="cut">${followText(driver)}</span>
        <button part="look-around" title="Move a view of your own; the others stay where they are" @click=${() => this.go(true)}>Look around</button>`;
    }
    return html`<span class="cut">Your own view</span>
      <button part="follow" title="${backText(driver)} (Esc)" @click=${() => this.go(false)}>${backText(driver)}</button>`;
  }

  /** The button that was pressed is about to be another one: keys are meant for the picture. */
  private go(on: boolean): void {
    this.context.session.ownView.set(on);
    this.context.ask("focus");
  }
}

define("blustream-follow-bar", FollowBar);

function followText(driver: string | undefined): string {
  return driver ? `You follow ${driver}` : "You follow the shared view";
}

function backText(driver: string | undefined): string {
  return driver ? `Follow ${driver}` : "Follow again";
}

/** The same for the menu, also of those who drive. */
export function followEntries({ session: { ownView, people } }: ViewContext): readonly Entry[] {
  return ownView.isOn
    ? [{ label: backText(people.driver?.name), key: "Esc", act: () => ownView.set(false) }]
    : [{ label: "Look around on your own", act: () => ownView.set(true) }];
}
