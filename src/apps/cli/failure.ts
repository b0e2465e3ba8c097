import { ReelmillError } from "../../base/errors.ts";
import type { CliContext } from "./cli-context.ts";
import { exitCodeOf } from "./exit-codes.ts";

/**
 * Reports a failure on standard error, as text or, with LOG_FORMAT=json, as a log line, and gives the exit status. A failure
 * without a code is a fault in Reelmill itself and is shown with its stack.
 */
export async function reportFailure(error: unknown, context: CliContext): Promise<number> {
  if (context.environment["LOG_FORMAT"] === "json") {
    // Loaded only here: nearly no run needs the logger, and every run would wait for it.
    const { createLogger } = await import("../../base/log.ts");
    const logger = createLogger({ format: "json", level: "error", write: context.writeError });
    logger.error(error instanceof Error ? error.message : String(error), { error });
  } else if (error instanceof ReelmillError && error.code !== "INTERNAL") {
    context.writeError(`reelmill: ${error.message} (${error.code})\n`);
  } else {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    context.writeError(`reelmill: a fault in Reelmill itself, please report it (INTERNAL)\n${detail}\n`);
  }
  return exitCodeOf(error);
}
