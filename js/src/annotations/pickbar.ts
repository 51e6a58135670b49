/** What the seismic tool in hand can be told: how picks snap, what is followed, which fault it is. */
import { css, html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { ViewContext } from "../viewer/context";
import { fixed } from "../viewer/format";
import { icon } from "../viewer/icons";
import { define, Part } from "../viewer/part";
import { shared } from "../viewer/styles";
import { type Job, REACHES, reachText, SNAPPINGS, type Snapping } from "./picking";
import type { Annotation } from "./types";

const APART_MS = 100;

export class PickBar extends Part {
  static override styles = [
    shared,
    css`
      :host {
        position: absolute;
        left: 8px;
        right: 8px;
        bottom: 12px;
        z-index: 3;
        display: flex;
        justify-content: center;
        pointer-events: none;
      }
      .bar {
        pointer-events: auto;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 8px;
        padding: 4px 8px;
        font-size: 12px;
        max-width: 100%;
        box-sizing: border-box;
      }
      .bar b {
        font-weight: 600;
      }
      select {
        height: 26px;
        font: inherit;
        color: var(--fg);
        background: var(--bg2);
        border: 1px solid var(--line1);
        border-radius: 4px;
        max-width: 190px;
      }
      .act {
        height: 26px;
        padding: 0 8px;
        border-radius: 4px;
        background: var(--bg2);
        box-shadow: inset 0 0 0 1px var(--line1);
        white-space: nowrap;
      }
      .act:disabled {
        opacity: 0.5;
      }
      .way {
        width: 96px;
        height: 4px;
        border-radius: 2px;
        background: var(--line1);
        overflow: hidden;
      }
      .way i {
        display: block;
        height: 100%;
        background: var(--solid);
      }
      @media (pointer: coarse) {
        select,
        .act {
          height: 44px;
        }
      }
    `,
  ];

  private drawn = "";
  private drawnJob: Job | null = null;

  constructor(context: ViewContext) {
    super(context, APART_MS);
    context.desk.onChange(() => this.lookAgain(), context.signal);
    this.addEventListener("pointerdown", (event) => event.stopPropagation());
  }

  protected override shows(): readonly unknown[] {
    const { session, ui } = this.context;
    return [session.info, ui.tool, session.state.axis];
  }

  /** Told sixty times a second while something is dragged: draws only what changed here. */
  private lookAgain(): void {
    const { editor, picking, store } = this.context.desk;
    const { kind, id, locked } = editor.selection.single ?? {};
    const chosen = kind === "horizon" ? `${id} ${locked}` : "";
    const drawn = `${editor.tool} ${editor.draft?.canFinish} ${editor.fault.name}`;
    const sticks = editor.tool === "fault" ? editor.fault.sticksOf(store.items) : 0;
    const key = [chosen, drawn, sticks, picking.snapping, picking.reach].join("|");
    if (!this.isConnected || (key === this.drawn && picking.job === this.drawnJob)) return;
    this.drawn = key;
    this.drawnJob = picking.job;
    this.requestUpdate();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { desk, session } = this.context;
    if (session.info?.kind !== "seismic") return nothing;
    const { editor, picking } = desk;
    const inHand = desk.isAnnotating ? editor.tool : "select";
    const chosen = editor.selection.single;
    const horizon = chosen?.kind === "horizon" ? chosen : null;
    if (picking.job) return this.frame("Following", this.progress(picking.job));
    if (inHand === "fault") return this.frame("Fault sticks", this.fault());
    if (inHand !== "horizon" && !horizon) return nothing;
    return this.frame("Horizon", html`${this.snapping()} ${this.actions(horizon)}`);
  }

  private frame(name: string, content: TemplateResult): TemplateResult {
    return html`<div class="bar floating" role="group" aria-label=${name}>${content}</div>`;
  }

  private snapping(): TemplateResult {
    const { picking } = this.context.desk;
    const { info } = this.context.session;
    const isOff = picking.snapping === "off";
    const set = (event: Event): void => {
      picking.setSnapping((event.target as HTMLSelectElement).value as Snapping);
      this.back();
    };
    const reach = (event: Event): void => {
      picking.setReach(Number((event.target as HTMLSelectElement).value));
      this.back();
    };
    return html`<select aria-label="Picks snap to" title="Picks snap to" @change=${set}>
        ${Object.entries(SNAPPINGS).map(
          ([name, words]) =>
            html`<option value=${name} .selected=${live(name === picking.snapping)}>${words}</option>`,
        )}
      </select>
      <select
        aria-label="Snap window"
        title="How far above and below a pick its event may lie"
        ?disabled=${isOff}
        @change=${reach}
      >
        ${REACHES.map(
          (n) =>
            html`<option value=${n} .selected=${live(n === picking.reach)}>${reachText(info, n)}</option>`,
        )}
      </select>`;
  }

  private actions(horizon: Annotation | null): TemplateResult | typeof nothing {
    const { desk } = this.context;
    const { canEdit } = desk.editor.host;
    if (!horizon) return this.drawing("Done");
    const free = canEdit && !horizon.locked;
    const isVertical = (desk.surface?.section?.axis ?? 2) < 2;
    const action = (over: Job["over"], words: string, key: string, enabled: boolean) => html`<button
      class="act"
      title="${words} (${key})"
      ?disabled=${!enabled}
      @click=${() => {
        desk.picking.follow(horizon, over, desk.surface?.section ?? null);
        this.back();
      }}
    >${words}</button>`;
    return html`${action("section", "Track in this section", "K", free && isVertical)}
    ${action("volume", "Track over the volume", "Shift + K", free)}`;
  }

  /** What Enter does, for fingers; before there is anything to end, how to begin. */
  private drawing(words: string): TemplateResult {
    const { editor } = this.context.desk;
    const { draft } = editor;
    if (!draft?.canFinish) return html`<span class="quiet">${editor.facts.hint}</span>`;
    return html`<button
      class="act"
      title="${words} (Enter)"
      @click=${() => {
        editor.progress(draft.finish());
        this.back();
      }}
    >${words}</button>`;
  }

  private progress(job: Job): TemplateResult {
    const percent = Math.round(100 * job.progress);
    const where = job.over === "section" ? "in this section" : "over the volume";
    return html`<span>Tracking ${where}</span>
      <div
        class="way"
        role="progressbar"
        aria-label="Tracking"
        aria-valuenow=${percent}
        aria-valuemin="0"
        aria-valuemax="100"
      ><i style="width:${percent}%"></i></div>
      <span class="quiet">${percent} %</span>
      <button class="act" title="Cancel (Esc)" @click=${() => {
        this.context.desk.picking.cancel();
        this.back();
      }}>Cancel</button>`;
  }

  private fault(): TemplateResult {
    const { editor, store } = this.context.desk;
    const sticks = editor.fault.sticksOf(store.items);
    const count = sticks === 1 ? "1 stick" : `${fixed(sticks, 0)} sticks`;
    return html`<b>${editor.fault.name}</b>
      ${sticks > 0 ? html`<span class="quiet">${count}</span>` : nothing}
      ${this.drawing("End the stick")}
      <button
        class="act"
        title="New fault (Shift + J)"
        ?disabled=${sticks === 0}
        @click=${() => {
          editor.pick("fault");
          this.back();
        }}
      >${icon("fault")} New fault</button>`;
  }

  /** The keyboard goes back to the picture, where Enter and Escape are meant. */
  private back(): void {
    this.requestUpdate();
    this.context.ask("focus");
  }
}

define("blustream-pick-bar", PickBar);
