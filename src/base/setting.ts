import { z } from "zod";

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
