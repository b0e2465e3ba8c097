import { ReelmillError } from "../../../base/errors.ts";
import type { CliContext } from "../cli-context.ts";
import { connect } from "../client/connect.ts";
import { REPLAYED } from "../client/views.ts";
import { EXIT_FAILURE, EXIT_OK } from "../exit-codes.ts";
import { requireLetterId } from "./dead-letters.ts";
import { forEachId } from "./each.ts";
import type { DeadLetterDiscardOptions, DeadLetterReplayOptions } from "./options.ts";
import { formatJson } from "./text.ts";

/** Puts dead letters' tasks back to work. Gives 0 where all were, else 1. Throws USAGE and what `ApiClient` does. */
export async function runDeadLettersReplayCommand(
  ids: readonly string[],
  options: DeadLetterReplayOptions,
  context: CliContext,
): Promise<number> {
  const { all, queue, json } = options;
  if (all === ids.length > 0) throw new ReelmillError("USAGE", "Name the dead letters to replay, or give --all.");
  if (queue !== undefined && !all) throw new ReelmillError("USAGE", "--queue goes with --all.");
  const letters = ids.map(requireLetterId);
  const client = await connect(options, context);
  let replayed = 0;
  let exitCode = EXIT_OK;
  if (all) {
    const headers = { "content-type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify({ queue }) } as const;
    replayed = (await client.ask("/v1/dead-letters/replay", REPLAYED, request)).value.replayed;
  } else {
    const replay = async (id: string): Promise<void> => {
      const { value } = await client.ask(`/v1/dead-letters/${id}/replay`, REPLAYED, { method: "POST" });
      replayed += value.replayed;
    };
    exitCode = await forEachId(letters, replay, context);
  }
  context.writeOutput(json ? formatJson({ replayed }) : `${replayed} put back to work.\n`);
  return exitCode;
}

/**
 * Forgets dead letters, after asking. Gives 0 where all are gone, 1 where some are not or the answer was no. Throws USAGE,
 * also where nobody can be asked, and what `ApiClient` does.
 */
export async function runDeadLettersDiscardCommand(
  ids: readonly string[],
  options: DeadLetterDiscardOptions,
  context: CliContext,
): Promise<number> {
  const letters = ids.map(requireLetterId);
  const client = await connect(options, context);
  if (!options.yes && !(await isConfirmed(letters, context))) {
    context.writeError("Nothing was discarded.\n");
    return EXIT_FAILURE;
  }
  let discarded = 0;
  const discard = async (id: string): Promise<void> => {
    await client.tell(`/v1/dead-letters/${id}`, { method: "DELETE" });
    discarded += 1;
  };
  const exitCode = await forEachId(letters, discard, context);
  context.writeOutput(options.json ? formatJson({ discarded }) : `${discarded} discarded.\n`);
  return exitCode;
}

async function isConfirmed(letters: readonly string[], { askUser, signal }: CliContext): Promise<boolean> {
  if (askUser === undefined) {
    throw new ReelmillError("USAGE", "Nobody can be asked here; give --yes to discard without a question.");
  }
  const what = letters.length === 1 ? `dead letter ${letters[0]}` : `${letters.length} dead letters`;
  const answer = await askUser(`Discard ${what} for good? [y/N] `);
  if (signal.aborted) throw new ReelmillError("ABORTED", "Cancelled.");
  return /^y(es)?$/i.test(answer.trim());
}
