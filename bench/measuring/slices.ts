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
  let turn: { readonly member: Running; readonly fromMs: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const book = (): void => {
    if (turn !== undefined) turn.member.runMs += performance.now() - turn.fromMs;
    turn = undefined;
  };
  const begin = (member: Running): void => {
    signalTree(member.rootPid, "SIGCONT");
    turn = { member, fromMs: performance.now() };
  };
  const pass = (): void => {
    if (turn === undefined) return;
    const { member } = turn;
    const next = members[(members.indexOf(member) + 1) % members.length];
    if (next === undefined || next === member) return;
    signalTree(member.rootPid, "SIGSTOP");
    book();
    begin(next);
  };
  return {
    join: (rootPid) => {
      const member: Running = { rootPid, runMs: 0 };
      members.push(member);
      if (turn === undefined) begin(member);
      else signalTree(rootPid, "SIGSTOP");
      timer ??= setInterval(pass, sliceSeconds * 1000);
      return {
        leave: () => {
          const index = members.indexOf(member);
          members.splice(index, 1);
          if (turn?.member === member) {
            book();
            const next = members[index % members.length];
            if (next !== undefined) begin(next);
          }
          if (members.length === 0) {
            clearInterval(timer);
            timer = undefined;
          }
          return member.runMs / 1000;
        },
      };
    },
  };
}

/** From the root on, so that what is stopped starts nothing that is not seen. */
function signalTree(rootPid: number, signal: "SIGSTOP" | "SIGCONT"): void {
  const pids = [rootPid];
  for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
      continue;
    }
    pids.push(...childrenOf(pid));
  }
}
