import { ReelmillError } from "../base/errors.ts";
import type { JobError } from "./job.ts";
import { isJson } from "./stage-output.ts";

/** Attempts at a task whose errors are transient, the first included. */
export const MAX_ATTEMPTS = 3;
/** Workers that may be lost over one task before it is given up: it is probably what kills them. */
export const MAX_LOST_WORKERS = 3;
/** After the store failed; long enough not to press on it, short enough to be back with it. */
export const STORE_PAUSE_MS = 1000;
/** Before the first retry; the longest that its delay is. */
export const FIRST_DELAY_MS = 2000;
/** By which each delay is longer than the one before. */
export const FACTOR = 2;
/** A delay is shortened by up to this share, so that what failed together does not come back together. */
const JITTER = 0.5;

/** How long to wait after the `failures`-th transient failure, from 1; `random` gives 0 to 1. */
export function retryDelayMs(failures: number, random: () => number): number {
  return Math.round(FIRST_DELAY_MS * FACTOR ** (failures - 1) * (1 - JITTER * random()));
}

/** Longer messages are cut, so that a stage that throws its input does not fill the store. */
const MAX_MESSAGE_LENGTH = 10_000;

/** The stable form of whatever was thrown; a fault of Reelmill itself keeps its stack, so that it can be reported. */
export function describeError(error: unknown): JobError {
  if (error instanceof ReelmillError) {
    const { code, details } = error;
    const message = error.message.slice(0, MAX_MESSAGE_LENGTH);
    return details === undefined || !isJson(details) ? { code, message } : { code, message, details };
  }
  return { code: "INTERNAL", message: describeUnknown(error).slice(0, MAX_MESSAGE_LENGTH) };
}

function describeUnknown(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return "Something was thrown that has no text.";
  }
}
