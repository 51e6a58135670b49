/** Looks of the list of overlays, beside those of the list of segmentations. */
import { css } from "lit";

export const overlayStyles = css`
  .scale {
    height: 12px;
    margin: 2px 8px 4px 0;
    border-radius: 2px;
    box-shadow: inset 0 0 0 1px rgba(128, 128, 128, 0.6);
    forced-color-adjust: none;
  }
  .ends,
  .row {
    display: flex;
    align-items: center;
    gap: 8px;
    margin: 0 8px 4px 0;
    font-size: 12px;
  }
  .ends {
    justify-content: space-between;
  }
  .row > .quiet {
    width: 70px;
    flex: none;
    white-space: nowrap;
  }
  .row select {
    min-width: 0;
  }
  .number {
    width: 64px;
    height: 24px;
    box-sizing: border-box;
    padding: 0 6px;
    border: 1px solid var(--line1);
    border-radius: 4px;
    background: var(--bg);
    color: inherit;
    font: inherit;
    font-variant-numeric: tabular-nums;
  }
  .ends .number:last-child {
    text-align: right;
  }
  .number::placeholder {
    color: var(--fg2);
    opacity: 1;
  }
  label {
    display: flex;
    align-items: center;
    gap: 4px;
    white-space: nowrap;
    cursor: pointer;
  }
  label input {
    width: 14px;
    height: 14px;
    margin: 0;
    accent-color: var(--solid);
  }
  .away .scale {
    opacity: 0.4;
  }
  @media (pointer: coarse) {
    .number,
    label {
      height: 44px;
      min-width: 44px;
    }
  }
`;
