// What bundles need not carry: comments and line breaks of the style sheets in css`…` templates.
import { readFile } from "node:fs/promises";

/** A template of styles. */
const SHEET = /\bcss`([^`]*)`/g;
const EXPRESSION = /(\$\{[^}]*\})/;

function short(styles) {
  return styles
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,]) ?/g, "$1")
    .replace(/;}/g, "}");
}

/** The same rules, shorter. What `${…}` puts in stays as it is. */
export function shortened(source) {
  return source.replace(SHEET, (_, sheet) => {
    const parts = sheet.split(EXPRESSION).map((part, i) => (i % 2 ? part : short(part)));
    return `css\`${parts.join("").trim()}\``;
  });
}

/** @type {import("esbuild").Plugin} */
export const looks = {
  name: "looks",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      return source.includes("css`") ? { contents: shortened(source), loader: "ts" } : undefined;
    });
  },
};
