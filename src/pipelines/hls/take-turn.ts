import { setImmediate as nextTurn } from "node:timers/promises";
import { ReelmillError } from "../../base/errors.ts";

/**
 * Lets others have their turn between pieces of work that read and write at once: signals are heard, and a worker's heartbeats go on. Throws
 * ABORTED.
 */
export async function takeTurn(signal: AbortSignal): Promise<void> {
  await nextTurn();
  if (signal.aborted) throw new ReelmillError("ABORTED", "The packaging was cancelled.");
}
