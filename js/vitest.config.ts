import { defineConfig } from "vitest/config";

// Node is the default; a file that needs a DOM starts with `// @vitest-environment happy-dom`.
/** Workers are bundled as text by build.mjs; here there is nothing to run them. */
const workers = {
  name: "workers",
  enforce: "pre" as const,
  resolveId: (id: string) => (id.startsWith("worker:") ? "\0worker" : null),
  load: (id: string) => (id === "\0worker" ? 'export default "worker";' : null),
};

export default defineConfig({
  plugins: [workers],
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts"],
    setupFiles: ["tests/setup.mjs"],
    passWithNoTests: true,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
