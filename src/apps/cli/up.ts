import { runUp } from "../server/up.ts";
import type { CliContext } from "./cli-context.ts";
import type { UpCommandOptions } from "./command-options.ts";
import { EXIT_OK } from "./exit-codes.ts";

/** Runs the server until a signal ends it, which is how it is meant to end. Throws as `runUp`. */
export async function runUpCommand({ watch, ...options }: UpCommandOptions, context: CliContext): Promise<number> {
  await runUp({ ...options, watch: watch === true ? undefined : watch }, context);
  return EXIT_OK;
}
