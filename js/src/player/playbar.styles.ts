/** Looks of the bar of a recording. */
import { css } from "lit";
import { sliderStyles } from "../viewer/slider.styles";

export const playBarStyles = css`
  ${sliderStyles}
  :host {
    display: block;
    position: relative;
    flex: none;
    border-top: 1px solid var(--line);
  }
  .seek {
    position: relative;
    height: 28px;
    margin: 0 8px;
  }
  input[type="range"] {
    position: absolute;
    inset: 4px 0 0;
    width: 100%;
    height: 24px;
    margin: 0;
    appearance: none;
    background: none;
    cursor: pointer;
    touch-action: none;
  }
  input::-webkit-slider-runnable-track {
    height: 4px;
    border-radius: 2px;
    background: linear-gradient(
      to right,
      var(--solid) var(--done),
      color-mix(in srgb, var(--line1) 65%, transparent) var(--done)
    );
  }
  input::-moz-range-track {
    height: 4px;
    border-radius: 2px;
    background: color-mix(in srgb, var(--line1) 65%, transparent);
  }
  input::-moz-range-progress {
    height: 4px;
    border-radius: 2px;
    background: var(--solid);
  }
  /* The mark of a chapter stands over the bar, where it hides neither the thumb nor what is done. */
  .mark {
    position: absolute;
    top: 0;
    width: 16px;
    height: 11px;
    transform: translateX(-50%);
    z-index: 1;
  }
  .mark::before {
    content: "";
    position: absolute;
    left: 5px;
    top: 4px;
    border: 3px solid transparent;
    border-top: 6px solid var(--fg2);
    border-bottom: 0;
  }
  .mark:hover::before {
    border-top-color: var(--accent);
  }
  .row {
    display: flex;
    align-items: center;
    gap: 2px;
    height: 36px;
    padding: 0 8px 4px;
    white-space: nowrap;
  }
  .time {
    padding: 0 8px;
    flex: none;
  }
  .time b {
    font-weight: 600;
  }
  /* Where one row has no room, its second half goes below. */
  @container (max-width: 560px) {
    .row {
      flex-wrap: wrap;
      height: auto;
    }
    .time {
      flex: 1;
    }
    .turn {
      flex-basis: 100%;
    }
  }
  /* Of a replay: one row, between the picture and its other bars. */
  :host([hidden]) {
    display: none;
  }
  :host(.slim) .seek {
    flex: 1;
    min-width: 96px;
    margin: 0;
  }
  :host(.slim) .row {
    padding: 0 8px;
  }
  .waits {
    min-width: 0;
    padding-right: 8px;
  }
  .waits .dot {
    background: var(--warn);
  }
  input:disabled {
    cursor: default;
  }
  input:disabled::-webkit-slider-thumb {
    background: var(--fg2);
  }
  input:disabled::-moz-range-thumb {
    background: var(--fg2);
  }
  .list button:disabled {
    opacity: 1;
  }
  @container (max-width: 560px) {
    :host(.slim) :is(.seek, .time, .turn) {
      order: -1;
    }
    :host(.slim) .row {
      padding-bottom: 4px;
    }
    :host(.slim) .time {
      flex: none;
    }
    :host(.slim) select {
      margin-right: auto;
    }
    .waits {
      flex-basis: 100%;
      order: 1;
    }
  }
  .looks {
    flex: 1 1 0;
    min-width: 0;
    padding: 0 8px;
    text-align: right;
  }
  select {
    height: 26px;
    border-radius: 4px;
    border: 1px solid var(--line1);
    background: var(--bg);
    font-size: 12px;
    padding: 0 2px;
    flex: none;
  }
  .list {
    position: absolute;
    right: 8px;
    bottom: calc(100% + 4px);
    z-index: 5;
    width: min(320px, calc(100% - 16px));
    max-height: 260px;
    overflow: auto;
    padding: 4px;
  }
  .list button {
    display: flex;
    gap: 12px;
    width: 100%;
    min-height: 32px;
    align-items: center;
    padding: 0 8px;
    border-radius: 4px;
    text-align: left;
  }
  .list button:hover {
    background: var(--hover);
  }
  .list [aria-current="true"] {
    background: var(--on);
    color: var(--deep);
  }
  .voices .dot {
    margin: 0;
    flex: none;
  }
  .voices [aria-checked="false"] {
    color: var(--fg2);
  }
  .list p {
    margin: 4px 8px;
  }
  progress {
    width: calc(100% - 16px);
    margin: 0 8px 4px;
    accent-color: var(--accent);
  }
  .words {
    display: flex;
    gap: 16px;
    height: 24px;
    align-items: center;
    padding: 0 12px;
    border-top: 1px solid var(--line);
    font-size: 12px;
    color: var(--fg2);
    white-space: nowrap;
    overflow: hidden;
  }
  .words .name {
    color: var(--fg);
    font-weight: 500;
    flex: 0 1 auto;
    min-width: 0;
  }
  .dot {
    display: inline-block;
    width: 8px;
    height: 8px;
    border-radius: 50%;
    margin-right: 6px;
    forced-color-adjust: none;
  }
  @media (pointer: coarse) {
    .seek {
      height: 44px;
    }
    input[type="range"] {
      inset: 0;
      height: 44px;
    }
    .row {
      min-height: 48px;
    }
    .tool {
      height: 44px;
      min-width: 44px;
    }
    .mark {
      top: 6px;
    }
    .list button {
      min-height: 44px;
    }
    select {
      height: 44px;
    }
  }
`;
