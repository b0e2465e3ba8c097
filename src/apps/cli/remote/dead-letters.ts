import { ReelmillError } from "../../../base/errors.ts";
import type { Json } from "../../../base/json.ts";
import type { CliContext } from "../cli-context.ts";
import { connect } from "../client/connect.ts";
import { withQuery } from "../client/paths.ts";
import { DEAD_LETTERS, type DeadLetterView } from "../client/views.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import type { DeadLetterListOptions, RemoteOptions } from "./options.ts";
import { formatError, formatFields, formatJson, formatTime } from "./text.ts";

/** Lists dead letters, as a table or as JSON. Gives 0. Throws what `ApiClient` does. */
export async function runDeadLettersListCommand(options: DeadLetterListOptions, context: CliContext): Promise<number> {
  const client = await connect(options, context);
  const { raw, value } = await client.ask(withQuery("/v1/dead-letters", { queue: options.queue }), DEAD_LETTERS);
  if (options.json) context.writeOutput(formatJson(raw));
  else if (value.deadLetters.length === 0) context.writeOutput("No dead letters.\n");
  else context.writeOutput(formatLetters(value.deadLetters));
  return EXIT_OK;
}

/** Shows one dead letter. Gives 0. Throws DEAD_LETTER_NOT_FOUND, USAGE and what `ApiClient` does. */
export async function runDeadLettersShowCommand(
  id: string,
  options: RemoteOptions,
  context: CliContext,
): Promise<number> {
  requireLetterId(id);
  const client = await connect(options, context);
  const { raw, value } = await client.ask("/v1/dead-letters", DEAD_LETTERS);
  const index = value.deadLetters.findIndex((letter) => String(letter.id) === id);
  const letter = value.deadLetters[index];
  if (letter === undefined) throw new ReelmillError("DEAD_LETTER_NOT_FOUND", `There is no dead letter ${id}.`);
  if (options.json)
    context.writeOutput(formatJson((raw as { readonly deadLetters: readonly Json[] }).deadLetters[index]));
  else context.writeOutput(formatLetter(letter));
  return EXIT_OK;
}

/** A dead letter's id as the command line gives it. Throws USAGE where it is none. */
export function requireLetterId(id: string): string {
  if (/^\d{1,16}$/.test(id)) return String(Number(id));
  throw new ReelmillError("USAGE", `"${id}" is no dead letter's id, which is a number.`);
}

function formatLetters(letters: readonly DeadLetterView[]): string {
  const columns = [
    { title: "id", align: "right" },
    { title: "queue" },
    { title: "job" },
    { title: "task" },
    { title: "received", align: "right" },
    { title: "given up (UTC)" },
    { title: "why" },
  ] as const;
  const rows = letters.map((letter) => [
    String(letter.id),
    letter.queue,
    letter.jobId,
    `${letter.stage} ${letter.index}`,
    String(letter.receiveCount),
    formatTime(letter.deadAt),
    formatError(letter.reason),
  ]);
  return formatTable(columns, rows);
}

function formatLetter(letter: DeadLetterView): string {
  return formatFields([
    ["dead letter", String(letter.id)],
    ["queue", letter.queue],
    ["job", letter.jobId],
    ["task", `${letter.stage} ${letter.index}`],
    ["received", `${letter.receiveCount} times`],
    ["sent", formatTime(letter.sentAt)],
    ["given up", formatTime(letter.deadAt)],
    ["why", formatError(letter.reason)],
  ]);
}
