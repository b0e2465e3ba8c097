import type { Clock } from "../base/clock.ts";
import { ReelmillError } from "../base/errors.ts";
import { createFaultLog } from "../base/fault-log.ts";
import type { Logger } from "../base/log.ts";
import { pause } from "../base/pause.ts";
import { STORE_PAUSE_MS } from "./retry-policy.ts";

/**
 * Writes to a store, again and again while it fails for a while, such as on a full disk: what was worked for is not thrown away
 * for that. `what` names it in the log. Throws what cannot be mended by waiting, and whatever it is once the signal is aborted.
 */
export async function persist<T>(
  what: string,
  write: () => Promise<T>,
  ports: { readonly log: Logger; readonly clock: Clock },
  signal: AbortSignal,
): Promise<T> {
  const faults = createFaultLog({
    ...ports,
    level: "error",
    message: `${what} could not be recorded; trying again.`,
    over: `${what} is recorded.`,
  });
  for (;;) {
    try {
      const written = await write();
      faults.worked();
      return written;
    } catch (error) {
      if (!(error instanceof ReelmillError && error.retryable) || signal.aborted) throw error;
      faults.failed(error);
      await pause(STORE_PAUSE_MS, signal);
    }
  }
}
