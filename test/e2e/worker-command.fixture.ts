import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../support/documentation.ts";

/** A `reelmill worker` of its own process. */
export interface WorkerCommand {
  readonly process: ChildProcess;
  /** What it has written to standard error so far, line by line as JSON. */
  lines(): readonly Readonly<Record<string, unknown>>[];
  /** Resolves once it has written so many lines, default 1, whose messages match. Rejects where it ends before. */
  said(message: RegExp, times?: number): Promise<void>;
  /** Resolves when it has ended. */
  ended(): Promise<{ readonly status: number | null; readonly output: string }>;
}

/** Starts a batch worker with nothing but the environment given, the path, and where compiled sources are kept. */
export function startBatchWorker(environment: Readonly<Record<string, string>>): WorkerCommand {
  return startWorker(environment, ["--once"]);
}

/** As `startBatchWorker`, one that stays unless the arguments say otherwise. */
export function startWorker(
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): WorkerCommand {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [join(ROOT, "src/apps/cli/main.ts"), "worker", ...args], {
    env: { PATH, NODE_COMPILE_CACHE, LOG_FORMAT: "json", LOG_LEVEL: "debug", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  const watchers = new Set<() => void>();
  child.stdout.on("data", (piece: Buffer) => {
    output += piece.toString();
  });
  child.stderr.on("data", (piece: Buffer) => {
    errors += piece.toString();
    for (const watcher of watchers) watcher();
  });
  const ended = new Promise<{ status: number | null; output: string }>((resolve) => {
    child.once("close", (status) => resolve({ status, output }));
  });
  const lines = (): readonly Readonly<Record<string, unknown>>[] =>
    errors
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    process: child,
    lines,
    ended: () => ended,
    said: async (message, times = 1) => {
      const seen = new Promise<void>((resolve) => {
        const look = (): void => {
          if (lines().filter((line) => message.test(String(line["message"]))).length >= times) resolve();
        };
        watchers.add(look);
        look();
      });
      const early = ended.then(({ status }) => {
        throw new Error(`The worker ended with ${status} before it said ${message}:\n${errors}`);
      });
      await Promise.race([seen, early]);
    },
  };
}
