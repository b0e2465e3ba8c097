import { ReelmillError } from "../../base/errors.ts";

/** Everything asked for was done. */
export const EXIT_OK = 0;

/** Some or all of it was not. */
export const EXIT_FAILURE = 1;

/** The command line or the environment is wrong; nothing was begun. */
export const EXIT_USAGE = 2;

/** Cancelled by SIGINT, as shells expect it (128 + 2). */
export const EXIT_CANCELLED = 130;

/** The exit status for a failure that ends a command. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ReelmillError)) return EXIT_FAILURE;
  if (error.code === "USAGE" || error.code === "CONFIG_INVALID") return EXIT_USAGE;
  return error.code === "ABORTED" ? EXIT_CANCELLED : EXIT_FAILURE;
}
