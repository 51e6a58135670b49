/** The divider of an overlay that is swiped: dragged in the picture, by hand or by keys. */
import { css, html, nothing, type TemplateResult } from "lit";
import type { OverlayLook } from "../protocol";
import type { ViewContext } from "./context";
import { clamp } from "./format";
import { changedOverlays, swiped } from "./overlaylooks";

/** What one press of an arrow moves it by, as a share of the pane. */
const KEY_STEP = 0.02;

export const swipeStyles = css`
  .swipe {
    position: absolute;
    z-index: 2;
    touch-action: none;
    outline-offset: -2px;
  }
  .swipe::after {
    content: "";
    position: absolute;
    background: #fff;
    box-shadow: 0 0 0 1px rgba(0, 0, 0, 0.7);
    forced-color-adjust: none;
  }
  .swipe b {
    position: absolute;
    left: 50%;
    top: 50%;
    width: 20px;
    height: 20px;
    margin: -10px;
    border-radius: 50%;
    background: #fff;
    box-shadow: 0 0 0 1px rgba(0, 0, 0, 0.7);
    color: #111;
    font: 12px/20px sans-serif;
    text-align: center;
    z-index: 1;
    forced-color-adjust: none;
  }
  .swipe.vertical {
    top: 0;
    bottom: 0;
    width: 20px;
    margin-left: -10px;
    cursor: col-resize;
  }
  .swipe.vertical::after {
    top: 0;
    bottom: 0;
    left: 9px;
    width: 2px;
  }
  .swipe.horizontal {
    left: 0;
    right: 0;
    height: 20px;
    margin-top: -10px;
    cursor: row-resize;
  }
  .swipe.horizontal::after {
    left: 0;
    right: 0;
    top: 9px;
    height: 2px;
  }
  .swipe.fixed {
    pointer-events: none;
  }
  @media (pointer: coarse) {
    .swipe.vertical {
      width: 44px;
      margin-left: -22px;
    }
    .swipe.vertical::after {
      left: 21px;
    }
    .swipe.horizontal {
      height: 44px;
      margin-top: -22px;
    }
    .swipe.horizontal::after {
      top: 21px;
    }
  }
`;

/** The line moves at once, the edge in the picture with the next picture. */
export function swipeDivider(context: ViewContext): TemplateResult | typeof nothing {
  const look = swiped(context.session.state);
  if (!look) return nothing;
  const { name, split, divider } = look;
  const isVertical = divider === "vertical";
  const canDrive = context.actions.canDrive;
  const percent = Math.round(split * 100);
  return html`<div
    class="swipe ${divider} ${canDrive ? "" : "fixed"}"
    part="swipe"
    role="slider"
    tabindex=${canDrive ? "0" : "-1"}
    aria-orientation=${isVertical ? "horizontal" : "vertical"}
    aria-label=${`Divider of ${name}`}
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${percent}
    aria-valuetext=${`${percent} %`}
    title=${`${name} ${isVertical ? "to the right" : "below"}: drag, or arrow keys`}
    style="${isVertical ? "left" : "top"}:${split * 100}%"
    @pointerdown=${(e: PointerEvent) => press(e, context, look)}
    @keydown=${(e: KeyboardEvent) => key(e, context, look)}
  >
    <b aria-hidden="true">${isVertical ? "⇔" : "⇕"}</b>
  </div>`;
}

function move(context: ViewContext, name: string, split: number): void {
  const overlays = changedOverlays(context.session.state, name, { split: clamp(split, 0, 1) });
  context.actions.patch({ overlays });
}

function press(event: PointerEvent, context: ViewContext, { name, divider }: OverlayLook): void {
  const line = event.currentTarget as HTMLElement;
  const box = line.parentElement?.getBoundingClientRect();
  if (!box || event.button !== 0 || !context.actions.canDrive) return;
  event.preventDefault();
  event.stopPropagation(); // the picture below would be dragged
  line.focus({ preventScroll: true });
  line.setPointerCapture(event.pointerId);
  const done = new AbortController();
  const { signal } = done;
  const moved = (e: PointerEvent): void => {
    e.stopPropagation();
    const [x, y] = [(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height];
    move(context, name, divider === "vertical" ? x : y);
  };
  line.addEventListener("pointermove", moved, { signal });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
    line.addEventListener(end, () => done.abort(), { signal });
  }
}

function key(event: KeyboardEvent, context: ViewContext, { name, split }: OverlayLook): void {
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  const end = { Home: 0, End: 1 }[event.key];
  if (step === undefined && end === undefined) return;
  event.preventDefault();
  event.stopPropagation(); // arrows would change the slice
  move(context, name, end ?? split + (step ?? 0) * KEY_STEP);
}
