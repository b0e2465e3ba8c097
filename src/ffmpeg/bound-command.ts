import { spawnSync } from "node:child_process";

/** A program and its arguments. */
export interface Command {
  readonly path: string;
  readonly args: readonly string[];
}

/** setpriv(1) of util-linux; that of BusyBox knows no signal of a parent's death. */
const SETPRIV = "/usr/bin/setpriv";
const OPTIONS = ["--pdeathsig", "KILL", "--"] as const;
/** It does nothing but start itself: should it hang, the command is left as it is. */
const TRIAL_MS = 2000;
/** Said by setpriv alone, in whatever language. */
const COMPLAINT = /^setpriv: /;

/** What a trial told, once it told something: machines do not change. */
let canBind: boolean | undefined;

/**
 * The command that has a program ended by the kernel (prctl(2), PR_SET_PDEATHSIG) as soon as the thread that started it has gone: a process that is killed can
 * end nothing itself. Linux with util-linux alone; elsewhere the command as it is.
 */
export function bindToThread(command: Command): Command {
  canBind ??= tryBinding();
  return canBind ? { path: SETPRIV, args: [...OPTIONS, command.path, ...command.args] } : command;
}

/** Undefined where the trial itself could not be made for now. */
function tryBinding(): boolean | undefined {
  if (process.platform !== "linux") return false;
  const args = [...OPTIONS, SETPRIV, "--version"];
  const { status, error } = spawnSync(SETPRIV, args, { env: {}, stdio: "ignore", timeout: TRIAL_MS });
  if (status !== null) return status === 0;
  return error !== undefined && "code" in error && error.code === "ENOENT" ? false : undefined;
}

/** Whether what ended is setpriv, which could not start the program, and not the program. */
export function isUnstarted(exitCode: number, errorTail: string): boolean {
  return (exitCode === 126 || exitCode === 127) && COMPLAINT.test(errorTail);
}
