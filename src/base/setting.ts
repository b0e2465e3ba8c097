import { z } from "zod";
import { ReelmillError } from "./errors.ts";
import { printableLine } from "./printable.ts";

/** How a setting is documented; `allowed` completes the sentence "… must be". */
export interface SettingNotes {
  readonly meaning: string;
  readonly allowed: string;
  /** The default as it would be written, or empty where there is none. */
  readonly unset: string;
  /** Its value is never shown, not even in a complaint about it. */
  readonly isSecret?: boolean;
}

/** An environment variable: how it is read, and what is said about it. */
export interface Setting {
  readonly schema: z.ZodType;
  readonly notes: SettingNotes;
}

/** A whole number from `min` to `max`, written in decimal digits without sign. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));
}

/** `true` or `false`, also as 1 and 0. */
export const YES_OR_NO = z.enum(["true", "false", "1", "0"]).transform((text) => text === "true" || text === "1");

/** Longer than any list of queues or params that is meant. */
const MAX_JSON_LENGTH = 8192;

/** JSON, of whatever form; for a schema behind it. */
export const JSON_TEXT = z
  .string()
  .max(MAX_JSON_LENGTH)
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue("not JSON");
      return z.NEVER;
    }
  });

/** Values between commas, blanks around them dropped; an empty last one is dropped. */
export function commaSeparated<Item extends z.ZodType<unknown, string>>(item: Item) {
  return z
    .string()
    .transform((text) =>
      text
        .replace(/,\s*$/, "")
        .split(",")
        .map((part) => part.trim()),
    )
    .pipe(z.array(item));
}

/** Longer values are cut in a complaint. */
const MAX_SHOWN = 100;

/**
 * Reads variables of which all are needed at once; what may be left out has a default in its schema. Throws CONFIG_INVALID naming every one that
 * is missing or not allowed, with what is.
 */
export function readSettings<Settings extends Readonly<Record<string, Setting>>>(
  environment: Readonly<Record<string, string | undefined>>,
  settings: Settings,
): { readonly [Name in keyof Settings]: z.output<Settings[Name]["schema"]> } {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, { schema, notes }] of Object.entries(settings)) {
    // An empty variable is what a shell leaves for "not set".
    const value = environment[name] || undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) {
      values[name] = parsed.data;
      continue;
    }
    const shown = notes.isSecret ? "has a value that is not allowed; it" : `is "${shorten(value)}", but`;
    faults.push(`${name} ${value === undefined ? "is not set; it" : shown} must be ${notes.allowed}.`);
  }
  if (faults.length > 0) throw new ReelmillError("CONFIG_INVALID", faults.join(" "));
  // Has what each schema gave, under the names of the settings.
  return values as { readonly [Name in keyof Settings]: z.output<Settings[Name]["schema"]> };
}

function shorten(value = ""): string {
  return printableLine(value.slice(0, MAX_SHOWN));
}
