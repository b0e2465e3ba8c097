import { ReelmillError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import type { PlannedTask } from "./pipeline.ts";

/** What one stage brings is kept in one piece and read in one piece; files belong into the object store. */
const MAX_JSON_LENGTH = 16 * 1024 * 1024;

/** Whether a value can be kept as JSON. */
export function isJson(value: unknown): boolean {
  return typeof problemOf(value) !== "string";
}

/** Why a value cannot be kept, or undefined. */
function problemOf(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) return `${typeof value} is not JSON`;
    return text.length > MAX_JSON_LENGTH ? `${text.length} characters are more than ${MAX_JSON_LENGTH}` : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The value, which is known to be JSON then. Throws INTERNAL: a pipeline that brings something else is at fault. */
export function checkJson(name: string, value: Json): Json {
  const problem = problemOf(value);
  if (problem !== undefined) throw new ReelmillError("INTERNAL", `The stage's ${name} cannot be kept: ${problem}.`);
  return value;
}

/** The plan, whose tasks can be kept and worked then. Throws INTERNAL. */
export function checkPlan(tasks: readonly PlannedTask<Json>[]): readonly PlannedTask<Json>[] {
  if (!Array.isArray(tasks)) throw new ReelmillError("INTERNAL", "The plan is not a list of tasks.");
  for (const [index, { label, input, weight = 1 }] of tasks.entries()) {
    checkJson(`input of task ${index}`, input);
    if (typeof label !== "string") throw new ReelmillError("INTERNAL", `The label of task ${index} is not text.`);
    if (!(Number.isFinite(weight) && weight > 0)) {
      throw new ReelmillError("INTERNAL", `The weight of task ${index} is ${weight}; it must be above 0.`);
    }
  }
  return tasks;
}
