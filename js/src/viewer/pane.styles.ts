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
    .corner.corner {
      padding-right: 2px;
      gap: 3px;
      font-size: 10px; /* "sample" */
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
  .picture {
    position: absolute;
    transform-origin: 0 0;
  }
  .picture > * {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
  }
  .picture > video {
    object-fit: fill;
    pointer-events: none;
  }
  .recoloured {
    pointer-events: none;
  }
  .recoloured canvas {
    display: block;
    width: 100%;
    height: 100%;
  }
  .picture.waiting {
    visibility: hidden;
  }
  .picture.cut {
    filter: saturate(0.35) brightness(0.62);
    transition: filter 120ms 0.7s;
  }
  .ring {
    position: absolute;
    inset: 0;
    pointer-events: none;
    z-index: 3;
  }
  /* Thin layers of their own: one as large as the picture would be laid over every frame of it. */
  .ring i {
    position: absolute;
    border: 0 solid var(--accent);
    will-change: transform;
    visibility: hidden;
  }
  .ring i:nth-child(-n + 2) {
    left: 0;
    right: 0;
    border-top-width: 2px;
  }
  .ring i:nth-child(n + 3) {
    top: 0;
    bottom: 0;
    border-left-width: 2px;
  }
  .ring i:nth-child(2) {
    bottom: 0;
  }
  .ring i:nth-child(4) {
    right: 0;
  }
  .view:focus-visible + .ring i,
  .view:focus + .ring i {
    visibility: visible;
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
    justify-content: safe flex-end; /* what is too long is cut at its end */
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
    will-change: transform; /* as the ring: words that change touch nothing but themselves */
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
    position: absolute;
    left: 12px;
    top: 12px;
    z-index: 1;
    cursor: pointer;
  }
  .slice .label {
    position: static;
  }
  @media (pointer: coarse) {
    .slice {
      height: 44px;
      top: 2px;
    }
  }
  .back {
    left: 12px;
    top: 40px;
    border: 0;
    font: inherit;
    font-size: 12px;
    pointer-events: auto;
    cursor: pointer;
  }
  @media (pointer: coarse) {
    .back {
      height: 44px;
      top: 48px;
    }
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
    will-change: transform;
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
  @container (max-width: 400px) {
    /* Below the slice's label, which reaches the middle there. */
    .letter.t {
      top: 40px;
    }
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
    will-change: transform;
    forced-color-adjust: none;
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
  .bar i {
    position: absolute;
    left: 0;
    width: 10px;
    height: 10px;
  }
  .bar .above {
    bottom: 100%;
    clip-path: polygon(0 100%, 50% 0, 100% 100%);
  }
  .bar .below {
    top: 100%;
    clip-path: polygon(0 0, 100% 0, 50% 100%);
  }
  .bar .without {
    top: calc(100% + 18px);
    box-shadow: 0 0 0 1px rgba(255, 255, 255, 0.6);
  }
  .bar .unit {
    top: -20px;
    right: -4px;
    max-width: 140px;
  }
`;
