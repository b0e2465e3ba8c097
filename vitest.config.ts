import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Where the launcher keeps the compiled form of the sources: half of the time of a process that a test starts would go into compiling them. */
const COMPILE_CACHE = join(import.meta.dirname, "node_modules", ".reelmill", "compile-cache");

/** Files that put something of their own in the place of a module of Node's: others must not have loaded what takes it. */
const MOCKING = ["src/base/pending-output.test.ts", "src/adapters/local/move-across.test.ts"];

/** Of the tests that cross rooms, those that load much and leave nothing behind in their process. */
const SHARING = ["test/server/**/*.test.ts", "test/contract/**/*.test.ts", "test/lambda/**/*.test.ts"];

export default defineConfig({
  test: {
    // Much of the time of most tests is waiting: for processes that they started, leases, players. On two cores four files at a time.
    maxWorkers: Math.max(4, availableParallelism() - 1),
    // Real ffmpeg runs on shared cores: a slow machine must not turn a right answer into a failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
    // As the launcher has it: docs/decisions/0002-sources-run-unbuilt.md.
    execArgv: ["--no-memory-protection-keys"],
    globalSetup: "test/support/run-folder.ts",
    setupFiles: ["test/support/fixed-seed.ts", "test/support/loopback-only.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: [
            "src/**/*.test.ts",
            "scripts/**/*.test.ts",
            "bench/**/*.test.ts",
            "web/src/**/*.test.ts",
            ...SHARING,
          ],
          exclude: MOCKING,
          // Loading the modules anew for each file takes as long as all tests of a room together.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: "apart", include: ["test/**/*.test.ts", ...MOCKING], exclude: SHARING },
      },
    ],
  },
});
