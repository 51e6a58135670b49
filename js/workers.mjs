import { join } from "node:path";
import { build } from "esbuild";

/**
 * `import source from "worker:./name"`: a worker, bundled by `options`, as text.
 *
 * @param {import("esbuild").BuildOptions} options
 * @returns {import("esbuild").Plugin}
 */
export function workers(options) {
  const root = options.absWorkingDir ?? process.cwd();
  return {
    name: "workers",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^worker:/ }, ({ path, resolveDir }) => ({
        path: join(resolveDir, `${path.slice("worker:".length)}.ts`),
        namespace: "worker",
      }));
      onLoad({ filter: /.*/, namespace: "worker" }, async ({ path }) => {
        const { outputFiles, metafile } = await build({
          ...options,
          entryPoints: [path],
          format: "iife",
          write: false,
          metafile: true,
        });
        const watchFiles = Object.keys(metafile.inputs).map((file) => join(root, file));
        return { contents: outputFiles[0].text, loader: "text", watchFiles };
      });
    },
  };
}
