import { type ErrorCode, ReelmillError } from "./errors.ts";

/** Why something failed, as reports have it. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** The stable form of whatever was thrown; a fault of Reelmill itself keeps its stack, so that it can be reported. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof ReelmillError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: "INTERNAL", message };
}
