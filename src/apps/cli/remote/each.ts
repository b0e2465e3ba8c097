import { ReelmillError } from "../../../base/errors.ts";
import type { CliContext } from "../cli-context.ts";
import { EXIT_FAILURE, EXIT_OK } from "../exit-codes.ts";
import { reportFileFailure } from "../failure.ts";

/** What is wrong with the server or the command is wrong for all that was asked. */
const FATAL = new Set(["SERVER_UNREACHABLE", "SERVER_ANSWER_INVALID", "UNAUTHORIZED", "ABORTED", "USAGE"]);

/** Does something with each id; one that is refused is reported and does not stop the others. Gives 0 where all went well, else 1. */
export async function forEachId(
  ids: readonly string[],
  work: (id: string) => Promise<void>,
  context: CliContext,
): Promise<number> {
  let exitCode = EXIT_OK;
  for (const id of ids) {
    try {
      await work(id);
    } catch (error) {
      if (!(error instanceof ReelmillError) || FATAL.has(error.code)) throw error;
      await reportFileFailure({ path: id, code: error.code, message: error.message, notices: [] }, context);
      exitCode = EXIT_FAILURE;
    }
  }
  return exitCode;
}
