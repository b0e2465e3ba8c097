import { describeFailure } from "../../base/describe-failure.ts";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { printableJson, printableLine, printableText } from "../../base/printable.ts";
import { formatCount } from "../../base/units.ts";
import type { CliContext } from "./cli-context.ts";
import { exitCodeOf } from "./exit-codes.ts";

/** Whether failures and notices are to be written as log lines. */
function isLogged({ environment }: Pick<CliContext, "environment">): boolean {
  return environment["LOG_FORMAT"] === "json";
}

/** Writes log lines to standard error, where LOG_FORMAT=json asks for them. */
async function createErrorLogger({ writeError }: Pick<CliContext, "writeError">): Promise<Logger> {
  // Loaded only here: nearly no run needs the logger, and every run would wait for it.
  const { createLogger } = await import("../../base/log.ts");
  return createLogger({ format: "json", level: "info", write: (line) => writeError(printableText(line)) });
}

/** Also of a command line that could not be understood; behind `--` all are names. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end === -1 ? args : args.slice(0, end)).includes("--json");
}

/** Says on standard error that a path was left out, and why: as text or, with LOG_FORMAT=json, as a log line. */
export async function reportSkipped(path: string, reason: string, context: CliContext): Promise<void> {
  if (isLogged(context)) (await createErrorLogger(context)).warn(`Left out: ${reason}`, { file: path });
  else context.writeError(`reelmill: ${printableLine(path)} is left out: ${printableLine(reason)}\n`);
}

/** What went wrong with one file, or kept it from being looked at. */
export interface FileFailure {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly notices: readonly string[];
}

/** Reports what went wrong with a file on standard error, as text or, with LOG_FORMAT=json, as a log line. */
export async function reportFileFailure(failure: FileFailure, context: CliContext): Promise<void> {
  const { path, code, message, notices } = failure;
  if (isLogged(context)) {
    const logger = await createErrorLogger(context);
    const error = new ReelmillError(code, message);
    logger.error(message, { file: path, error, ...(notices.length > 0 ? { notices } : {}) });
    return;
  }
  // Most messages name the file already.
  const named = message.includes(path) ? message : `${path}: ${message}`;
  context.writeError(`reelmill: ${printableLine(named)} (${code})\n`);
  for (const notice of notices) context.writeError(`  ${printableLine(notice)}\n`);
}

/**
 * Reports a failure that ended the command with these arguments, and gives the exit status: on standard error, as text or, with
 * LOG_FORMAT=json, as a log line; with `--json` on standard output, too, where the command has printed nothing there yet. A
 * failure without a code is a fault in Reelmill itself and is shown with its stack.
 */
export async function reportFailure(error: unknown, args: readonly string[], context: CliContext): Promise<number> {
  if (asksForJson(args) && !context.hasOutput()) {
    context.writeOutput(`${printableJson({ schema: 1, error: describeFailure(error) })}\n`);
  }
  if (isLogged(context)) {
    const logger = await createErrorLogger(context);
    logger.error(error instanceof Error ? error.message : String(error), { error });
  } else if (error instanceof ReelmillError && error.code !== "INTERNAL") {
    context.writeError(`reelmill: ${printableLine(error.message)} (${error.code})\n`);
  } else {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    context.writeError(`reelmill: a fault in Reelmill itself, please report it (INTERNAL)\n${printableText(detail)}\n`);
  }
  return exitCodeOf(error, context.signal.reason);
}

/**
 * Throws ABORTED where that is what went wrong with a file: of the many programs that work at it, one happened to be told. `notBegun`: how many files were to
 * follow it.
 */
export function requireUncancelled(error: unknown, path: string, deed: string, notBegun = 0): void {
  if (!(error instanceof ReelmillError && error.code === "ABORTED")) return;
  const others =
    notBegun === 0 ? "" : ` ${formatCount(notBegun, "file")} behind it ${notBegun === 1 ? "was" : "were"} not begun.`;
  throw new ReelmillError("ABORTED", `${path} was not ${deed}: the work was cancelled.${others}`, { cause: error });
}
