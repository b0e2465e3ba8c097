import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { childrenOf } from "./process-tree.ts";

/** Resident bytes of a Node process of ours, whatever the input's length. */
export const MAX_NODE_BYTES = 150e6;

/** Watches the Node processes of a command, what they start left aside. */
export interface NodePeak {
  /** To be called again and again while the command runs; takes the id of the first process of its tree. */
  readonly sample: (rootPid: number) => void;
  /** The largest resident set that one of them ever had, in bytes; NaN where none was seen. */
  readonly peakBytes: () => number;
}

/** Creates a watch. The kernel keeps each process's peak, so that only growth after the last look is missed. */
export function watchNodePeak(): NodePeak {
  let largest = Number.NaN;
  return {
    sample: (rootPid) => {
      const pids = [rootPid];
      for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
        pids.push(...childrenOf(pid));
        const peakBytes = peakOfNode(pid);
        if (peakBytes !== undefined) largest = Math.max(peakBytes, Number.isNaN(largest) ? 0 : largest);
      }
    },
    peakBytes: () => largest,
  };
}

function peakOfNode(pid: number): number | undefined {
  try {
    if (!basename(readlinkSync(`/proc/${pid}/exe`)).startsWith("node")) return undefined;
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    // The process ended between two reads.
    return undefined;
  }
}
