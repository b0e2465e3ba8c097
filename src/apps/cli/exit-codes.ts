import { ReelmillError } from "../../base/errors.ts";

/** Everything asked for was done. */
export const EXIT_OK = 0;

/** Some or all of it was not. */
export const EXIT_FAILURE = 1;

/** The command line or the environment is wrong; nothing was begun. */
export const EXIT_USAGE = 2;

/** Cancelled by SIGINT, as shells expect it (128 + 2). */
export const EXIT_CANCELLED = 130;

/** Cancelled by SIGTERM (128 + 15), as by a service manager. */
export const EXIT_TERMINATED = 143;

/** Cancelled by SIGHUP (128 + 1): the terminal was closed. */
const EXIT_HUNG_UP = 129;

/** The exit status for a failure that ends a command; `reason` is why it was cancelled, the signal's name. */
export function exitCodeOf(error: unknown, reason: unknown): number {
  if (!(error instanceof ReelmillError)) return EXIT_FAILURE;
  if (error.code === "USAGE" || error.code === "CONFIG_INVALID") return EXIT_USAGE;
  if (error.code !== "ABORTED") return EXIT_FAILURE;
  if (reason === "SIGHUP") return EXIT_HUNG_UP;
  return reason === "SIGTERM" ? EXIT_TERMINATED : EXIT_CANCELLED;
}
