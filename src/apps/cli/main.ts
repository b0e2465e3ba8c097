import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { systemClock } from "../../base/clock.ts";
import type { CliContext } from "./cli-context.ts";
import { reportFailure } from "./failure.ts";

const MIN_COLUMNS = 20;
const DEFAULT_COLUMNS = 80;

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  return String((manifest as { readonly version: unknown }).version);
}

/** The first signal asks the command to stop and clean up; a second one ends the process at once. */
function createInterruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
      controller.abort(name);
    });
  }
  return controller.signal;
}

function createSystemContext(): CliContext {
  return {
    writeOutput: (text) => {
      process.stdout.write(text);
    },
    writeError: (text) => {
      process.stderr.write(text);
    },
    isErrorTerminal: process.stderr.isTTY === true,
    columns: Math.max(MIN_COLUMNS, process.stderr.columns ?? DEFAULT_COLUMNS),
    signal: createInterruptSignal(),
    environment: process.env,
    clock: systemClock,
  };
}

/** A reader that went away (`reelmill … | head`) is no fault of ours, and no reason to leave a repair half done. */
function ignoreBrokenPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}

async function main(): Promise<void> {
  ignoreBrokenPipes();
  // Every running ffmpeg holds listeners of its own, and a batch may run more than the ten that Node warns about.
  process.setMaxListeners(0);
  const context = createSystemContext();
  try {
    const { runProgram } = await import("./program.ts");
    process.exitCode = await runProgram(process.argv.slice(2), readVersion(), context);
  } catch (error) {
    process.exitCode = await reportFailure(error, context);
  }
}

await main();
