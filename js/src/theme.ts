/** Colours of the viewer: JupyterLab's theme where there is one, our own elsewhere, light or dark. */
import { css } from "lit";

/** Custom properties for everything inside; set on the viewer's host, inherited by its parts. */
export const themeTokens = css`
  :host {
    --bg: var(--jp-layout-color1, #fff);
    --bg2: var(--jp-layout-color2, #eee);
    --fg: var(--jp-ui-font-color1, rgba(0, 0, 0, 0.87));
    --fg2: color-mix(in srgb, var(--fg) 76%, transparent);
    --line: var(--jp-border-color2, #e0e0e0);
    --line1: var(--jp-border-color1, #bdbdbd);
    --accent: var(--jp-brand-color1, #1976d2);
    --deep: var(--jp-brand-color0, #0d47a1);
    --solid: var(--jp-brand-color1, #1976d2);
    --err: var(--jp-error-color1, #c62828);
    --warn: var(--jp-warn-color1, #b45309);
    --ok: var(--jp-success-color1, #2e7d32);
    --hover: rgba(0, 0, 0, 0.06);
    --on: rgba(25, 118, 210, 0.12);
    --lifted: var(--bg);
    --shadow: 0 8px 28px rgba(0, 0, 0, 0.18), 0 0 0 1px rgba(0, 0, 0, 0.07);
    --stage: #0c0e11;
    --chip: rgba(12, 14, 17, 0.76);
    color-scheme: light;
    scrollbar-color: var(--line1) transparent;
  }
  :host([theme="dark"]) {
    --bg: var(--jp-layout-color1, #212121);
    --bg2: var(--jp-layout-color2, #2d2d2d);
    --fg: var(--jp-ui-font-color1, rgba(255, 255, 255, 0.87));
    --line: var(--jp-border-color2, #424242);
    --line1: var(--jp-border-color1, #616161);
    --accent: var(--jp-brand-color2, #64b5f6);
    --deep: var(--jp-brand-color2, #64b5f6);
    --solid: var(--jp-brand-color0, #1976d2);
    --err: var(--jp-error-color2, #e57373);
    --warn: var(--jp-warn-color2, #ffb74d);
    --ok: var(--jp-success-color2, #81c784);
    --hover: rgba(255, 255, 255, 0.08);
    --on: rgba(100, 181, 246, 0.16);
    --lifted: color-mix(in srgb, var(--bg2) 80%, #fff);
    --shadow: 0 8px 28px rgba(0, 0, 0, 0.55), 0 0 0 1px rgba(255, 255, 255, 0.08);
    color-scheme: dark;
  }
`;

export type Theme = "light" | "dark";

/** Is a CSS colour dark? Null where it is see-through or not understood. */
export function isDarkColour(colour: string): boolean | null {
  const [r, g, b, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  if (r === undefined || g === undefined || b === undefined || alpha < 0.5) return null;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
}

/** What the page around `host` looks like: JupyterLab says so, others are judged by their background. */
export function themeAround(host: HTMLElement): Theme {
  const said = document.body.dataset.jpThemeLight;
  if (said) return said === "false" ? "dark" : "light";
  for (let el: HTMLElement | null = host.parentElement; el; el = el.parentElement) {
    const dark = isDarkColour(getComputedStyle(el).backgroundColor);
    if (dark !== null) return dark ? "dark" : "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Keep `host`'s attribute `theme` equal to the page's theme. */
export function followTheme(host: HTMLElement, signal: AbortSignal): void {
  const apply = (): void => {
    const theme = themeAround(host);
    if (host.getAttribute("theme") !== theme) host.setAttribute("theme", theme);
  };
  const observer = new MutationObserver(apply);
  const attributeFilter = ["data-jp-theme-light", "data-jp-theme-name", "class", "style"];
  observer.observe(document.body, { attributes: true, attributeFilter });
  observer.observe(document.documentElement, { attributes: true, attributeFilter });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply, { signal });
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  apply();
}
