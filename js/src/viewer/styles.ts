/** Looks that all parts share: buttons, fields, menus, chips. Sizes are multiples of 4. */
import { css } from "lit";

export const shared = css`
  * {
    box-sizing: border-box;
  }
  :host {
    font: 13px/16px
      var(
        --jp-ui-font-family,
        system-ui,
        -apple-system,
        "Segoe UI",
        "Liberation Sans",
        Helvetica,
        Arial,
        sans-serif
      );
    font-variant-numeric: tabular-nums;
    color: var(--fg);
    -webkit-font-smoothing: antialiased;
  }
  [hidden] {
    display: none !important;
  }
  button,
  select,
  input {
    font: inherit;
    color: inherit;
  }
  @media (pointer: coarse) {
    /* Phones zoom the page into a field with smaller letters. */
    input,
    select,
    textarea {
      font-size: 16px !important;
    }
  }
  button {
    border: 0;
    background: none;
    padding: 0;
    margin: 0;
    cursor: pointer;
    touch-action: manipulation;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
  .icon {
    width: 16px;
    height: 16px;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
    display: block;
    flex: none;
  }
  .caret {
    width: 10px;
    height: 10px;
    margin: 0 -2px 0 -3px;
    stroke-width: 2;
    opacity: 0.8;
  }
  .grow {
    flex: 1;
    min-width: 0;
  }
  .quiet {
    color: var(--fg2);
  }
  .cut {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .tool {
    height: 32px;
    min-width: 32px;
    border-radius: 4px;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    color: var(--fg2);
    flex: none;
    white-space: nowrap;
    transition: background-color 120ms ease-out;
  }
  .tool.wide {
    padding: 0 8px;
    color: var(--fg);
  }
  .tool:hover:not(:disabled) {
    background: var(--hover);
    color: var(--fg);
  }
  .tool[aria-pressed="true"],
  .tool[aria-expanded="true"] {
    background: var(--on);
    color: var(--deep);
  }
  button:disabled {
    opacity: 0.4;
    cursor: default;
  }
  .button {
    height: 32px;
    padding: 0 12px;
    border-radius: 4px;
    display: inline-flex;
    align-items: center;
    gap: 8px;
    box-shadow: inset 0 0 0 1px var(--line1);
    white-space: nowrap;
  }
  .button.main {
    background: var(--solid);
    color: #fff;
    box-shadow: none;
  }
  .button.small {
    height: 28px;
    padding: 0 10px;
  }
  .chips {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
  }
  .choice {
    height: 26px;
    padding: 0 9px;
    border-radius: 13px;
    box-shadow: inset 0 0 0 1px var(--line1);
    font-size: 12px;
    white-space: nowrap;
  }
  .choice:hover {
    background: var(--hover);
  }
  .choice[aria-pressed="true"] {
    background: var(--on);
    color: var(--deep);
    box-shadow: inset 0 0 0 1px var(--accent);
  }
  .floating {
    background: var(--bg);
    color: var(--fg);
    border-radius: 8px;
    box-shadow: var(--shadow);
    overscroll-behavior: contain;
    animation: appear 120ms ease-out;
  }
  @keyframes appear {
    from {
      opacity: 0;
    }
  }
  kbd {
    font: 11px/16px var(--jp-code-font-family, ui-monospace, "DejaVu Sans Mono", monospace);
    padding: 0 5px;
    border-radius: 3px;
    box-shadow: inset 0 0 0 1px var(--line1);
    background: var(--bg2);
    white-space: nowrap;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      transition: none !important;
      animation-duration: 0s !important;
    }
  }
  @media (forced-colors: active) {
    .tool[aria-pressed="true"],
    .tool[aria-expanded="true"],
    .choice[aria-pressed="true"] {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
    .button,
    .choice,
    .floating,
    kbd {
      border: 1px solid ButtonBorder;
    }
  }
`;

/**
 * What is left out as the viewer gets narrow; it stays in "More" and keeps its key. The viewer is the
 * container, never the window.
 */
export const byWidth = css`
  .narrow {
    display: none !important;
  }
  .phone {
    display: none !important;
  }
  @media (pointer: coarse) {
    @container (max-width: 560px) {
      .phone {
        display: revert !important;
      }
      .desk {
        display: none !important;
      }
    }
  }
  @container (max-width: 1000px) {
    .ample {
      display: none !important;
    }
  }
  @container (max-width: 740px) {
    .roomy {
      display: none !important;
    }
  }
  @container (max-width: 560px) {
    .medium {
      display: none !important;
    }
    .narrow {
      display: inline-flex !important;
    }
  }
`;
