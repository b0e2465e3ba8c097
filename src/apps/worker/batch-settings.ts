import { z } from "zod";
import type { Environment } from "../../base/config-defaults.ts";
import { PLAIN_NAME, PLAIN_NAME_FORM } from "../../base/plain-name.ts";
import { readSettings, type Setting, type SettingNotes } from "../../base/setting.ts";
import { PLACE_SETTINGS } from "../place-settings.ts";

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
  ...PLACE_SETTINGS,
  JOB_ID: {
    schema: z.string().regex(PLAIN_NAME),
    notes: { meaning: "The job.", allowed: PLAIN_NAME_FORM, unset: "" },
  },
  OUTPUT_CODEC: {
    schema: z.enum(["h264", "vp9", "av1"]),
    notes: { meaning: "What the recording is converted to.", allowed: "h264, vp9 or av1", unset: "" },
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** Reads the variables. Throws CONFIG_INVALID naming every one that is missing or not allowed, with what is. */
export function readBatchSettings(environment: Environment): BatchSettings {
  const { S3_BUCKET, DYNAMODB_TABLE, AWS_REGION, JOB_ID, OUTPUT_CODEC } = readSettings(environment, SETTINGS);
  return { bucket: S3_BUCKET, table: DYNAMODB_TABLE, region: AWS_REGION, jobId: JOB_ID, outputCodec: OUTPUT_CODEC };
}

/** The variables with their notes; the reference page is made from it. */
export function describeBatchSettings(): readonly (SettingNotes & { readonly name: string })[] {
  return Object.entries(SETTINGS).map(([name, { notes }]) => ({ name, ...notes }));
}
