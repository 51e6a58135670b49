/** The thumb of the thin bars: of time, and of a recording. Their tracks are their own. */
import { css } from "lit";

export const sliderStyles = css`
  input::-webkit-slider-thumb {
    appearance: none;
    width: 14px;
    height: 14px;
    margin-top: -5px;
    border: 0;
    border-radius: 50%;
    background: var(--solid);
  }
  input::-moz-range-thumb {
    width: 14px;
    height: 14px;
    border: 0;
    border-radius: 50%;
    background: var(--solid);
  }
  @media (forced-colors: active) {
    input[type="range"] {
      appearance: auto;
    }
  }
`;
