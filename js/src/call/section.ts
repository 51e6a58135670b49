/** The way into a call and out of it, beside the people. */
import { css, html, nothing, type TemplateResult } from "lit";
import type { ViewContext } from "../viewer/context";
import { icon } from "../viewer/icons";

export const callSectionStyles = css`
  .call {
    display: flex;
    align-items: center;
    gap: 8px;
    margin: 8px 0;
  }
`;

/** "Talk", or the way out; nothing where this page may not. */
export function talkButton(context: ViewContext): TemplateResult | typeof nothing {
  const { call, people } = context.session;
  if (call.phase !== "out") {
    return html`<button class="button" part="leave-call" @click=${() => call.leave()}>${icon("hangup")}Leave the call</button>`;
  }
  if (!people.mayCall || !people.isShared) return nothing;
  return html`<button class="button" part="talk" title="Talk to the people here by microphone" @click=${() => talk(context)}>${icon("microphone")}Talk</button>`;
}

/** What comes of it is shown over the picture, so nothing may cover that. */
function talk(context: ViewContext): void {
  context.set({ open: "" });
  void context.session.call.join();
}

/** Part of the panel about people. */
export function callSection(context: ViewContext): TemplateResult | typeof nothing {
  const { call, people } = context.session;
  if (!people.mayCall && call.phase === "out") return nothing;
  const there = people.all.filter(({ in_call, id }) => in_call && id !== people.you?.id);
  const names = there.map(({ name }) => name).join(", ");
  return html`<div class="call" role="group" aria-label="Call">
    ${talkButton(context)} ${names ? html`<span class="quiet">In the call: ${names}</span>` : nothing}
  </div>`;
}
