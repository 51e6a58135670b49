// What bundles need not carry: comments and line breaks of the style sheets in css`…` templates.
import { readFile } from "node:fs/promises";

/** A template of styles. */
const SHEET = /\bcss`([^`]*)`/g;
const EXPRESSION = /(\$\{[^}]*\})/;

/** What would not say the same when it is shortened. */
const STRING = /"[^"]*"|'[^']*'/g;
const CHANGED = /[{};,]|\s\s/;

function short(styles) {
  const bare = styles.replace(/\/\*.*?\*\//gs, "");
  const bad = bare.match(STRING)?.find((text) => CHANGED.test(text));
  if (bad) throw new Error(`styles: the string ${bad} would be changed; write it another way`);
  if (/\$\{/.test(bare)) throw new Error("styles: no template may be inside of an expression");
  return bare
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,]) ?/g, "$1")
    .replace(/;}/g, "}");
}

/** The same rules, shorter. What `${…}` puts in stays as it is. */
export function shortened(source) {
  return source.replace(SHEET, (_, sheet) => {
    const nested = sheet.match(/\$\{[^}]*\{/);
    if (nested) throw new Error(`styles: braces inside of ${nested[0]}; give it a name before`);
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
