import type { Json } from "../api/types.ts";
import type { Field } from "./fields.ts";

/** What the user has put into the form, by field; missing: nothing yet. */
export type Answers = Readonly<Record<string, string | boolean>>;

/** Object keys that were uploaded, by field. */
export type FileAnswers = Readonly<Record<string, readonly string[]>>;

/** The parameters of a job, or what is wrong with the form, by field. */
export type ParamsOutcome =
  | { readonly params: Readonly<Record<string, Json>> }
  | { readonly errors: Readonly<Record<string, string>> };

/** Makes a job's parameters of what the form holds; what was left empty is left to the pipeline. */
export function readParams(fields: readonly Field[], answers: Answers, files: FileAnswers): ParamsOutcome {
  const params: Record<string, Json> = {};
  const errors: Record<string, string> = {};
  for (const field of fields) {
    try {
      const value =
        field.input.kind === "files" ? readFiles(field, files[field.name] ?? []) : readAnswer(field, answers);
      if (value !== undefined) params[field.name] = value;
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      errors[field.name] = error.message;
    }
  }
  return Object.keys(errors).length > 0 ? { errors } : { params };
}

class AnswerError extends Error {}

function readFiles({ label, isRequired, input }: Field, keys: readonly string[]): Json | undefined {
  if (input.kind !== "files") return undefined;
  if (keys.length === 0 && !isRequired) return undefined;
  const { fewest, most, isList } = input;
  if (keys.length < Math.max(1, fewest)) throw new AnswerError(`${label}: upload at least ${Math.max(1, fewest)}.`);
  if (keys.length > most) throw new AnswerError(`${label}: at most ${most}, not ${keys.length}.`);
  return isList ? keys : keys[0];
}

function readAnswer(field: Field, answers: Answers): Json | undefined {
  const answer = answers[field.name];
  if (typeof answer === "boolean") return answer;
  const text = answer?.trim() ?? "";
  if (text === "") {
    if (field.isRequired && field.input.kind !== "switch") throw new AnswerError(`${field.label} is needed.`);
    return undefined;
  }
  switch (field.input.kind) {
    case "number":
      return readNumber(field.label, text, field.input);
    case "lines":
      return text.split(/\s*\n\s*/);
    case "json":
      return readJson(field.label, text);
    default:
      return text;
  }
}

function readNumber(
  label: string,
  text: string,
  { isInteger, min, max }: { readonly isInteger: boolean; readonly min?: number; readonly max?: number },
): number {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new AnswerError(`${label} must be a number.`);
  if (isInteger && !Number.isInteger(value)) throw new AnswerError(`${label} must be a whole number.`);
  if (min !== undefined && value < min) throw new AnswerError(`${label} must be ${min} or more.`);
  if (max !== undefined && value > max) throw new AnswerError(`${label} must be ${max} or less.`);
  return value;
}

function readJson(label: string, text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new AnswerError(`${label} must be JSON.`);
  }
}
