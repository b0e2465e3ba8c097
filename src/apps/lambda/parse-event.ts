import type { z } from "zod";
import { describeIssue } from "../../base/describe-issue.ts";
import { ReelmillError } from "../../base/errors.ts";

/**
 * What of an event is used, as the schema has it; whoever may call the function may have sent anything. Fields that AWS adds are left out. Throws
 * REQUEST_INVALID naming each field.
 */
export function parseEvent<Event>(schema: z.ZodType<Event>, event: unknown): Event {
  const parsed = schema.safeParse(event);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    (issue) => `${issue.path.join(".") || "event"}: ${describeIssue(issue, event)}`,
  );
  throw new ReelmillError("REQUEST_INVALID", `The event is not one that this function is for. ${faults.join("; ")}.`);
}
