// Bundles the dev page into a folder: `node dev/build.mjs FOLDER`; open FOLDER/index.html through any
// loopback web server.
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? join(here, "out"));
mkdirSync(folder, { recursive: true });
await build({
  entryPoints: [join(here, "page.ts")],
  outfile: join(folder, "page.js"),
  bundle: true,
  format: "esm",
  target: "es2022",
  logLevel: "warning",
  tsconfig: join(here, "..", "tsconfig.json"),
});
copyFileSync(join(here, "index.html"), join(folder, "index.html"));
