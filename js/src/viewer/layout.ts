/** Where panes lie in a layout, and what dragging a gutter does to the shares of columns and rows. */
import { cellsOf } from "../panes";
import { LAYOUTS } from "../protocol";

/** Least share of the whole that a column or row keeps when its gutter is dragged. */
const LEAST = 0.12;

/** For people, in the order of the menu and of the key L. */
export const LAYOUT_WORDS: readonly (readonly [layout: string, words: string])[] = [
  ["single", "One pane"],
  ["orthogonal", "Three planes"],
  ["quad", "Three planes and values"],
  ["picture-in-picture", "Picture in picture"],
  ["compare", "Side by side"],
];

/** What a layout is called. */
export function wordsOf(layout: string): string {
  const known = LAYOUT_WORDS.find(([name]) => name === layout);
  return known ? known[1] : `${layout.replace("x", " × ")} panes`;
}

/** The layout after `layout`; grids, which are made from Python, come to the first. */
export function nextLayout(layout: string): string {
  const at = (LAYOUTS as readonly string[]).indexOf(layout);
  return LAYOUTS[(at + 1) % LAYOUTS.length] ?? "single";
}

/** Lines of the grid between which pane `index` lies: "row / column / end row / end column". */
export function areaOf(layout: string, index: number): string {
  if (layout === "orthogonal") return ["1/1/3/2", "1/2/2/3", "2/2/3/3"][index] ?? "auto";
  if (layout === "quad") return ["1/1/2/2", "2/1/3/2", "2/2/3/3"][index] ?? "auto";
  if (layout === "picture-in-picture") return "1/1/2/2";
  const { columns } = cellsOf(layout);
  return `${Math.floor(index / columns) + 1} / ${(index % columns) + 1}`;
}

/** Place of what is no pane: the values of a "quad". */
export const VALUES_AREA = "1/2/2/3";

/** Shares that add up to one; `n` equal ones where there are none. */
export function sharesOf(given: readonly number[], n: number): readonly number[] {
  const sum = given.reduce((total, share) => total + share, 0);
  if (given.length !== n || !(sum > 0)) return Array.from({ length: n }, () => 1 / n);
  return given.map((share) => share / sum);
}

/** Where gutter `k`, between share k and the next, lies: 0 to 1. */
export function gutterAt(shares: readonly number[], k: number): number {
  return shares.slice(0, k + 1).reduce((total, share) => total + share, 0);
}

/** Shares after gutter `k` was dragged to `at`; its two neighbours give and take. */
export function dragGutter(shares: readonly number[], k: number, at: number): readonly number[] {
  const before = k === 0 ? 0 : gutterAt(shares, k - 1);
  const both = (shares[k] ?? 0) + (shares[k + 1] ?? 0);
  const least = Math.min(LEAST, both / 2);
  const first = Math.min(Math.max(at - before, least), both - least);
  const round = (share: number): number => Math.round(share * 1e4) / 1e4;
  return shares.map((share, i) => {
    if (i === k) return round(first);
    return i === k + 1 ? round(both - first) : share;
  });
}

/**
 * Shares of `length` CSS pixels as tracks of a grid. Each ends at a whole device pixel: a picture that
 * lay between two would be blurred.
 */
export function tracksOf(shares: readonly number[], length: number, pixelRatio: number): string {
  const ends = shares.map((_, k) => Math.round(gutterAt(shares, k) * length * pixelRatio));
  const tracks = ends.map((end, k) => (end - (ends[k - 1] ?? 0)) / pixelRatio);
  return [...tracks.slice(0, -1).map((track) => `${track}px`), "minmax(0, 1fr)"].join(" ");
}
