/** The side panel's part about people: who is here, and the chat. */
import { css, html, nothing, type TemplateResult } from "lit";
import { callSection, callSectionStyles } from "../call/section";
import { CHAT_CHARS, type ChatLine, type SharedPerson } from "../protocol";
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
      .log {
        margin: 0 0 8px;
        max-height: 200px;
        overflow: auto;
        overscroll-behavior: contain;
      }
      ol {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        padding: 2px 0;
        overflow-wrap: anywhere;
        white-space: pre-wrap;
        line-height: 16px;
      }
      form {
        display: flex;
        gap: 8px;
      }
      input {
        flex: 1;
        min-width: 0;
        height: 28px;
        padding: 0 8px;
        border: 0;
        border-radius: 4px;
        background: none;
        box-shadow: inset 0 0 0 1px var(--line1);
      }
      @media (pointer: coarse) {
        input,
        .button.small {
          height: 44px;
        }
      }
    `,
  ];

  private shownLines = 0;

  constructor(context: ViewContext) {
    super(context);
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "People and chat");
  }

  protected override shows(): readonly unknown[] {
    const { people } = this.context.session;
    return [people.all, people.lines, people.mayCall, this.context.session.call.revision];
  }

  protected override updated(): void {
    const { people } = this.context.session;
    people.read();
    if (people.lines.length === this.shownLines) return;
    this.shownLines = people.lines.length;
    const list = this.find<HTMLElement>(".log");
    if (list) list.scrollTop = list.scrollHeight;
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
      ${callSection(this.context)}
      ${
        people.lines.length > 0
          ? html`<div class="log" role="log" aria-label="Chat" tabindex="0"><ol>${people.lines.map((line) => this.line(line))}</ol></div>`
          : nothing
      }
      <form @submit=${(event: Event) => this.say(event)}>
        <input type="text" part="say" aria-label="Say something to everybody here" placeholder="Say something" maxlength=${CHAT_CHARS} autocomplete="off" />
        <button class="button small" type="submit">Send</button>
      </form>
    `;
  }

  private line(line: ChatLine): TemplateResult {
    const time = new Date(line.at_ms).toLocaleTimeString(undefined, {
      hour: "2-digit",
      minute: "2-digit",
    });
    return html`<li part="line" title=${time}><b>${line.name}</b> ${line.text}</li>`;
  }

  private say(event: Event): void {
    event.preventDefault();
    const field = this.find<HTMLInputElement>("input");
    if (!field) return;
    if (this.context.session.people.say(field.value)) field.value = "";
    else if (field.value.trim()) this.context.note("There is no connection at the moment.");
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
