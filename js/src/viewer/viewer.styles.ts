/** Looks of the viewer as a whole: its frame, and what floats over it. */
import { css } from "lit";

export const viewerStyles = css`
      :host {
        container-type: inline-size;
        contain: size layout; /* a number that changes must not lay out the whole notebook */
        position: relative;
        display: flex;
        flex-direction: column;
        height: var(--blustream-height, 560px);
        min-height: 240px;
        min-width: 0;
        overflow: hidden;
        resize: vertical;
        background: var(--bg);
        border: 1px solid var(--line);
        border-radius: 4px;
        isolation: isolate;
        text-align: left;
      }
      .body {
        position: relative;
        display: flex;
        flex: 1;
        min-height: 0;
      }
      .stage {
        position: relative;
        display: flex;
        flex: 1;
        min-width: 0;
        min-height: 0;
      }
      :host([filled]) {
        position: fixed;
        inset: 0;
        z-index: 10000;
        width: 100% !important;
        height: 100% !important;
        margin: 0;
        padding: 0;
        border: 0;
        border-radius: 0;
        resize: none;
      }
      :host(:fullscreen) {
        height: 100%;
        border: 0;
        border-radius: 0;
        resize: none;
      }
      /*
       * A whole screen: clear of its notch and of the bar by which a phone is swiped home. What floats is laid
       * out from the inner edge of a border, as it is not from that of a padding.
       */
      :host([filled]),
      :host(:fullscreen) {
        box-sizing: border-box;
        border: 0 solid var(--bg);
        border-width: env(safe-area-inset-top) env(safe-area-inset-right) env(safe-area-inset-bottom)
          env(safe-area-inset-left);
      }
      .floating {
        position: absolute;
        z-index: 5;
        overflow: auto;
        max-height: calc(100% - 52px);
      }
      .menu {
        top: 44px;
        right: 8px;
        width: max-content; /* never narrower than its words because of where it hangs */
        max-width: calc(100% - 8px);
        max-height: calc(100% - 8px);
      }
      .menu:not([hangs]) {
        max-height: calc(100% - 52px);
      }
      .window {
        top: 44px;
        right: 8px;
        width: min(320px, calc(100% - 16px));
      }
      .chat {
        right: 8px;
        bottom: 8px;
        width: min(320px, calc(100% - 16px));
        height: clamp(180px, 100% - 92px, 360px); /* below the bar of a call */
        max-height: calc(100% - 16px);
      }
      @media (pointer: coarse) and (max-height: 480px) {
        /* A phone on its side: the bar of a call has the right half. */
        .chat {
          right: auto;
          left: 8px;
        }
      }
      .share {
        top: 48px;
        left: 50%;
        width: min(520px, calc(100% - 16px));
        transform: translateX(-50%);
      }
      @media (pointer: coarse) {
        :host {
          resize: none;
        }
        @container (max-width: 560px) {
          /* A sheet over the lower half: what changes stays in sight above it. */
          .window,
          .chat,
          .menu:not([hangs]) {
            inset: auto 4px 4px;
            width: auto;
            max-height: 62%;
          }
          .chat {
            height: clamp(180px, 100% - 140px, 400px);
            max-height: calc(100% - 16px);
          }
        }
      }
    `;
