/** Colours of values below and above the window, and of no value: to choose, and to do without. */
import { css, html, nothing, type TemplateResult } from "lit";
import { stopsOf } from "./colours";
import type { ViewContext } from "./context";
import { icon } from "./icons";
import { CALM_MS, define, Part } from "./part";
import { shared } from "./styles";

const FIELDS = [
  ["below_color", "Below"],
  ["above_color", "Above"],
  ["no_value_color", "No value"],
] as const;

export class ClipColours extends Part {
  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        margin-top: 8px;
        font-size: 12px;
      }
      label {
        position: relative;
        height: 28px;
        border-radius: 4px;
        box-shadow: inset 0 0 0 1px var(--line1);
        display: flex;
        align-items: center;
        gap: 6px;
        padding: 0 6px;
        flex: 1 0 auto;
        cursor: pointer;
      }
      label:focus-within {
        box-shadow: inset 0 0 0 2px var(--accent);
      }
      i {
        width: 14px;
        height: 14px;
        flex: none;
        border-radius: 2px;
        box-shadow: inset 0 0 0 1px rgba(128, 128, 128, 0.6);
        forced-color-adjust: none;
      }
      i.own {
        border-radius: 50%;
      }
      input {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        opacity: 0;
        cursor: pointer;
      }
      button {
        position: relative;
        width: 20px;
        height: 24px;
        flex: none;
        border-radius: 3px;
        display: grid;
        place-items: center;
      }
      button:hover {
        background: var(--hover);
      }
      button svg {
        width: 12px;
        height: 12px;
      }
      @media (pointer: coarse) {
        :host {
          flex-direction: column;
        }
        label {
          height: 44px;
        }
        button {
          width: 44px;
          height: 44px;
        }
      }
    `,
  ];

  constructor(context: ViewContext) {
    super(context, CALM_MS);
  }

  protected override shows(): readonly unknown[] {
    const { colormap, reverse, below_color, above_color, no_value_color } =
      this.context.session.state;
    const { revision } = this.context.session.palettes;
    return [colormap, reverse, below_color, above_color, no_value_color, revision];
  }

  protected override render(): TemplateResult {
    const { actions, session } = this.context;
    const { state } = session;
    const stops = stopsOf(state.colormap, state.reverse);
    const ends = [stops[0], stops.at(-1), "#0c0e11"];
    return html`${FIELDS.map(([field, title], i) => {
      const own = state[field];
      const shown = own || ends[i] || "#000000";
      return html`<label title=${own ? `${title}: ${own}` : `${title}: as the map`}>
        <i class=${own ? "own" : ""} style="background:${shown}"></i>
        <span class="grow cut">${title}</span>
        <input
          type="color"
          aria-label="Colour ${title.toLowerCase()}"
          .value=${shown}
          @input=${(e: Event) => actions.patch({ [field]: (e.target as HTMLInputElement).value })}
        />
        ${
          own
            ? html`<button
                aria-label="No colour ${title.toLowerCase()}"
                title="As the map"
                @click=${(e: Event) => {
                  e.preventDefault(); // which would open the chooser of the field
                  actions.patch({ [field]: "" });
                }}
              >
                ${icon("close")}
              </button>`
            : nothing
        }
      </label>`;
    })}`;
  }
}

define("blustream-clip-colours", ClipColours);
