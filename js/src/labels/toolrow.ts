/** The row of tools that edit labels, in the side panel. */
import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../viewer/icons";
import { factsOf, LABEL_TOOLS } from "./catalogue";
import type { LabelDesk } from "./desk";

export function toolRow(desk: LabelDesk): TemplateResult | typeof nothing {
  if (!desk.canEdit || !desk.target) return nothing;
  const isBrush = desk.isInHand && factsOf(desk.tool).gesture === "brush";
  return html`<div class="edit" role="toolbar" aria-label="Edit labels">
    ${LABEL_TOOLS.map(
      ({ name, title, letter, icon: picture }) => html`<button
        class="tool"
        aria-label=${title}
        aria-pressed=${desk.isInHand && desk.tool === name ? "true" : "false"}
        title="${title} (${letter})"
        @click=${() => desk.pick(name)}
      >
        ${icon(picture)}
      </button>`,
    )}
    <span class="grow"></span>
    ${
      isBrush
        ? html`<button
              class="tool"
              aria-label="Smaller brush"
              title="Smaller brush ([)"
              @click=${() => desk.resize(false)}
            >
              −</button
            ><button
              class="tool"
              aria-label="Larger brush"
              title="Larger brush (])"
              @click=${() => desk.resize(true)}
            >
              +
            </button>`
        : nothing
    }
    <button
      class="tool"
      aria-label="Undo edit of labels"
      title="Undo (Ctrl + Z)"
      ?disabled=${!desk.canUndo}
      @click=${() => desk.history("undo")}
    >
      ${icon("back")}
    </button>
  </div>`;
}
