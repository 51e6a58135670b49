/** The tools that edit labels, in the side panel: all of them, and what the one in hand can be told. */
import { css, html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { icon } from "../viewer/icons";
import { typed } from "../viewer/typed";
import { BALL_KEY, factsOf, LABEL_TOOLS, type LabelToolFacts } from "./catalogue";
import type { LabelDesk } from "./desk";

/** Of the settings of the tool in hand, wherever they are shown. */
export const toldStyles = css`
  .told {
    margin: 2px 8px 8px 12px;
    padding: 6px 8px 8px;
    border-radius: 6px;
    background: var(--hover);
    display: grid;
    gap: 4px;
  }
  .told .row {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: 24px;
  }
  .told .name-of {
    font-weight: 600;
  }
  .told output {
    min-width: 52px;
    text-align: right;
    color: var(--fg2);
    font-size: 12px;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
  .told label {
    display: flex;
    align-items: center;
    gap: 6px;
    font-size: 12px;
    flex: 1;
    min-width: 0;
  }
  .told select,
  .told input[type="number"] {
    height: 24px;
    box-sizing: border-box;
    border: 1px solid var(--line1);
    border-radius: 4px;
    background: var(--bg);
    color: inherit;
    font: inherit;
    font-size: 12px;
    min-width: 0;
    max-width: 100%;
  }
  .told input[type="number"] {
    width: 76px;
  }
  progress {
    flex: 1;
    min-width: 0;
    height: 8px;
    accent-color: var(--solid);
  }
  @media (pointer: coarse) {
    .told .row {
      min-height: 44px;
    }
    .told select,
    .told input[type="number"],
    .told input[type="range"],
    .told .button {
      height: 44px;
    }
    .told input[type="checkbox"] {
      width: 20px;
      height: 20px;
      flex: none;
    }
  }
`;

export const toolPanelStyles = css`
  ${toldStyles}
  .edit {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 2px;
    padding: 2px 4px 2px 8px;
  }
  .edit .next {
    flex-basis: 100%;
  }
`;

/** One row for what the hand does in the picture, one for what is done to a label at once. */
const BY_HAND = LABEL_TOOLS.filter(({ gesture }) => gesture !== "apply");
const APPLIED = LABEL_TOOLS.filter(({ gesture }) => gesture === "apply");

/** Three significant figures. */
function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** Steps of a slider over sizes that span three decades. */
const STEPS = 100;
const DECADES = 3;

export interface PanelHost {
  readonly desk: LabelDesk;
  /** Names of the three axes. */
  readonly axes: readonly string[];
  /** Unit of lengths; "" where there is none. */
  readonly unit: string;
  /** Longest side of the volume, in that unit. */
  readonly reach: number;
  /** Width of the displayed range of values. */
  readonly window: number;
}

export function toolPanel(host: PanelHost): TemplateResult | typeof nothing {
  const { desk } = host;
  if (!desk.canEdit || !desk.target) return nothing;
  return html`<div class="edit" role="toolbar" aria-label="Edit labels">
      ${BY_HAND.map((facts) => tool(desk, facts))}
      <span class="next"></span>
      ${APPLIED.map((facts) => tool(desk, facts))}
      <span class="grow"></span>
      ${step(desk, "undo", desk.canUndo, "Ctrl + Z")} ${step(desk, "redo", desk.canRedo, "Ctrl + Shift + Z")}
    </div>
    ${desk.isInHand || desk.job ? told(host) : nothing}`;
}

function tool(desk: LabelDesk, { name, title, letter, icon: picture }: LabelToolFacts) {
  return html`<button
    class="tool"
    aria-label=${title}
    aria-pressed=${desk.isInHand && desk.tool === name ? "true" : "false"}
    title="${title} (${letter})"
    @click=${() => desk.pick(name)}
  >
    ${icon(picture)}
  </button>`;
}

function step(desk: LabelDesk, way: "undo" | "redo", can: boolean, key: string): TemplateResult {
  const title = way === "undo" ? "Undo edit of labels" : "Redo edit of labels";
  return html`<button
    class="tool"
    aria-label=${title}
    title="${title} (${key})"
    ?disabled=${!can}
    @click=${() => desk.history(way)}
  >
    ${icon(way)}
  </button>`;
}

function told(host: PanelHost): TemplateResult {
  const { desk } = host;
  const { title, hint } = factsOf(desk.tool);
  return html`<div class="told" role="group" aria-label=${`${title}: settings`}>
    <div class="row"><span class="name-of grow">${title}</span></div>
    ${desk.job ? job(desk) : settings(host)}
    ${desk.job ? nothing : html`<span class="quiet">${hint}.</span>`}
  </div>`;
}

export function job(desk: LabelDesk): TemplateResult {
  const share = desk.job?.share ?? null;
  const words = share === null ? "" : `${Math.round(share * 100)} %`;
  return html`<div class="row" role="status">
    <progress aria-label=${`${desk.job?.title ?? ""} ${words}`} max="1" value=${share ?? nothing}></progress>
    <output>${words}</output>
    <button class="button small" title="Cancel (Esc)" @click=${() => desk.cancel()}>Cancel</button>
  </div>`;
}

export function settings(host: PanelHost): TemplateResult | typeof nothing {
  const { desk } = host;
  switch (desk.tool) {
    case "paint":
    case "erase":
    case "threshold":
      return html`${size(host, "Radius", desk.radius, (radius) => desk.sized(radius))}
      ${dimensions(desk, "Ball, through slices")}`;
    case "fill":
    case "cut":
      return dimensions(desk, "Through all slices");
    case "grow":
      return html`${tolerance(host)} ${dimensions(desk, "Through all slices")}`;
    case "smooth":
      return html`${size(host, "Radius", desk.options.smoothing, (smoothing) => desk.set({ smoothing }))}
      ${apply(desk, "Smooth")}`;
    case "islands":
      return islands(desk);
    case "interpolate":
      return between(host);
    default:
      return nothing;
  }
}

/** A slider by decades: small sizes are set as finely as large ones. */
function size(
  { unit, reach }: PanelHost,
  name: string,
  value: number,
  act: (value: number) => void,
): TemplateResult {
  const most = reach / 2;
  const at = STEPS * (1 + Math.log10(Math.max(value, 1e-9) / most) / DECADES);
  const set = (event: Event): void => {
    const share = Number((event.target as HTMLInputElement).value) / STEPS;
    act(most * 10 ** (DECADES * (share - 1)));
  };
  return html`<div class="row">
    <label>${name}
      <input type="range" min="0" max=${STEPS} step="1" .value=${live(String(Math.round(at)))}
        aria-valuetext="${short(value)} ${unit}" @input=${set} /></label
    ><output>${short(value)} ${unit}</output>
  </div>`;
}

function tolerance({ desk, window }: PanelHost): TemplateResult {
  const percent = Math.round(desk.options.tolerance * 100);
  const words = `± ${short((percent / 100) * window)}`;
  const set = (event: Event): void =>
    desk.set({ tolerance: Number((event.target as HTMLInputElement).value) / 100 });
  return html`<div class="row">
    <label>Tolerance
      <input type="range" min="1" max="50" .value=${live(String(percent))}
        aria-valuetext=${words} @input=${set} /></label
    ><output>${words}</output>
  </div>`;
}

function dimensions(desk: LabelDesk, words: string): TemplateResult {
  return html`<div class="row">
    <label title="${words} (${BALL_KEY})"
      ><input type="checkbox" .checked=${live(desk.options.is3d)} @change=${() => desk.toggle3d()} />${words}</label
    >
  </div>`;
}

function apply(desk: LabelDesk, words: string): TemplateResult {
  return html`<div class="row">
    <span class="grow quiet">Label ${desk.label}</span>
    <button class="button small main" title="${words} (Enter)" @click=${() => desk.apply()}>${words}</button>
  </div>`;
}

function islands(desk: LabelDesk): TemplateResult {
  const { least } = desk.options;
  const set = (event: Event): void =>
    desk.set({ least: Math.max(1, Math.round(Number((event.target as HTMLInputElement).value))) });
  return html`<div class="row">
      <label
        ><input type="checkbox" .checked=${live(least === 0)}
          @change=${(e: Event) => desk.keepLargest((e.target as HTMLInputElement).checked)} />Keep the
        largest piece alone</label
      >
    </div>
    ${
      least > 0
        ? html`<div class="row"><label class="grow">Pieces go below
            <input type="number" min="1" .value=${typed(String(least))} data-lm-suppress-shortcuts="true"
              @change=${set} />voxels</label></div>`
        : nothing
    }
    ${apply(desk, least > 0 ? "Remove small pieces" : "Keep largest")}`;
}

function between({ desk, axes }: PanelHost): TemplateResult {
  const set = (event: Event): void =>
    desk.set({ axis: Number((event.target as HTMLSelectElement).value) });
  return html`<div class="row">
      <label>Drawn on
        <select aria-label="Slices that the label was drawn on" @change=${set}>
          ${axes.map((name, axis) => html`<option value=${axis} .selected=${live(axis === desk.options.axis)}>${name}</option>`)}
        </select></label>
    </div>
    ${apply(desk, "Fill between")}`;
}
