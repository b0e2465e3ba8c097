import { z } from "zod";
import type { Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { PLAIN_NAME, PLAIN_NAME_FORM } from "../../base/plain-name.ts";
import { printableLine } from "../../base/printable.ts";
import type { Setting, SettingNotes } from "../../base/setting.ts";

/** What the batch worker is told by its environment. */
export interface BatchSettings {
  /** Holds `uploads/{jobId}/` and `outputs/{jobId}/`. */
  readonly bucket: string;
  /** Holds the job's record. */
  readonly table: string;
  readonly region: string;
  /** One name of a path, never `.` or `..`. */
  readonly jobId: string;
  readonly outputCodec: "h264" | "vp9" | "av1";
}

/** Schema and notes of the variables, in the order of the reference page. They are read by the batch worker alone. */
const SETTINGS = {
  S3_BUCKET: {
    schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    notes: {
      meaning:
        "The bucket with the recording, `uploads/{jobId}/input.mp4`, which takes the result. On one machine the folder of that name in `buckets/` of the data folder.",
      allowed: "3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends",
      unset: "",
    },
  },
  DYNAMODB_TABLE: {
    schema: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{2,254}$/),
    notes: {
      meaning:
        "The table with the job's record. On one machine the database of that name, with `.db` behind it, in `tables/` of the data folder.",
      allowed: "3 to 255 letters, digits, underscores, dots and hyphens, with a letter or digit in front",
      unset: "",
    },
  },
  AWS_REGION: {
    schema: z.string().regex(/^[a-z]{2,3}(-[a-z]{2,20}){1,3}-\d{1,2}$/),
    notes: { meaning: "The region of both. Means nothing on one machine.", allowed: "such as eu-central-1", unset: "" },
  },
  JOB_ID: {
    schema: z.string().regex(PLAIN_NAME),
    notes: { meaning: "The job.", allowed: PLAIN_NAME_FORM, unset: "" },
  },
  OUTPUT_CODEC: {
    schema: z.enum(["h264", "vp9", "av1"]),
    notes: { meaning: "What the recording is converted to.", allowed: "h264, vp9 or av1", unset: "" },
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** Longer values are cut in a complaint. */
const MAX_SHOWN = 100;

/** Reads the variables. Throws CONFIG_INVALID naming every one that is missing or not allowed, with what is. */
export function readBatchSettings(environment: Environment): BatchSettings {
  const faults = Object.entries(SETTINGS).flatMap(([name, { schema, notes }]) => {
    // An empty variable is what a shell leaves for "not set".
    const value = environment[name] || undefined;
    if (schema.safeParse(value).success) return [];
    const found = value === undefined ? "is not set; it" : `is "${printableLine(value.slice(0, MAX_SHOWN))}", but`;
    return [`${name} ${found} must be ${notes.allowed}.`];
  });
  if (faults.length > 0) throw new ReelmillError("CONFIG_INVALID", faults.join(" "));
  return {
    bucket: SETTINGS.S3_BUCKET.schema.parse(environment["S3_BUCKET"]),
    table: SETTINGS.DYNAMODB_TABLE.schema.parse(environment["DYNAMODB_TABLE"]),
    region: SETTINGS.AWS_REGION.schema.parse(environment["AWS_REGION"]),
    jobId: SETTINGS.JOB_ID.schema.parse(environment["JOB_ID"]),
    outputCodec: SETTINGS.OUTPUT_CODEC.schema.parse(environment["OUTPUT_CODEC"]),
  };
}

/** The variables with their notes; the reference page is made from it. */
export function describeBatchSettings(): readonly (SettingNotes & { readonly name: string })[] {
  return Object.entries(SETTINGS).map(([name, { notes }]) => ({ name, ...notes }));
}
