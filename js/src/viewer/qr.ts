/** A QR code, drawn from its rows: black on white in every theme, or cameras would not read it. */
import { html, svg, type TemplateResult } from "lit";

/** Light modules around it that the standard wants. */
const QUIET = 4;

/** @param rows of "0" (light) and "1" (dark) */
export function qrCode(rows: readonly string[]): TemplateResult {
  const size = rows.length + 2 * QUIET;
  const path = rows
    .flatMap((row, y) =>
      [...row].map((dark, x) => (dark === "1" ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")),
    )
    .join("");
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" role="img" aria-label="QR code of the link">
    ${svg`<path fill="#fff" d="M0 0h${size}v${size}H0z"></path><path fill="#000" d=${path}></path>`}
  </svg>`;
}
