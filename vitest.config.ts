import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "src/**/*.test.ts",
      "test/**/*.test.ts",
      "scripts/**/*.test.ts",
      "bench/**/*.test.ts",
      "web/src/**/*.test.ts",
    ],
    // Half of the time of most tests is waiting for processes that they started: on two cores two files at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Real ffmpeg runs on shared cores: a slow machine must not turn a right answer into a failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    setupFiles: ["test/support/fixed-seed.ts", "test/support/loopback-only.ts"],
  },
});
