import { readFileSync } from "node:fs";
import { childrenOf } from "./process-tree.ts";

/** Watches some of a command's processes. */
export interface CpuWatch {
  /** To be called again and again while the command runs; takes the id of the first process of its tree. */
  readonly sample: (rootPid: number) => void;
  /** User and system time of those processes; what they used after the last look, some 25 ms each, is missing. NaN where none was seen. */
  readonly cpuSeconds: () => number;
  /** From the first look that saw one to the last. NaN where none was seen. */
  readonly wallSeconds: () => number;
}

/** Clock ticks per second of proc(5), which Linux has everywhere. */
const TICKS_PER_SECOND = 100;

/** Creates a watch of the processes whose arguments, joined by blanks, hold the text. */
export function watchCpu(text: string): CpuWatch {
  const ticksOf = new Map<number, number>();
  let firstMs = Number.NaN;
  let lastMs = Number.NaN;
  return {
    sample: (rootPid) => {
      const pids = [rootPid];
      for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
        pids.push(...childrenOf(pid));
        const ticks = ticksOf.has(pid) || hasArgument(pid, text) ? readTicks(pid) : undefined;
        if (ticks === undefined) continue;
        ticksOf.set(pid, ticks);
        lastMs = performance.now();
        if (Number.isNaN(firstMs)) firstMs = lastMs;
      }
    },
    cpuSeconds: () =>
      ticksOf.size === 0 ? Number.NaN : [...ticksOf.values()].reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND,
    wallSeconds: () => (lastMs - firstMs) / 1000,
  };
}

function hasArgument(pid: number, text: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    // A shell that is given the command as one text is not the command.
    return !words.includes("-c") && words.join(" ").includes(text);
  } catch {
    // It has ended.
    return false;
  }
}

/** utime and stime: fields 14 and 15 of proc(5). */
function readTicks(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [user = 0, system = 0] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13)
      .map(Number);
    return user + system;
  } catch {
    return undefined;
  }
}
