import { ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import threads from "node:worker_threads";

/*
 * The guard of a test runner's process: nothing of it, of its threads and of the Node processes that it starts may talk to anything but this machine.
 * Nothing of the test runner is imported here: `infra/` has another one.
 */

const GUARD = pathToFileURL(join(import.meta.dirname, "refuse-outside.mjs"));
const PREFIX = "refused-";

/** As `refuse-outside.mjs` has it. Modules run again for each test file of a process; the guard is set up once. */
const KEPT = Symbol.for("reelmill.tests.refused");
const kept = globalThis as { [KEPT]?: string[] };

/** Sets the guard up, and gives a function that takes what was refused since: hosts, those of children with what they run. Children note theirs in the folder. */
export async function guardProcess(folder: string): Promise<() => readonly string[]> {
  const report = join(folder, `${PREFIX}${process.pid}`);
  const isSetUp = kept[KEPT] !== undefined;
  kept[KEPT] ??= [];
  const refused = kept[KEPT];
  if (!isSetUp) {
    await import(GUARD.href);
    const url = new URL(GUARD);
    url.searchParams.set("report", report);
    guardChildren(`--import=${url}`);
  }
  return () => [...refused.splice(0), ...takeLines(report)];
}

/** Has the test that runs fail as if it had tried itself: for programs that only others can watch. */
export function noteRefused(what: string): void {
  kept[KEPT]?.push(what);
}

/** Removes the folder at the end of a run. Throws where children were refused a way out after the last test that could hear of it. */
export function endRun(folder: string): void {
  const reports = readdirSync(folder).filter((name) => name.startsWith(PREFIX));
  const unheard = reports.flatMap((name) => takeLines(join(folder, name)));
  rmSync(folder, { recursive: true, force: true });
  if (unheard.length === 0) return;
  throw new Error(`Processes that tests had started tried to leave this machine:\n${unheard.join("\n")}`);
}

function takeLines(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  rmSync(path);
  return lines;
}

/** Children inherit the option with the environment, threads with the process; what is tested may give either an environment of its own. */
function guardChildren(option: string): void {
  const inherited = [process.env["NODE_OPTIONS"] ?? "", option].join(" ").trim();
  process.env["NODE_OPTIONS"] = inherited;
  // Which all kinds of starting a child go through, but those that wait for its end.
  const prototype = ChildProcess.prototype as unknown as { spawn(options: SpawnOptions): unknown };
  const { spawn } = prototype;
  prototype.spawn = function guarded(options) {
    const { file, envPairs } = options;
    const isTold = envPairs.some((pair) => pair.startsWith("NODE_OPTIONS="));
    const isNode = file === process.execPath;
    return spawn.call(
      this,
      isNode && !isTold ? { ...options, envPairs: [...envPairs, `NODE_OPTIONS=${inherited}`] } : options,
    );
  };
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(file: string | URL, options: threads.WorkerOptions = {}) {
      super(file, { ...options, execArgv: [...(options.execArgv ?? []), option] });
    }
  };
  syncBuiltinESMExports();
}

/** What Node itself makes of a child's options. */
interface SpawnOptions {
  readonly file: string;
  /** `name=value`, each. */
  readonly envPairs: readonly string[];
}
