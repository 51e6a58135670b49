/** Looks of the list of segmentations. */
import { css } from "lit";

export const segmentationStyles = css`
  :host {
    display: block;
    font-size: 13px;
  }
  .head {
    display: flex;
    align-items: center;
    border-top: 1px solid var(--line);
    padding: 8px 4px 0 12px;
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
  .one {
    padding: 0 4px 8px 12px;
  }
  .title,
  .settings,
  li {
    display: flex;
    align-items: center;
    gap: 8px;
  }
  .name,
  .label {
    display: flex;
    align-items: center;
    flex: 1;
    min-width: 0;
    height: 28px;
    padding: 0;
    border: 0;
    background: none;
    color: inherit;
    font: inherit;
    text-align: left;
    cursor: pointer;
  }
  .name {
    gap: 2px;
    margin-left: -4px;
    font-weight: 600;
  }
  .label {
    gap: 8px;
    height: 24px;
    border-radius: 4px;
  }
  .label:disabled {
    cursor: default;
  }
  .label:hover:enabled {
    background: var(--hover);
  }
  .twist.open {
    transform: rotate(90deg);
  }
  .settings {
    padding: 0 8px 4px 0;
  }
  input[type="range"] {
    flex: 1;
    min-width: 0;
    height: 24px;
    margin: 0;
    accent-color: var(--solid);
  }
  .percent {
    width: 40px;
    text-align: right;
    color: var(--fg2);
    font-size: 12px;
    font-variant-numeric: tabular-nums;
  }
  select,
  input[type="search"] {
    height: 24px;
    box-sizing: border-box;
    border: 1px solid var(--line1);
    border-radius: 4px;
    background: var(--bg);
    color: inherit;
    font: inherit;
    font-size: 12px;
  }
  input[type="search"] {
    width: calc(100% - 8px);
    padding: 0 6px;
    margin: 2px 0 4px;
  }
  ul {
    list-style: none;
    margin: 0;
    padding: 0;
    max-height: 240px;
    overflow: auto;
    overscroll-behavior: contain;
  }
  li .tool {
    height: 24px;
    min-width: 24px;
  }
  li input[type="range"] {
    flex: 0 0 52px;
  }
  i {
    width: 14px;
    height: 14px;
    flex: none;
    border-radius: 3px;
    box-shadow: inset 0 0 0 1px rgba(128, 128, 128, 0.6);
    forced-color-adjust: none;
  }
  p {
    margin: 4px 0 0;
    font-size: 12px;
  }
  .away .label,
  .away .name,
  .away .settings {
    color: var(--fg2);
  }
  .away i {
    opacity: 0.4;
  }
  @container (max-width: 260px) {
    li .label > .quiet {
      display: none; /* beside the slider there is room for the name alone */
    }
  }
  @media (pointer: coarse) {
    .tool,
    li .tool,
    .name,
    .label,
    select,
    input[type="search"],
    input[type="range"] {
      height: 44px;
      min-width: 44px;
    }
    li input[type="range"] {
      flex-basis: 64px;
    }
  }
`;
