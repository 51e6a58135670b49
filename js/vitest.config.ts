import { defineConfig } from "vitest/config";

// Node is the default; a file that needs a DOM starts with `// @vitest-environment happy-dom`.
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts"],
    setupFiles: ["tests/setup.mjs"],
    passWithNoTests: true,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
