import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { systemCodeOf } from "./system-code.ts";

/** Tells a process apart from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Start in ticks since the machine started, where the system tells; else empty. */
  readonly startTicks: string;
}

/** Field 22 of /proc/PID/stat, counted behind the program's name, which may hold blanks. */
function readStartTicks(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** The identity of this process. */
export function identifyThisProcess(): ProcessIdentity {
  return { pid: process.pid, host: hostname(), startTicks: readStartTicks(process.pid) };
}

/** Whether another process of that identity runs now. One on another machine cannot be seen and counts as ended. */
export function isRunning(identity: ProcessIdentity): boolean {
  if (identity.host !== hostname() || identity.pid === process.pid) return false;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    return systemCodeOf(error) === "EPERM";
  }
  return readStartTicks(identity.pid) === identity.startTicks;
}
