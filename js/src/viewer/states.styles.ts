/** Looks of the states: opening, sharpening, lost, failed, ended. */
import { css } from "lit";

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
  /* Hidden, so that neither a click nor Tab finds it: most volumes are open before. */
  .opening .button {
    color: #fff;
    box-shadow: inset 0 0 0 1px rgba(255, 255, 255, 0.45);
    height: 24px;
    margin-right: -6px;
    animation: come 0s 5s both;
  }
  @keyframes come {
    from {
      visibility: hidden;
    }
  }
  .toast {
    position: absolute;
    left: var(--toast-left, 50%);
    top: var(--toast-top, 12px);
    transform: translateX(-50%);
    display: flex;
    align-items: center;
    gap: 10px;
    min-height: 36px;
    max-width: var(--toast-width, calc(100% - 16px));
    padding: 4px 12px;
    border-radius: 6px;
    background: rgba(18, 20, 24, 0.92);
    color: #fff;
    width: max-content;
    box-shadow: 0 4px 16px rgba(0, 0, 0, 0.4);
    z-index: 3;
  }
  @container (max-width: 560px) {
    .toast {
      top: var(--toast-top, 44px);
    }
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
  @media (pointer: coarse) {
    .opening .button,
    .toast .button,
    .message .button {
      height: 44px;
    }
    .opening:has(.button) {
      height: auto;
      min-height: 24px;
    }
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
