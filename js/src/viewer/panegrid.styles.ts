/** Looks of the panes' grid; it has no shadow root of its own, so these are the viewer's styles. */
import { css } from "lit";

export const paneGridStyles = css`
  .panes {
    position: relative;
    display: grid;
    flex: 1;
    min-width: 0;
    min-height: 0;
  }
  .cell {
    position: relative;
    display: flex;
    min-width: 0;
    min-height: 0;
  }
  .cell[hidden] {
    display: none;
  }
  .panes.several .cell {
    container-type: inline-size;
  }
  .panes.several .cell.right {
    border-left: 1px solid var(--line1);
  }
  .panes.several .cell.below {
    border-top: 1px solid var(--line1);
  }
  /* Thin layers of their own, as the ring of the focus: the one in use has a frame. */
  .panes.several .cell.active > .frame {
    position: absolute;
    inset: 0;
    pointer-events: none;
    z-index: 2;
    box-shadow: inset 0 0 0 2px var(--accent);
    will-change: transform;
  }
  .cell.inset {
    position: absolute;
    right: 12px;
    bottom: 12px;
    width: clamp(120px, 30%, 360px);
    height: clamp(90px, 34%, 300px);
    z-index: 3;
    border-radius: 4px;
    overflow: hidden;
    background: var(--bg);
    box-shadow:
      0 0 0 1px rgba(0, 0, 0, 0.7),
      0 0 0 2px rgba(255, 255, 255, 0.4),
      0 4px 16px rgba(0, 0, 0, 0.4);
  }
  .gutter {
    position: absolute;
    z-index: 4;
    touch-action: none;
    outline: none;
  }
  .gutter::after {
    content: "";
    position: absolute;
    background: transparent;
    transition: background-color 120ms ease-out;
  }
  .gutter.columns {
    top: 0;
    bottom: 0;
    width: 9px;
    margin-left: -4px;
    cursor: col-resize;
  }
  .gutter.columns::after {
    inset: 0 3px;
  }
  .gutter.rows {
    left: 0;
    right: 0;
    height: 9px;
    margin-top: -4px;
    cursor: row-resize;
  }
  .gutter.rows::after {
    inset: 3px 0;
  }
  .gutter:hover::after,
  .gutter:active::after,
  .gutter:focus-visible::after {
    background: var(--accent);
  }
  @media (pointer: coarse) {
    .gutter.columns {
      width: 25px;
      margin-left: -12px;
    }
    .gutter.columns::after {
      inset: 0 11px;
    }
    .gutter.rows {
      height: 25px;
      margin-top: -12px;
    }
    .gutter.rows::after {
      inset: 11px 0;
    }
  }
  .switch {
    display: flex;
    gap: 2px;
    padding: 4px;
    border-top: 1px solid var(--line);
  }
  .switch button {
    flex: 1;
    min-width: 0;
    height: 28px;
    border-radius: 4px;
    color: var(--fg2);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .switch [aria-checked="true"] {
    background: var(--on);
    color: var(--deep);
    font-weight: 600;
  }
  @media (pointer: coarse) {
    .switch button {
      height: 44px;
      min-width: 44px;
    }
  }
`;
