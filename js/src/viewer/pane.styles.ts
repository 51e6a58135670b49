/** Looks of the pane: gutters, picture, labels on the picture. */
import { css } from "lit";

export const paneStyles = css`
  :host {
    position: relative;
    flex: 1;
    min-width: 0;
    min-height: 0;
    display: block;
    background: var(--bg);
    overflow: hidden;
    --gutter-x: 48px;
    --gutter-y: 24px;
  }
  :host([plain]) {
    --gutter-x: 0px;
    --gutter-y: 0px;
  }
  @container (max-width: 560px) {
    :host(:not([plain])) {
      --gutter-x: 40px;
      --gutter-y: 20px;
    }
  }
  .view {
    position: absolute;
    inset: var(--gutter-y) 0 0 var(--gutter-x);
    overflow: hidden;
    background: var(--stage);
    outline: none;
    cursor: default;
    touch-action: pan-y;
    user-select: none;
    -webkit-user-select: none;
    -webkit-touch-callout: none;
    overscroll-behavior: contain;
    contain: strict;
  }
  .view.medical {
    background: #000;
  }
  .view:focus {
    touch-action: none;
  }
  .view.pan {
    cursor: grab;
  }
  .view.pan:active {
    cursor: grabbing;
  }
  .view.range {
    cursor: crosshair;
  }
  canvas {
    position: absolute;
    transform-origin: 0 0;
  }
  canvas.waiting {
    visibility: hidden;
  }
  canvas.cut {
    filter: saturate(0.35) brightness(0.62);
    transition: filter 120ms 0.7s;
  }
  .ring {
    position: absolute;
    inset: 0;
    pointer-events: none;
    z-index: 3;
  }
  .view:focus-visible + .ring,
  .view:focus + .ring {
    box-shadow: inset 0 0 0 2px var(--accent);
  }
  .ruler {
    position: absolute;
    color: var(--fg2);
    font-size: 11px;
    line-height: 12px;
    overflow: hidden;
    contain: strict;
  }
  .ruler.top {
    left: var(--gutter-x);
    right: 0;
    top: 0;
    height: var(--gutter-y);
    border-bottom: 1px solid var(--line1);
  }
  .ruler.left {
    top: var(--gutter-y);
    bottom: 0;
    left: 0;
    width: var(--gutter-x);
    border-right: 1px solid var(--line1);
  }
  .ruler span {
    position: absolute;
    white-space: nowrap;
    will-change: transform;
  }
  .ruler.top span {
    bottom: 6px;
    left: 0;
  }
  .ruler.top b,
  .ruler.left b {
    display: block;
    font-weight: 400;
  }
  .ruler.top b {
    transform: translateX(-50%);
  }
  .ruler.top span::after {
    content: "";
    position: absolute;
    left: 0;
    bottom: -6px;
    height: 5px;
    border-left: 1px solid var(--line1);
  }
  .ruler.left span {
    right: 7px;
    top: 0;
  }
  .ruler.left b {
    transform: translateY(-50%);
  }
  .ruler.left span::after {
    content: "";
    position: absolute;
    right: -7px;
    top: 0;
    width: 5px;
    border-top: 1px solid var(--line1);
  }
  .corner {
    position: absolute;
    left: 0;
    top: 0;
    width: var(--gutter-x);
    height: var(--gutter-y);
    padding: 0 7px 6px 0;
    display: flex;
    align-items: flex-end;
    justify-content: flex-end;
    gap: 4px;
    font-size: 11px;
    line-height: 12px;
    color: var(--fg2);
    white-space: nowrap;
    overflow: hidden;
  }
  .label {
    position: absolute;
    display: inline-flex;
    align-items: center;
    gap: 6px;
    height: 24px;
    padding: 0 8px;
    border-radius: 4px;
    background: var(--chip);
    color: #fff;
    font-size: 12px;
    white-space: nowrap;
    pointer-events: none;
    z-index: 1;
  }
  .label b {
    font-weight: 600;
  }
  .label .less {
    color: rgba(255, 255, 255, 0.78);
  }
  .square {
    width: 8px;
    height: 8px;
    border-radius: 2px;
    flex: none;
  }
  .slice {
    left: 12px;
    top: 12px;
  }
  .remark {
    right: 12px;
    top: 12px;
  }
  .scale {
    left: 12px;
    bottom: 12px;
    height: auto;
    padding: 4px 8px 7px;
    display: block;
    font-size: 11px;
  }
  .scale u {
    display: block;
    height: 5px;
    border: 1.5px solid #fff;
    border-top: 0;
    margin-top: 2px;
  }
  .letter {
    position: absolute;
    color: rgba(255, 255, 255, 0.9);
    font-size: 13px;
    font-weight: 600;
    text-shadow:
      0 0 3px #000,
      0 0 2px #000;
    pointer-events: none;
    z-index: 1;
  }
  .letter.l {
    left: 10px;
    top: 50%;
    transform: translateY(-50%);
  }
  .letter.r {
    right: 10px;
    top: 50%;
    transform: translateY(-50%);
  }
  .letter.t {
    top: 10px;
    left: 50%;
    transform: translateX(-50%);
  }
  .letter.b {
    bottom: 10px;
    left: 50%;
    transform: translateX(-50%);
  }
  .bar {
    position: absolute;
    right: 12px;
    top: 50%;
    height: min(200px, 52%);
    transform: translateY(-50%);
    width: 10px;
    border-radius: 2px;
    box-shadow:
      0 0 0 1px rgba(0, 0, 0, 0.55),
      0 0 0 2px rgba(255, 255, 255, 0.35);
    pointer-events: none;
    z-index: 1;
    forced-color-adjust: none;
  }
  .bar.inner {
    right: 30px;
  }
  .bar span {
    position: absolute;
    right: 18px;
    transform: translateY(-50%);
    font-size: 11px;
    line-height: 14px;
    color: #fff;
    background: rgba(12, 14, 17, 0.72);
    white-space: nowrap;
    border-radius: 3px;
    padding: 0 4px;
  }
  .bar .unit {
    top: -20px;
    right: -4px;
    max-width: 140px;
  }
`;

export const stateStyles = css`
  .message {
    position: absolute;
    inset: 0;
    display: grid;
    place-content: center;
    justify-items: center;
    text-align: center;
    gap: 8px;
    padding: 16px;
    overflow: auto;
    background: var(--bg);
    color: var(--fg);
    z-index: 4;
  }
  .message h2 {
    margin: 4px 0 0;
    font-size: 15px;
    line-height: 20px;
    font-weight: 600;
    overflow-wrap: anywhere;
    max-width: 44ch;
  }
  .message p {
    margin: 0;
    max-width: 46ch;
    color: var(--fg2);
    line-height: 18px;
    overflow-wrap: anywhere;
  }
  .message .icon {
    width: 32px;
    height: 32px;
    stroke-width: 1;
  }
  .message .button .icon {
    width: 16px;
    height: 16px;
    stroke-width: 1.5;
  }
  .message kbd {
    padding: 4px 8px;
    font-size: 12px;
    white-space: normal;
    overflow-wrap: anywhere;
  }
  .message .buttons {
    display: flex;
    flex-wrap: wrap;
    justify-content: center;
    gap: 8px;
    margin-top: 8px;
  }
  .progress {
    position: absolute;
    left: 0;
    right: 0;
    top: 0;
    height: 2px;
    background: rgba(255, 255, 255, 0.18);
    overflow: hidden;
    z-index: 2;
    pointer-events: none;
    animation: appear 0s 0.3s both;
  }
  .progress i {
    position: absolute;
    left: 0;
    top: 0;
    bottom: 0;
    background: #5db2ff;
  }
  .progress.moving i {
    width: 28%;
    animation: along 1.4s ease-in-out infinite;
  }
  @keyframes along {
    from {
      left: -28%;
    }
    to {
      left: 100%;
    }
  }
  .opening {
    left: 12px;
    bottom: 12px;
    max-width: calc(100% - 24px);
    animation: appear 0s 0.4s both;
    pointer-events: auto;
  }
  .toast {
    position: absolute;
    left: 50%;
    top: 12px;
    transform: translateX(-50%);
    display: flex;
    align-items: center;
    gap: 10px;
    min-height: 36px;
    max-width: calc(100% - 16px);
    padding: 4px 12px;
    border-radius: 6px;
    background: rgba(18, 20, 24, 0.92);
    color: #fff;
    width: max-content;
    box-shadow: 0 4px 16px rgba(0, 0, 0, 0.4);
    z-index: 3;
  }
  .toast.lost {
    padding-right: 6px;
    animation: appear 0s 0.7s both;
  }
  .toast.hint {
    pointer-events: none;
  }
  .toast .button {
    color: #fff;
    box-shadow: inset 0 0 0 1px rgba(255, 255, 255, 0.45);
    flex: none;
  }
  .toast kbd {
    background: none;
    box-shadow: inset 0 0 0 1px rgba(255, 255, 255, 0.5);
  }
  .spinner {
    width: 14px;
    height: 14px;
    border-radius: 50%;
    border: 2px solid rgba(255, 255, 255, 0.35);
    border-top-color: #fff;
    flex: none;
    animation: turn 1s linear infinite;
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .progress,
    .opening {
      animation-duration: 0s !important;
    }
    .progress.moving i {
      width: 100%;
      animation: none !important;
    }
    .spinner {
      animation: none !important;
    }
  }
`;
