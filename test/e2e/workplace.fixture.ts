import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { reportFailure } from "../../src/apps/cli/failure.ts";
import { runProgram } from "../../src/apps/cli/program.ts";
import { createRecordingContext } from "../../src/apps/cli/recording-context.fixture.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { RepairDocument } from "../../src/pipelines/repair/index.ts";
import { MADE_NAMES, makeRecordings, type Recordings } from "./recordings.fixture.ts";

/** How a command ended. */
export interface Ending {
  readonly status: number;
  readonly output: string;
  readonly error: string;
}

/** A folder per test, with fresh copies of the recordings in it. */
export interface Workplace {
  /** The present test's folder. */
  readonly folder: string;
  readonly files: Recordings;
  /** Begins a new folder; call before each test. */
  renew(): void;
  /** Removes all folders. */
  remove(): void;
  /** What lies in the folder besides the recordings made. */
  listAdded(): readonly string[];
}

/** Creates a workplace below the system's temporary folder. */
export function createWorkplace(): Workplace {
  const root = mkdtempSync(join(tmpdir(), "reelmill-e2e-"));
  let count = 0;
  let files: Recordings | undefined;
  const current = (): Recordings => {
    if (files === undefined) throw new Error("Call renew() before each test.");
    return files;
  };
  return {
    get folder() {
      return join(root, String(count));
    },
    get files() {
      return current();
    },
    renew: () => {
      count += 1;
      files = makeRecordings(join(root, String(count)));
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
    listAdded: () => readdirSync(join(root, String(count))).filter((name) => !MADE_NAMES.includes(name)),
  };
}

/** For `reelmill`: commands that wait for others, as they do in a process of their own. */
export const REAL_TIME = {
  clock: systemClock,
  sleep: async (delayMs: number, signal: AbortSignal): Promise<void> => await delay(delayMs, undefined, { signal }),
};

/** Runs a command as the program does, failures included. */
export async function reelmill(
  args: readonly string[],
  overrides: Parameters<typeof createRecordingContext>[0] = {},
): Promise<Ending> {
  const environment = { PATH: process.env["PATH"] };
  const context = createRecordingContext({ isErrorTerminal: false, environment, ...overrides });
  const status = await runProgram(args, "0", context).catch((error: unknown) => reportFailure(error, args, context));
  return { status, ...context.written };
}

/** Runs `repair` and gives its JSON document and exit status. */
export async function repairAsJson(...args: readonly string[]): Promise<RepairDocument & { readonly exit: number }> {
  const { status, output } = await reelmill(["repair", ...args, "--json"]);
  return { ...(JSON.parse(output) as RepairDocument), exit: status };
}

/** Of a file's bytes. */
export function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Packets over all streams, by ffprobe. */
export function countPackets(path: string): number {
  const args = ["-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", path];
  const counts = execFileSync("ffprobe", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return counts
    .trim()
    .split(/\s+/)
    .reduce((sum, count) => sum + Number.parseInt(count, 10), 0);
}
