import { explainConfig } from "../../base/config.ts";
import { printableJson } from "../../base/printable.ts";
import type { CliContext } from "./cli-context.ts";
import type { ConfigCommandOptions } from "./command-options.ts";
import { EXIT_OK } from "./exit-codes.ts";
import { formatTable } from "./table.ts";

/** Shows every setting with its value and where that came from; of secrets only whether they are set. Gives 0. Throws CONFIG_INVALID. */
export function runConfigCommand(options: ConfigCommandOptions, context: CliContext): number {
  const settings = explainConfig(context.environment);
  if (options.json) {
    context.writeOutput(`${printableJson({ settings })}\n`);
    return EXIT_OK;
  }
  const rows = settings.map(({ name, value, source }) => [name, source, value]);
  context.writeOutput(formatTable([{ title: "setting" }, { title: "from" }, { title: "value" }], rows));
  return EXIT_OK;
}
