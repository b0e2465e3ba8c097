import { type ChildProcess, spawn } from "node:child_process";
import { tracingChannel } from "node:diagnostics_channel";
import { basename } from "node:path";
import { Readable, Writable } from "node:stream";
import type { Environment } from "../base/config-defaults.ts";
import { ReelmillError } from "../base/errors.ts";
import { bindToThread, isUnstarted } from "./bound-command.ts";
import { programEnvironment } from "./program-environment.ts";

const DEFAULT_MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const STDERR_TAIL_BYTES = 16 * 1024;
const DEFAULT_GRACE_MS = 3000;
/** The descriptor at which a program reads an input: standard input, then those behind standard error. */
export function inputDescriptor(index: number): number {
  return index === 0 ? 0 : 2 + index;
}

/** Bounds and hooks of one run. */
export interface ProcessOptions {
  /** The run is stopped and FFMPEG_TIMEOUT thrown after this many milliseconds, > 0. */
  readonly timeoutMs: number;
  /** Stops the run; ABORTED is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Takes standard output piece by piece; without it the output is collected. */
  readonly onOutput?: ((piece: Buffer) => void) | undefined;
  /** The run is stopped and FFMPEG_FAILED thrown when standard output exceeds this many bytes; default 64 MiB. */
  readonly maxOutputBytes?: number | undefined;
  /** What the program reads at the descriptors that `inputDescriptor` tells, asked for as it reads; without any there is no standard input. */
  readonly inputs?: readonly Iterable<Uint8Array>[] | undefined;
  /** Takes standard error piece by piece, besides what is kept of it. */
  readonly onErrorOutput?: ((piece: Buffer) => void) | undefined;
  /** Where it runs; default: where this process does. */
  readonly folder?: string | undefined;
  /** All the variables that it has; default: those of this process but for its secrets. */
  readonly environment?: Environment | undefined;
  /** From SIGTERM to SIGKILL, in milliseconds; default 3000. */
  readonly graceMs?: number | undefined;
}

/** What a run left, whatever its exit status. */
export interface ProcessResult {
  readonly exitCode: number;
  /** Standard output; empty where `onOutput` took it. */
  readonly output: Buffer;
  /** The last 16 KiB of standard error. */
  readonly errorTail: string;
}

/** A run as those hear of it who follow `PROCESS_RUNS`. */
export interface ProcessRun {
  readonly program: string;
  /** Once it has ended. */
  readonly result?: ProcessResult;
  /** What it threw. */
  readonly error?: unknown;
}

/** Tells of every run in this thread, so that whoever measures them needs not be known to all who start one. */
export const PROCESS_RUNS = tracingChannel<string, ProcessRun>("reelmill:process");

function keepTail(tail: Buffer, piece: Buffer): Buffer {
  return Buffer.concat([tail, piece]).subarray(-STDERR_TAIL_BYTES);
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // The group is already gone.
  }
}

/** Hands over what the program reads; gives a function that ends that. What one of `inputs` throws ends the run. */
function feed(child: ChildProcess, inputs: readonly Iterable<Uint8Array>[], stop: (why: Error) => void): () => void {
  const endings = inputs.map((input, index) => {
    const pipe = child.stdio[inputDescriptor(index)];
    if (!(pipe instanceof Writable)) return () => undefined;
    const pieces = Readable.from(input, { highWaterMark: 1 });
    pieces.on("error", stop);
    // A program that has read enough closes its end, which is no failure of the run.
    pipe.on("error", () => undefined);
    pieces.pipe(pipe);
    return () => pieces.destroy();
  });
  return () => {
    for (const end of endings) end();
  };
}

/** Signals that a program brings upon itself (signal(7)): another try ends no better. */
const CRASHES: ReadonlySet<NodeJS.Signals> = new Set([
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGSEGV",
  "SIGSYS",
  "SIGTRAP",
]);

const CRASH_ADVICE =
  "The fault is its own, or that of a codec in it: another encoder (a conversion takes --speed or --to) or a newer ffmpeg may not have it.";

function endedBySignal(program: string, signal: NodeJS.Signals): ReelmillError {
  return CRASHES.has(signal)
    ? new ReelmillError("FFMPEG_FAILED", `${program} crashed (${signal}).`, { advice: CRASH_ADVICE })
    : new ReelmillError("PROGRAM_KILLED", `${program} was killed from outside (${signal}); has memory run out?`);
}

interface Stopper {
  /** Begins to end the process group; the first reason given is the one thrown. */
  readonly stop: (reason: Error) => void;
  readonly reason: () => Error | undefined;
  /** Ends the timers and listeners; nothing is signalled any more. */
  readonly release: () => void;
}

/** The programs that run, which end when this process does; where it is killed, `bindToThread` sees to that. One listener for all: Node warns of a leak beyond ten. */
const running = new Set<ChildProcess>();

function endAll(): void {
  for (const child of running) signalGroup(child, "SIGKILL");
}

function endWithProcess(child: ChildProcess): void {
  if (running.size === 0) process.once("exit", endAll);
  running.add(child);
}

function leave(child: ChildProcess): void {
  running.delete(child);
  if (running.size === 0) process.off("exit", endAll);
}

/** Ends the process group on time-out, abort, or when this process itself exits. */
function guardProcess(child: ChildProcess, program: string, options: ProcessOptions): Stopper {
  let reason: Error | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (why: Error): void => {
    if (reason !== undefined) return;
    reason = why;
    signalGroup(child, "SIGTERM");
    killTimer = setTimeout(() => signalGroup(child, "SIGKILL"), options.graceMs ?? DEFAULT_GRACE_MS);
  };
  const onAbort = (): void => stop(new ReelmillError("ABORTED", `${program} was cancelled.`));
  const timer = setTimeout(() => {
    const message = `${program} did not finish within ${options.timeoutMs / 1000} s and was stopped.`;
    stop(new ReelmillError("FFMPEG_TIMEOUT", message));
  }, options.timeoutMs);
  options.signal?.addEventListener("abort", onAbort, { once: true });
  endWithProcess(child);
  const release = (): void => {
    clearTimeout(timer);
    clearTimeout(killTimer);
    options.signal?.removeEventListener("abort", onAbort);
    leave(child);
  };
  return { stop, reason: () => reason, release };
}

/**
 * Runs a program without a shell, in a process group of its own, told no secret unless `environment` has one. Resolves with any exit status.
 * Throws FFMPEG_MISSING when the program cannot be started, FFMPEG_TIMEOUT, ABORTED, FFMPEG_FAILED when the output
 * exceeds its bound or the program crashes, PROGRAM_KILLED, and what `onOutput` and `inputs` throw; in each case the whole group has ended before the promise settles.
 */
export async function runProcess(
  path: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const run: ProcessRun = { program: basename(path) };
  return await PROCESS_RUNS.tracePromise(() => runUntraced(path, args, options), run);
}

/** What a taker throws would end the whole process; it ends the run instead. */
function hand(take: (piece: Buffer) => void, piece: Buffer, guard: Stopper): void {
  try {
    take(piece);
  } catch (error) {
    guard.stop(error instanceof Error ? error : new Error(String(error)));
  }
}

function unstarted(path: string, cause: unknown): ReelmillError {
  return new ReelmillError("FFMPEG_MISSING", `${path} could not be started.`, { cause });
}

async function runUntraced(path: string, args: readonly string[], options: ProcessOptions): Promise<ProcessResult> {
  const program = basename(path);
  if (options.signal?.aborted) throw new ReelmillError("ABORTED", `${program} was cancelled before it began.`);
  const maxOutputBytes = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
  const inputs = options.inputs ?? [];
  const command = bindToThread({ path, args });
  const child = spawn(command.path, command.args, {
    detached: true,
    // biome-ignore lint/style/noProcessEnv: what a program inherits is this process's own.
    env: options.environment ?? programEnvironment(process.env),
    stdio: [inputs.length > 0 ? "pipe" : "ignore", "pipe", "pipe", ...inputs.slice(1).map(() => "pipe" as const)],
    cwd: options.folder,
  });
  const guard = guardProcess(child, program, options);
  const stopFeeding = feed(child, inputs, guard.stop);
  const pieces: Buffer[] = [];
  let outputBytes = 0;
  let errorTail: Buffer = Buffer.alloc(0);
  child.stdout?.on("data", (piece: Buffer) => {
    outputBytes += piece.length;
    if (outputBytes > maxOutputBytes) {
      guard.stop(new ReelmillError("FFMPEG_FAILED", `${program} printed more than ${maxOutputBytes} bytes.`));
    } else if (options.onOutput) {
      hand(options.onOutput, piece, guard);
    } else {
      pieces.push(piece);
    }
  });
  child.stderr?.on("data", (piece: Buffer) => {
    errorTail = keepTail(errorTail, piece);
    if (options.onErrorOutput) hand(options.onErrorOutput, piece, guard);
  });
  try {
    const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((settle, fail) => {
      child.once("close", (...ending) => settle(ending));
      child.once("error", (error) => {
        fail(unstarted(path, error));
      });
    });
    const reason = guard.reason();
    if (reason !== undefined) throw reason;
    // What came before may look like a whole result.
    if (exitCode === null) throw endedBySignal(program, signal ?? "SIGKILL");
    const complaints = errorTail.toString("utf8");
    if (isUnstarted(exitCode, complaints)) throw unstarted(path, new Error(complaints.trim()));
    return { exitCode, output: Buffer.concat(pieces), errorTail: complaints };
  } finally {
    stopFeeding();
    guard.release();
  }
}
