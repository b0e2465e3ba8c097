import { childrenOf } from "./process-tree.ts";

/** Lets one of several commands run at a time, each for a slice, the others stopped. */
export interface Slices {
  /** Lets a command take part from now on; takes the id of the first process of its tree. */
  readonly join: (rootPid: number) => Member;
}

/** A command that takes part. */
export interface Member {
  /** To be called once it has ended. Gives for how long it ran, seconds, without those in which it was stopped. */
  readonly leave: () => number;
}

/** By these the benchmark is ended from outside. */
const ENDING = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

interface Running {
  readonly rootPid: number;
  runMs: number;
}

/**
 * Creates slices of so many seconds. What else a machine does changes within minutes, and a command of half an hour measured behind another of
 * half an hour meets another machine; in slices both meet the same.
 */
export function createSlices(sliceSeconds: number): Slices {
  const members: Running[] = [];
  let turn: { readonly member: Running; readonly fromMs: number; readonly timer: NodeJS.Timeout } | undefined;
  const end = (): void => {
    if (turn === undefined) return;
    clearTimeout(turn.timer);
    turn.member.runMs += performance.now() - turn.fromMs;
    turn = undefined;
  };
  const begin = (member: Running): void => {
    signalTree(member.rootPid, "SIGCONT");
    turn = { member, fromMs: performance.now(), timer: setTimeout(pass, sliceSeconds * 1000, member) };
  };
  const pass = (member: Running): void => {
    const next = members[(members.indexOf(member) + 1) % members.length] ?? member;
    if (next !== member) signalTree(member.rootPid, "SIGSTOP");
    end();
    begin(next);
  };
  // Who is stopped would never end, and all at once they would take hours.
  const release = (signal: NodeJS.Signals): void => {
    for (const { rootPid } of members) signalTree(rootPid, "SIGKILL");
    process.kill(process.pid, signal);
  };
  return {
    join: (rootPid) => {
      const member: Running = { rootPid, runMs: 0 };
      members.push(member);
      if (members.length === 1) for (const signal of ENDING) process.once(signal, release);
      if (turn === undefined) begin(member);
      else signalTree(rootPid, "SIGSTOP");
      return {
        leave: () => {
          const index = members.indexOf(member);
          members.splice(index, 1);
          if (turn?.member === member) {
            end();
            const next = members[index % members.length];
            if (next !== undefined) begin(next);
          }
          if (members.length === 0) for (const signal of ENDING) process.off(signal, release);
          return member.runMs / 1000;
        },
      };
    },
  };
}

/** From the root on, so that what is stopped starts nothing that is not seen. */
function signalTree(rootPid: number, signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
  const pids = [rootPid];
  for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
    const children = signal === "SIGKILL" ? childrenOf(pid) : [];
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
      continue;
    }
    pids.push(...children, ...childrenOf(pid));
  }
}
