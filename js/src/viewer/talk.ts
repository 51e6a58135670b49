/** The side panel's part about people: who is here, the call, and the chat. */
import { css, html, nothing, type TemplateResult } from "lit";
import { callSection, callSectionStyles } from "../call/section";
import type { SharedPerson } from "../protocol";
import { Chat } from "./chat";
import type { ViewContext } from "./context";
import { define, Part } from "./part";
import { avatar, avatarStyles } from "./sharebutton";
import { shared } from "./styles";

export class TalkPanel extends Part {
  static override styles = [
    shared,
    avatarStyles,
    callSectionStyles,
    css`
      :host {
        display: block;
        border-top: 1px solid var(--line);
        padding: 12px;
        font-size: 12px;
      }
      .head {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      h2 {
        margin: 0;
        font-size: 13px;
        line-height: 16px;
        font-weight: 600;
      }
      .who {
        display: flex;
        flex-wrap: wrap;
        gap: 4px;
        margin: 8px 0;
      }
      @media (pointer: coarse) {
        .button.small {
          height: 44px;
        }
      }
    `,
  ];

  private readonly chat: Chat;

  constructor(context: ViewContext) {
    super(context);
    this.chat = new Chat(context);
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "People and chat");
  }

  protected override shows(): readonly unknown[] {
    const { people } = this.context.session;
    return [people.all, people.mayCall, this.context.session.call.revision];
  }

  protected override render(): TemplateResult {
    const { people, call } = this.context.session;
    return html`
      <div class="head">
        <h2>People</h2>
        <span class="grow"></span>
        <button class="button small" @click=${() => this.context.set({ open: "share" })}>Manage</button>
      </div>
      <div class="who">
        ${people.all.map((person) => html`<span title=${personTitle(person)}>${avatar(person, call.speaking.has(person.id))}</span>`)}
        ${people.more > 0 ? html`<span class="quiet">and ${people.more} more</span>` : nothing}
      </div>
      ${callSection(this.context)} ${this.chat}
    `;
  }
}

define("blustream-talk", TalkPanel);

function personTitle({ name, role, looks_around, in_call, muted, recorded }: SharedPerson): string {
  const words = [name, role];
  if (looks_around) words.push("looks around");
  if (in_call) words.push(muted ? "in the call, muted" : "in the call");
  if (recorded) words.push("voice recorded");
  return words.join(", ");
}
