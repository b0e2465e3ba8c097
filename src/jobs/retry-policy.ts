import { ReelmillError } from "../base/errors.ts";
import type { JobError } from "./job.ts";

/** Attempts at a task whose errors are transient, the first included. */
export const MAX_ATTEMPTS = 3;
/** Workers that may be lost over one task before it is given up: it is probably what kills them. */
export const MAX_LOST_WORKERS = 3;
const FIRST_DELAY_MS = 2000;
const FACTOR = 2;
/** A delay is shortened by up to this share, so that what failed together does not come back together. */
const JITTER = 0.5;

/** How long to wait after the `failures`-th transient failure, from 1; `random` gives 0 to 1. */
export function retryDelayMs(failures: number, random: () => number): number {
  return Math.round(FIRST_DELAY_MS * FACTOR ** (failures - 1) * (1 - JITTER * random()));
}

/** The stable form of whatever was thrown; a fault of Reelmill itself keeps its stack, so that it can be reported. */
export function describeError(error: unknown): JobError {
  if (error instanceof ReelmillError) {
    const { code, message, details } = error;
    return details === undefined ? { code, message } : { code, message, details };
  }
  return { code: "INTERNAL", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
