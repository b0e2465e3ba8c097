import { z } from "zod";
import { type ErrorCode, ReelmillError } from "../base/errors.ts";

/** What is told of one thing that jobs depend on. */
export const HEALTH_CHECK = z.strictObject({
  check: z.string().describe("What was looked at."),
  status: z
    .enum(["ok", "warning", "failed"])
    .describe("`failed`: jobs cannot be taken, or not be done, until it is mended."),
  detail: z.string().describe("What was found, and what that means."),
  command: z.string().nullable().describe("What mends it or shows more."),
});

/** What is told of one thing that jobs depend on. */
export type HealthCheck = z.output<typeof HEALTH_CHECK>;

/** One that nothing is wrong with. */
export function sound(check: string, detail: string): HealthCheck {
  return { check, status: "ok", detail, command: null };
}

/** What mends a failure, or shows more, by its code. */
export type MendingCommand = (code: ErrorCode) => string;

/** Does what shows whether something works, and tells of the failure of what has the name; `command` is what mends it or shows more. */
export async function checkBy(
  check: string,
  name: string,
  command: string | null | MendingCommand,
  look: () => Promise<HealthCheck>,
): Promise<HealthCheck> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof ReelmillError)) throw error;
    const detail = `${name}: ${error.message} (${error.code})`;
    return { check, status: "failed", detail, command: typeof command === "function" ? command(error.code) : command };
  }
}
