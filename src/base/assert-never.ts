import { ReelmillError } from "./errors.ts";

/** Fails on a union member that the code does not handle. Throws INTERNAL naming the value. */
export function assertNever(value: never): never {
  throw new ReelmillError("INTERNAL", `Unhandled case: ${JSON.stringify(value)}.`);
}
