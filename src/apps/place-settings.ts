import { z } from "zod";
import type { Setting } from "../base/setting.ts";

/** Where the store is, for whatever talks to AWS; in the order of the reference page. */
export const PLACE_SETTINGS = {
  S3_BUCKET: {
    schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    notes: {
      meaning:
        "The bucket of all objects. For the batch worker the one with the recording, `uploads/{jobId}/input.mp4`, which takes the result; on one machine the folder of that name in `buckets/` of the data folder.",
      allowed: "3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends",
      unset: "",
    },
  },
  DYNAMODB_TABLE: {
    schema: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{2,254}$/),
    notes: {
      meaning:
        "The table of all jobs. For the batch worker the one with the job's record; on one machine the database of that name, with `.db` behind it, in `tables/` of the data folder.",
      allowed: "3 to 255 letters, digits, underscores, dots and hyphens, with a letter or digit in front",
      unset: "",
    },
  },
  AWS_REGION: {
    schema: z.string().regex(/^[a-z]{2,3}(-[a-z]{2,20}){1,3}-\d{1,2}$/),
    notes: { meaning: "The region of both. Means nothing on one machine.", allowed: "such as eu-central-1", unset: "" },
  },
} as const satisfies Readonly<Record<string, Setting>>;
