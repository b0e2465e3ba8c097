import { ReelmillError } from "../../src/base/errors.ts";

/** One input: a mutant, and the healthy recording that its seed came from. */
export interface FuzzInput {
  readonly bytes: Uint8Array;
  readonly reference: Uint8Array;
}

/** Something that reads hostile bytes. A ReelmillError other than INTERNAL is an answer; anything else thrown is a fault. */
export type FuzzRun = (input: FuzzInput) => void | Promise<void>;

/** Whether what a target threw is an answer that it may give to hostile bytes. */
export function isAllowedError(error: unknown): boolean {
  return error instanceof ReelmillError && error.code !== "INTERNAL";
}
