import { type EffectiveSetting, explainConfig, loadConfig } from "../../base/config.ts";
import type { Environment } from "../../base/config-defaults.ts";
import { printableJson } from "../../base/printable.ts";
import type { CliContext } from "./cli-context.ts";
import { readPlace, serverHere } from "./client/place.ts";
import type { ConfigCommandOptions } from "./command-options.ts";
import { EXIT_OK } from "./exit-codes.ts";
import { formatTable } from "./table.ts";

/** Where the environment names no server, the one that `reelmill use` noted is in effect, or the one on this machine. */
function withPlace(settings: readonly EffectiveSetting[], environment: Environment) {
  const place = readPlace(environment);
  const inEffect =
    place === undefined
      ? { value: serverHere(loadConfig(environment).server) }
      : { value: place.server, source: "reelmill use" };
  return settings.map((setting) =>
    setting.name === "REELMILL_SERVER" && setting.source === "default" ? { ...setting, ...inEffect } : setting,
  );
}

/** Shows every setting with its value and where that came from; of secrets only whether they are set. Gives 0. Throws CONFIG_INVALID. */
export function runConfigCommand(options: ConfigCommandOptions, context: CliContext): number {
  const settings = withPlace(explainConfig(context.environment), context.environment);
  if (options.json) {
    context.writeOutput(`${printableJson({ settings })}\n`);
    return EXIT_OK;
  }
  const rows = settings.map(({ name, value, source }) => [name, source, value]);
  context.writeOutput(formatTable([{ title: "setting" }, { title: "from" }, { title: "value" }], rows));
  return EXIT_OK;
}
