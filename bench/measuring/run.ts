import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Slices } from "./slices.ts";

/** What running a command cost. */
export interface RunCost {
  /** Exit status, or minus the signal's number. */
  readonly exitCode: number;
  readonly timedOut: boolean;
  readonly wallSeconds: number;
  /** User and system time of the command and all it started. */
  readonly cpuSeconds: number;
  /** Largest resident set of any one of its processes. */
  readonly peakBytes: number;
}

const GNU_TIME = "/usr/bin/time";
const KIBIBYTE = 1024;
const POLL_MS = 5;
const WATCH_MS = 25;

/** How a command is measured. */
export interface MeasureOptions {
  /** Called with the id of the first process of the command's tree, again and again while it runs. */
  readonly watch?: (rootPid: number) => void;
  /** With others in turns. The wall time is then that of the own slices, while the timeout goes by all. */
  readonly slices?: Slices | undefined;
}

/**
 * Runs a shell command line and measures it, its output going to `logPath`. `/usr/bin/time` does the measuring where
 * it is installed: it is a small process, so the peak is the command's own and not inherited from this one. Without
 * it, /proc is polled, which may miss a short peak and the CPU time of the last milliseconds.
 */
export async function runMeasured(
  command: string,
  logPath: string,
  timeoutSeconds: number,
  { watch, slices }: MeasureOptions = {},
): Promise<RunCost> {
  const hasGnuTime = existsSync(GNU_TIME);
  const reportPath = `${logPath}.time`;
  const log = openSync(logPath, "w");
  const [file, ...args] = hasGnuTime
    ? [GNU_TIME, "-o", reportPath, "-f", "%e %U %S %M", "bash", "-c", command]
    : ["bash", "-c", command];
  const startedAt = performance.now();
  const child = spawn(file as string, args, { stdio: ["ignore", log, log], detached: true });
  const member = child.pid === undefined ? undefined : slices?.join(child.pid);
  const polled = { cpuSeconds: 0, peakBytes: 0 };
  const poll = hasGnuTime ? undefined : setInterval(() => pollProc(child.pid ?? 0, polled), POLL_MS);
  const watching = watch === undefined ? undefined : setInterval(() => watch(child.pid ?? 0), WATCH_MS);
  let timedOut = false;
  let slicedSeconds: number | undefined;
  const alarm = setTimeout(() => {
    timedOut = true;
    if (child.pid !== undefined) killGroup(child.pid);
  }, timeoutSeconds * 1000);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? (signal === null ? -1 : -9)));
  }).finally(() => {
    slicedSeconds = member?.leave();
    clearTimeout(alarm);
    clearInterval(poll);
    clearInterval(watching);
    closeSync(log);
  });
  const wallSeconds = slicedSeconds ?? (performance.now() - startedAt) / 1000;
  const cost = hasGnuTime ? readGnuTime(reportPath) : polled;
  return { exitCode: exitCode > 128 && exitCode < 160 ? 128 - exitCode : exitCode, timedOut, wallSeconds, ...cost };
}

/** Node's own start: wall time in seconds and resident bytes of an empty program, the median of five. */
export async function measureNodeFloor(
  logPath: string,
): Promise<{ readonly wallSeconds: number; readonly peakBytes: number }> {
  const runs: RunCost[] = [];
  for (let round = 0; round < 5; round++) {
    runs.push(await runMeasured(`${quoteForShell(process.execPath)} -e 0`, logPath, 60));
  }
  return {
    wallSeconds: median(runs.map((run) => run.wallSeconds)),
    peakBytes: median(runs.map((run) => run.peakBytes)),
  };
}

/** Fills the placeholders of a command template; each value is quoted for the shell. */
export function fillCommand(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : quoteForShell(value);
  });
}

/** One shell word. */
export function quoteForShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The launcher at the repository's root, as a shell word. */
export function launcher(): string {
  return quoteForShell(join(dirname(fileURLToPath(import.meta.url)), "..", "..", "reelmill"));
}

/** The middle value of a list that is not empty (the upper of the two middle ones where it is even). */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended in the meantime.
  }
}

function readGnuTime(path: string): { cpuSeconds: number; peakBytes: number } {
  const fields = existsSync(path) ? (readFileSync(path, "utf8").trim().split("\n").at(-1)?.split(" ") ?? []) : [];
  rmSync(path, { force: true });
  const [, user, system, kibibytes] = fields.map(Number);
  return { cpuSeconds: (user ?? Number.NaN) + (system ?? Number.NaN), peakBytes: (kibibytes ?? Number.NaN) * 1024 };
}

function pollProc(rootPid: number, seen: { cpuSeconds: number; peakBytes: number }): void {
  let ticks = 0;
  const pids = [rootPid];
  for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * KIBIBYTE;
      seen.peakBytes = Math.max(seen.peakBytes, peak);
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), in clock ticks of 10 ms.
      ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
      if (children !== "") pids.push(...children.split(" ").map(Number));
    } catch {
      // The process ended between two reads.
    }
  }
  seen.cpuSeconds = Math.max(seen.cpuSeconds, ticks / 100);
}
