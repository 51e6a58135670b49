/** Histogram of the whole channel with the window's two ends as handles, and the space between to drag. */
import { css, html, nothing, svg, type TemplateResult } from "lit";
import type { Channel } from "../protocol";
import { barsOf, type Span, spanOf } from "./bars";
import type { ViewContext } from "./context";
import { clamp, rangeText } from "./format";
import { CALM_MS, define, Part } from "./part";
import { channelOf, highOf, isSigned, lowOf, type Range } from "./range";
import { shared } from "./styles";

const WIDTH = 296;
const HEIGHT = 88;
const BAR_PX = 4;
/** Share of the shown values that one arrow key moves an end by. */
const KEY_STEP = 0.01;

type Grip = "low" | "high" | "between";

export class Histogram extends Part {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      .plot {
        position: relative;
        height: 104px;
        touch-action: none;
        user-select: none;
      }
      svg.bars {
        width: 100%;
        height: 88px;
        display: block;
        border-bottom: 1px solid var(--line1);
        fill: color-mix(in srgb, var(--fg) 55%, transparent);
      }
      .inside {
        position: absolute;
        top: 0;
        height: 88px;
        background: var(--on);
        cursor: ew-resize;
      }
      .end {
        position: absolute;
        top: 0;
        width: 24px;
        margin-left: -12px;
        height: 104px;
        cursor: ew-resize;
        border-radius: 4px;
      }
      .end::before {
        content: "";
        position: absolute;
        left: 11px;
        top: 0;
        width: 2px;
        height: 88px;
        background: var(--accent);
      }
      .end::after {
        content: "";
        position: absolute;
        left: 6px;
        bottom: 2px;
        width: 12px;
        height: 12px;
        border-radius: 50%;
        background: var(--solid);
        box-shadow: 0 0 0 2px var(--bg);
      }
      .none {
        position: absolute;
        inset: 36px 0 auto;
        text-align: center;
        font-size: 12px;
      }
      @media (forced-colors: active) {
        .end::before,
        .end::after {
          background: Highlight;
        }
      }
      @media (pointer: coarse) {
        .end {
          width: 44px;
          margin-left: -22px;
        }
        .end::before {
          left: 21px;
        }
        .end::after {
          left: 16px;
        }
      }
    `,
  ];

  /** The axis stands still while a handle is held. */
  private held: { grip: Grip; span: Span; range: Range; at: number } | null = null;

  constructor(context: ViewContext) {
    super(context, CALM_MS);
    for (const type of ["pointermove", "pointerup", "pointercancel"] as const) {
      this.addEventListener(type, (event) => this.pull(event), { signal: context.signal });
    }
  }

  protected override shows(): readonly unknown[] {
    const { info, state } = this.context.session;
    return [info, state.channel, state.window, state.level];
  }

  private get channel(): Channel | null {
    const { info, state } = this.context.session;
    return info && channelOf(info, state.channel);
  }

  private get span(): Span {
    const { info, state } = this.context.session;
    const { channel } = this;
    if (this.held) return this.held.span;
    return info && channel ? spanOf(channel, state, isSigned(info, channel)) : { from: 0, to: 1 };
  }

  private grip(event: PointerEvent, grip: Grip): void {
    if (event.button !== 0) return;
    const { window, level } = this.context.session.state;
    this.held = { grip, span: this.span, range: { window, level }, at: event.clientX };
    this.setPointerCapture(event.pointerId);
    (event.currentTarget as HTMLElement).focus({ preventScroll: true });
    event.preventDefault();
  }

  private pull(event: PointerEvent): void {
    const { held } = this;
    if (!held) return;
    const { from, to } = held.span;
    const by = ((event.clientX - held.at) / Math.max(this.clientWidth, 1)) * (to - from);
    this.move(held.grip, held.range, by);
    if (event.type !== "pointermove") {
      this.held = null;
      this.requestUpdate();
    }
  }

  private move(grip: Grip, range: Range, by: number): void {
    const { actions } = this.context;
    const [low, high] = [lowOf(range), highOf(range)];
    const least = range.window * 1e-3;
    if (grip === "between") {
      if (!actions.isSymmetric) actions.setRange({ window: range.window, level: range.level + by });
    } else if (actions.isSymmetric) {
      const outwards = grip === "high" ? by : -by;
      actions.setRange({ window: Math.max(least, range.window + 2 * outwards), level: 0 });
    } else if (grip === "low") actions.setEnds(Math.min(low + by, high - least), high);
    else actions.setEnds(low, Math.max(high + by, low + least));
  }

  private key(event: KeyboardEvent, grip: Grip): void {
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowUp: 1,
      ArrowLeft: -1,
      ArrowDown: -1,
      PageUp: 10,
      PageDown: -10,
    };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const { from, to } = this.span;
    this.move(grip, this.context.session.state, step * KEY_STEP * (to - from));
  }

  protected override render(): TemplateResult | typeof nothing {
    const { channel, span } = this;
    if (!channel) return nothing;
    const { state } = this.context.session;
    const place = (value: number): number =>
      clamp(((value - span.from) / (span.to - span.from)) * 100, 0, 100);
    const [low, high] = [lowOf(state), highOf(state)];
    const bars = channel.histogram.length ? barsOf(channel, span, WIDTH / BAR_PX) : [];
    return html`<div class="plot">
      <svg class="bars" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
        ${bars.map((share, i) => {
          const height = share * (HEIGHT - 6);
          return svg`<rect x=${i * BAR_PX} y=${HEIGHT - height} width=${BAR_PX - 1} height=${height}></rect>`;
        })}
      </svg>
      ${bars.length ? nothing : html`<span class="none quiet">The file has no histogram</span>`}
      <div
        class="inside"
        style="left:${place(low)}%;width:${place(high) - place(low)}%"
        @pointerdown=${(e: PointerEvent) => this.grip(e, "between")}
      ></div>
      ${this.end("low", low, place(low), span)} ${this.end("high", high, place(high), span)}
    </div>`;
  }

  private end(grip: "low" | "high", value: number, at: number, span: Span): TemplateResult {
    return html`<div
      class="end"
      style="left:${at}%"
      role="slider"
      tabindex="0"
      aria-label=${grip === "low" ? "Low end" : "High end"}
      aria-valuemin=${span.from}
      aria-valuemax=${span.to}
      aria-valuenow=${value}
      aria-valuetext=${rangeText(value, span.to - span.from)}
      @pointerdown=${(e: PointerEvent) => this.grip(e, grip)}
      @keydown=${(e: KeyboardEvent) => this.key(e, grip)}
    ></div>`;
  }
}

define("blustream-histogram", Histogram);
