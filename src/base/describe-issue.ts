import type { z } from "zod";
import { formatCount } from "./units.ts";

/** A longer value is cut: it is to be found again, not to be read. */
const SHOWN_LENGTH = 60;

/** Names of what is not to be repeated. */
const SECRET = /secret|password|token/i;

const KINDS: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};

/**
 * What is wrong with a part of what was given, as a clause that names its value and what is allowed, without a stop: `"hvec" must be one of h264,
 * hevc, av1`. Where it lies is told by the issue's path. Schemas' own messages begin with `must` to be part of the clause.
 */
export function describeIssue(issue: z.core.$ZodIssue, given: unknown): string {
  const value = valueAt(given, issue.path);
  const rule = describeRule(issue).replace(/\.$/, "");
  if (!rule.startsWith("must ")) return rule;
  if (value === undefined) return `is missing, and ${rule}`;
  return isKept(value) || SECRET.test(String(issue.path.at(-1))) ? rule : `${showValue(value)} ${rule}`;
}

function describeRule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be ${issue.values.length === 1 ? "" : "one of "}${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `must ${boundOf(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum)}`;
    case "too_big":
      return `must ${boundOf(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum)}`;
    case "invalid_union":
      return [...new Set(issue.errors.flatMap(([first]) => (first === undefined ? [] : [describeRule(first)])))].join(
        ", or ",
      );
    default:
      return issue.message;
  }
}

function boundOf(origin: string, relation: string, bound: number | bigint): string {
  if (origin === "string") return `have ${relation} ${formatCount(Number(bound), "character")}`;
  if (origin === "array") return `have ${relation} ${formatCount(Number(bound), "item")}`;
  return `be ${relation} ${bound}`;
}

/** An address that holds data may hold a key. */
function isKept(value: unknown): boolean {
  return typeof value === "string" && /^\s*data:/i.test(value);
}

function showValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 1)}…` : text;
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  let value = given;
  for (const name of path) {
    // A part of a text that was taken apart is told by the whole.
    if (typeof value !== "object" || value === null) return value;
    if (!Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[name];
  }
  return value;
}
