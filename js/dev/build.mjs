// Bundles the dev page into a folder: `node dev/build.mjs FOLDER`; open FOLDER/index.html through any
// loopback web server.
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { looks } from "../looks.mjs";
import { workers } from "../workers.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? join(here, "out"));
mkdirSync(folder, { recursive: true });
/** @type {import("esbuild").BuildOptions} */
const shared = {
  absWorkingDir: here,
  bundle: true,
  target: "es2022",
  logLevel: "warning",
  tsconfig: join(here, "..", "tsconfig.json"),
};
await build({
  ...shared,
  entryPoints: ["page.ts"],
  outfile: join(folder, "page.js"),
  format: "esm",
  plugins: [workers(shared), looks],
});
copyFileSync(join(here, "index.html"), join(folder, "index.html"));
