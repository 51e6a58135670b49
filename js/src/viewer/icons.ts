/** Own strokes: 16 px grid, 1.5 px line, round ends; `F ` marks a filled path. */
import { html, svg, type TemplateResult } from "lit";

const PATHS = {
  navigate: ["M4 2.6l8.4 5.3-3.8 1-1.9 3.6z"],
  crosshair: ["M8 1.5v4M8 10.5v4M1.5 8h4M10.5 8h4"],
  north: ["M8 14V2.5M4.5 6L8 2.5 11.5 6"],
  panel: ["M3.5 2.5h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1zM10 2.5v11"],
  layout: ["M2.5 2.5h11v11h-11zM8 2.5v11M8 8h5.5"],
  window: ["M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z", "F M8 4.2a3.8 3.8 0 0 1 0 7.6z"],
  fit: ["M2.5 5.5v-3h3M10.5 2.5h3v3M13.5 10.5v3h-3M5.5 13.5h-3v-3M6 6h4v4H6z"],
  full: ["M9.7 2.5h3.8v3.8M13.3 2.7L9.2 6.8M6.3 13.5H2.5V9.7M2.7 13.3l4.1-4.1"],
  small: ["M13.5 6.3H9.7V2.5M9.9 6.1l3.6-3.6M2.5 9.7h3.8v3.8M6.1 9.9l-3.6 3.6"],
  camera: [
    "M2.5 5h2.3l1-1.6h4.4l1 1.6h2.3v7.6h-11zM8 6.6a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z",
  ],
  help: [
    "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM6.3 6.3a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.8.5-.8 1M8 11.3v.1",
  ],
  more: [
    "F M3.6 9.1a1.1 1.1 0 1 0 0-2.2 1.1 1.1 0 0 0 0 2.2zM8 9.1a1.1 1.1 0 1 0 0-2.2 1.1 1.1 0 0 0 0 2.2zM12.4 9.1a1.1 1.1 0 1 0 0-2.2 1.1 1.1 0 0 0 0 2.2z",
  ],
  play: ["M5.2 3.2v9.6L12.6 8z"],
  pause: ["M5.5 3.5v9M10.5 3.5v9"],
  previous: ["M9.6 4L5.6 8l4 4"],
  next: ["M6.4 4l4 4-4 4"],
  down: ["M4 6.2l4 4 4-4"],
  close: ["M4 4l8 8M12 4l-8 8"],
  link: [
    "M6.7 9.3a2.6 2.6 0 0 0 3.7 0l2.3-2.3a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.3 6.7a2.6 2.6 0 0 0-3.7 0L3.3 9a2.6 2.6 0 0 0 3.7 3.7l.8-.8",
  ],
  copy: ["M6 6h7.5v7.5H6zM10 6V2.5H2.5V10H6"],
  warning: ["M8 2.4l6.2 11.1H1.8zM8 6.5v3.3M8 11.6v.1"],
  retry: ["M13 8a5 5 0 1 1-1.5-3.6M13 2.5v2.7h-2.7"],
  cube: ["M8 1.8l5.5 3.1v6.2L8 14.2l-5.5-3.1V4.9zM2.6 5L8 8l5.4-3M8 8v6.1"],
  ended: ["M8 2v5.5M4.7 4.2a5.2 5.2 0 1 0 6.6 0"],
  auto: ["M2.5 13.5l7-7M11 2v2.5M11 8v2.5M6.8 6.2h2.4M12.8 6.2h1.7"],
  colours: ["M2.5 4.5h11v7h-11z", "F M8 4.5h5.5v7H8z"],
  gear: [
    "M2.5 5h6.2M12.3 5h1.2M2.5 11h1.2M7.3 11h6.2",
    "M10.5 3.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM5.5 9.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
  ],
  check: ["M3.5 8.5l3 3 6-7"],
  loop: [
    "M3 7.5a3.5 3.5 0 0 1 3.5-3.5h6M10.5 2l2 2-2 2M13 8.5A3.5 3.5 0 0 1 9.5 12h-6M5.5 14l-2-2 2-2",
  ],
  bounce: ["M2 8h12M4.5 5.5L2 8l2.5 2.5M11.5 5.5L14 8l-2.5 2.5"],
  back: ["M3 6.2h6.6a3.4 3.4 0 0 1 0 6.8H6M5.8 3.4L3 6.2 5.8 9"],
} as const satisfies Record<string, readonly string[]>;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName, extra = ""): TemplateResult {
  const paths = PATHS[name].map((path) =>
    path.startsWith("F ")
      ? svg`<path d=${path.slice(2)} fill="currentColor" stroke="none"></path>`
      : svg`<path d=${path}></path>`,
  );
  return html`<svg class="icon ${extra}" viewBox="0 0 16 16" aria-hidden="true">${paths}</svg>`;
}
