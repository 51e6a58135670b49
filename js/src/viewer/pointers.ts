/** Pointers of the other people, or of those in a recording, at their places, in every pane. */
import { css, html, nothing, type TemplateResult } from "lit";
import { styleMap } from "lit/directives/style-map.js";
import { drawingWords } from "../annotations/unfinished";
import type { People } from "../people";
import type { Pane } from "./camera";
import { isOffSlice } from "./crosshair";
import { pixelOf, type Scene } from "./scene";

export const pointerStyles = css`
  .person {
    position: absolute;
    left: 0;
    top: 0;
    pointer-events: none;
    forced-color-adjust: none;
    z-index: 2;
  }
  .person svg {
    position: absolute;
    left: -2px;
    top: -2px;
    width: 16px;
    height: 16px;
    overflow: visible;
  }
  .person b {
    position: absolute;
    left: 11px;
    top: 12px;
    max-width: 240px;
    padding: 0 5px;
    border-radius: 3px;
    color: #fff;
    font-size: 11px;
    line-height: 16px;
    font-weight: 600;
    box-shadow: 0 0 0 1px rgba(12, 14, 17, 0.5);
  }
  /* The name is where there is room for it. */
  .person.left b {
    left: auto;
    right: 4px;
  }
  .person.above b {
    top: auto;
    bottom: 4px;
  }
  .person.off {
    opacity: 0.5;
  }
`;

/** They lie over the picture and are read by nobody: the list of people says who is here. */
export function personPointers(
  scene: Scene,
  people: People,
  slice: number,
  { width, height }: Pane,
): unknown {
  const { marks } = people;
  if (marks.length === 0) return nothing;
  return marks.map(({ name, color, place, drawing }): TemplateResult | typeof nothing => {
    const at = place ?? drawing?.points.at(-1);
    if (!at) return nothing;
    const { x, y } = pixelOf(scene, at);
    const transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    const off = isOffSlice(scene, at, slice);
    const classes = ["person"];
    if (x > width / 2) classes.push("left");
    if (y > height - 32) classes.push("above");
    if (off) classes.push("off");
    return html`<div class=${classes.join(" ")} part="person-pointer" aria-hidden="true" style=${styleMap({ transform })}>
      <svg viewBox="0 0 16 16">
        <path d="M2 2l10.5 6.4-4.7 1.2-2.3 4.4z" fill=${color} stroke="#fff" stroke-width="1.2"></path>
      </svg>
      <b class="cut" style=${styleMap({ background: color })}>${drawing ? `${name} ${drawingWords(drawing)}` : name}</b>
    </div>`;
  });
}
