/** Looks of the list of annotations. */
import { css } from "lit";

/** Height of a row, in CSS pixels: the list draws only those in sight. */
export const ROW_PX = 32;
export const COARSE_ROW_PX = 44;

export const panelStyles = css`
  :host {
    display: block;
    border-top: 1px solid var(--line);
    padding: 8px 0 12px;
    font-size: 13px;
  }
  .head {
    display: flex;
    align-items: center;
    padding: 0 4px 0 12px;
    gap: 2px;
  }
  h2 {
    margin: 0;
    font-size: 13px;
    line-height: 16px;
    font-weight: 600;
  }
  .count {
    color: var(--fg2);
    margin-left: 6px;
  }
  .list {
    position: relative;
    overflow: auto;
    max-height: 288px;
    overscroll-behavior: contain;
  }
  .list:focus-visible {
    outline-offset: -2px;
  }
  .row {
    position: absolute;
    inset: 0 0 auto;
    height: ${ROW_PX}px;
    padding: 0 4px 0 12px;
    display: flex;
    align-items: center;
    gap: 8px;
    cursor: pointer;
  }
  .row:hover {
    background: var(--hover);
  }
  .row[aria-selected="true"] {
    background: var(--on);
    box-shadow: inset 2px 0 0 var(--accent);
  }
  .row.away {
    color: var(--fg2);
  }
  .row .icon {
    color: var(--swatch, var(--fg2));
    forced-color-adjust: none;
  }
  .mark {
    width: 16px;
    height: 16px;
    border-radius: 3px;
    display: grid;
    place-items: center;
    background: rgb(12 14 17 / 0.76);
    flex: none;
  }
  .mark .icon {
    width: 12px;
    height: 12px;
  }
  .value {
    color: var(--fg2);
    white-space: nowrap;
    max-width: 45%;
  }
  .row .tool {
    height: 24px;
    min-width: 24px;
  }
  .row .tool .icon {
    color: inherit;
  }
  .empty {
    margin: 4px 12px 0;
    color: var(--fg2);
    font-size: 12px;
  }
  .card {
    margin: 8px 12px 0;
    padding: 8px;
    border-radius: 6px;
    background: var(--bg2);
    font-size: 12px;
  }
  .card input {
    width: 100%;
    height: 28px;
    padding: 0 8px;
    border: 1px solid var(--line1);
    border-radius: 4px;
    background: var(--bg);
  }
  .line {
    display: flex;
    align-items: center;
    gap: 4px;
    margin-top: 8px;
    flex-wrap: wrap;
  }
  .swatch {
    width: 24px;
    height: 24px;
    border-radius: 4px;
    box-shadow: inset 0 0 0 1px rgb(128 128 128 / 0.6);
    forced-color-adjust: none;
  }
  .swatch[aria-checked="true"] {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
  select {
    height: 24px;
    border: 1px solid var(--line1);
    border-radius: 4px;
    background: var(--bg);
  }
  dl {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 4px 12px;
    margin: 8px 0 0;
  }
  dt {
    color: var(--fg2);
  }
  dd {
    margin: 0;
    text-align: right;
    overflow-wrap: anywhere;
  }
  @media (pointer: coarse) {
    .row {
      height: ${COARSE_ROW_PX}px;
    }
    .row .tool,
    .head .tool,
    .card .tool,
    .swatch,
    .card input,
    select {
      height: 44px;
      min-width: 44px;
    }
  }
  @media (forced-colors: active) {
    .row[aria-selected="true"] {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
`;
