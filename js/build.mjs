// Bundles src/index.ts into the front end, src/loader.ts, which fetches it, and the page for guests: `node build.mjs [--watch]`.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, context } from "esbuild";
import { looks } from "./looks.mjs";
import { workers } from "./workers.mjs";

/** Where Jupyter cannot give it out, the bundle travels through the kernel's comm, whole. */
const GZIP_LIMIT_KB = 200;

const here = dirname(fileURLToPath(import.meta.url));
const outdir = join(here, "..", "src", "blustream_widget", "static");
const outfile = join(outdir, "widget.js");
const watching = process.argv.includes("--watch");

/** @type {import("esbuild").BuildOptions} */
const shared = {
  absWorkingDir: here,
  bundle: true,
  target: "es2022",
  platform: "browser",
  charset: "utf8",
  legalComments: "none",
  loader: { ".css": "text", ".svg": "text" },
  minify: !watching,
  logLevel: "warning",
};

/** @type {import("esbuild").BuildOptions} */
const options = {
  ...shared,
  entryPoints: ["src/index.ts"],
  outfile,
  format: "esm",
  plugins: watching ? [workers(shared)] : [workers(shared), looks],
  sourcemap: watching ? "inline" : false,
};

/** @type {import("esbuild").BuildOptions} */
const loader = {
  ...shared,
  entryPoints: ["src/loader.ts"],
  outfile: join(outdir, "loader.js"),
  format: "esm",
};

/** The page for guests: its own few lines, and the front end beside it. @type {import("esbuild").BuildOptions} */
const guest = {
  ...shared,
  entryPoints: ["src/guest/guest.ts"],
  outfile: join(outdir, "guest.js"),
  format: "esm",
  plugins: [
    {
      name: "front end",
      setup({ onResolve }) {
        onResolve({ filter: /^\.\.\/index$/ }, () => ({ path: "./widget.js", external: true }));
      },
    },
  ],
};

/** What reads a microphone on that page, whose rules let no script run that is no file. @type {import("esbuild").BuildOptions} */
const voice = {
  ...shared,
  entryPoints: ["src/call/voice-worklet.ts"],
  outfile: join(outdir, "voice.js"),
  format: "iife",
};

await build(loader);
await build(voice);
await build(guest);
if (watching) {
  await (await context(options)).watch();
  console.log(`watching src/, writing ${outfile}`);
} else {
  await build(options);
  const kb = gzipSync(readFileSync(outfile), { level: 9 }).length / 1000;
  console.log(`widget.js: ${kb.toFixed(1)} kB gzipped (limit ${GZIP_LIMIT_KB})`);
  if (kb > GZIP_LIMIT_KB) {
    console.error("The bundle is over its limit: find the import that grew it.");
    process.exit(1);
  }
}
