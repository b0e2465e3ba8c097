import { setImmediate } from "node:timers/promises";
import { ReelmillError } from "../../base/errors.ts";

/** How a repair tells how far it has come. */
export interface WorkHooks {
  readonly signal: AbortSignal;
  /** Hears a fraction from 0 to 1 and what is being done. */
  readonly onProgress: (fraction: number, phase: string) => void;
}

/** Throws ABORTED once the signal was given. */
export function requireNotAborted(signal: AbortSignal): void {
  if (signal.aborted)
    throw new ReelmillError("ABORTED", "The repair was cancelled; nothing half done was left behind.");
}

/** Lets signals and timers have their turn, then throws ABORTED if the repair was cancelled. */
export async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  requireNotAborted(signal);
}
