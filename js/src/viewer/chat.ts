/** What people say: the newest lines, and a field for one more. Beside the picture, or in the side panel. */
import { css, html, nothing, type TemplateResult } from "lit";
import { CHAT_CHARS, type ChatLine } from "../protocol";
import type { ViewContext } from "./context";
import { icon } from "./icons";
import { define, Part } from "./part";
import { shared } from "./styles";

export class Chat extends Part {
  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        flex-direction: column;
        gap: 8px;
        font-size: 12px;
      }
      :host(.floating) {
        padding: 12px;
        box-sizing: border-box;
      }
      .head {
        display: flex;
        align-items: center;
        margin: -4px -4px -4px 0;
      }
      h2 {
        margin: 0;
        font-size: 13px;
        line-height: 16px;
        font-weight: 600;
      }
      .log {
        flex: 1;
        min-height: 0;
        overflow: auto;
        overscroll-behavior: contain;
      }
      :host(:not(.floating)) .log {
        max-height: 200px;
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
      p {
        margin: 0;
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
      input::placeholder {
        color: var(--fg2);
        opacity: 1;
      }
      @media (pointer: coarse) {
        :host(.floating) {
          font-size: 14px;
        }
        :host(.floating) li {
          line-height: 20px;
        }
        input,
        .tool,
        .button.small {
          height: 44px;
          min-width: 44px;
        }
      }
    `,
  ];

  private shownLines = 0;
  private isSeen = false;

  /** @param isSheet it lies over the picture and can be closed */
  constructor(
    context: ViewContext,
    private readonly isSheet = false,
  ) {
    super(context);
    if (isSheet) {
      this.setAttribute("role", "dialog");
      this.setAttribute("aria-label", "Chat");
    }
  }

  protected override shows(): readonly unknown[] {
    return [this.context.session.people.lines, this.isRead];
  }

  /** Into the field; on a touch screen not, where the keyboard would cover what was said. */
  focusFirst(): void {
    const isTouch = matchMedia("(pointer: coarse)").matches;
    this.find<HTMLElement>(isTouch ? ".tool" : "input")?.focus({ preventScroll: true });
  }

  protected override firstUpdated(): void {
    const { people } = this.context.session;
    const form = this.find("form");
    const seen = new IntersectionObserver(([entry]) => {
      this.isSeen = entry?.isIntersecting ?? false;
      people.look(this, this.isSeen);
      this.requestUpdate();
    });
    if (form) seen.observe(form);
    const end = (): void => {
      seen.disconnect();
      people.look(this, false);
    };
    this.context.signal.addEventListener("abort", end, { once: true });
  }

  protected override updated(): void {
    const { length } = this.context.session.people.lines;
    if (length === this.shownLines) return;
    this.shownLines = length;
    this.toNewest();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.updateComplete.then(() => this.toNewest());
  }

  private toNewest(): void {
    const list = this.find<HTMLElement>(".log");
    if (list) list.scrollTop = list.scrollHeight;
  }

  /**
   * A new line is read aloud from here. What is out of sight in the side panel is said by the viewer, and
   * of two that are in sight the one over the picture says it.
   */
  private get isRead(): boolean {
    return this.isSeen && (this.isSheet || this.context.ui.open !== "chat");
  }

  protected override render(): TemplateResult {
    const { lines } = this.context.session.people;
    return html`
      <div class="head">
        <h2>Chat</h2>
        <span class="grow"></span>
        ${this.isSheet ? html`<button class="tool" aria-label="Close the chat" title="Close (Esc)" @click=${() => this.context.set({ open: "" })}>${icon("close")}</button>` : nothing}
      </div>
      <div class="log" role="log" aria-live=${this.isRead ? "polite" : "off"} aria-label="Chat" tabindex="0">
        ${lines.length > 0 ? html`<ol>${lines.map((line) => this.line(line))}</ol>` : html`<p class="quiet">Nobody has said anything yet.</p>`}
      </div>
      <form @submit=${(event: Event) => this.say(event)}>
        <input type="text" part="say" aria-label="Say something to everybody here" placeholder="Say something" maxlength=${CHAT_CHARS} autocomplete="off" enterkeyhint="send" />
        <button class="button small" type="submit">Send</button>
      </form>
    `;
  }

  private line(line: ChatLine): TemplateResult {
    const time = new Date(line.at_ms).toLocaleTimeString(undefined, {
      hour: "2-digit",
      minute: "2-digit",
    });
    return html`<li part="line" title=${time}><b><bdi>${line.name}</bdi></b> <bdi>${line.text}</bdi></li>`;
  }

  private say(event: Event): void {
    event.preventDefault();
    const field = this.find<HTMLInputElement>("input");
    if (!field) return;
    if (this.context.session.people.say(field.value)) field.value = "";
    else if (field.value.trim()) this.context.note("There is no connection at the moment.");
  }
}

define("blustream-chat", Chat);
