import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/synthesize.ts"],
    setupFiles: ["test/loopback-only.ts"],
    // Templates are made in the setup and in a few tests; two cores are enough.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
