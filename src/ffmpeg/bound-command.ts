import { spawnSync } from "node:child_process";

/** A program and its arguments. */
export interface Command {
  readonly path: string;
  readonly args: readonly string[];
}

/** setpriv(1) of util-linux; that of BusyBox knows no signal of a parent's death. */
const SETPRIV = "/usr/bin/setpriv";
const OPTIONS = ["--pdeathsig", "KILL", "--"] as const;
const NOT_FOUND = /^setpriv: failed to execute /;

let canBind: boolean | undefined;

/**
 * The command that has a program ended by the kernel (prctl(2), PR_SET_PDEATHSIG) as soon as the thread that started it has gone: a process that is killed can
 * end nothing itself. Linux with util-linux alone; elsewhere the command as it is.
 */
export function bindToThread(command: Command): Command {
  canBind ??= process.platform === "linux" && spawnSync(SETPRIV, [...OPTIONS, SETPRIV, "--version"]).status === 0;
  return canBind ? { path: SETPRIV, args: [...OPTIONS, command.path, ...command.args] } : command;
}

/** Whether there was no program to run: `bindToThread` has another one find that out. */
export function isUnstarted(exitCode: number, errorTail: string): boolean {
  return (exitCode === 126 || exitCode === 127) && NOT_FOUND.test(errorTail);
}
