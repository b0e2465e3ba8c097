import { z } from "zod";
import { OBJECT_KEY } from "../../jobs/object-key-schema.ts";
import { HLS_MESSAGE } from "./media-asset.ts";
import { checkSettings, encryptionFault, HLS_SETTINGS } from "./options.ts";

const FIELDS = z.strictObject({
  input: OBJECT_KEY.describe("Key of the recording."),
  encryptKey: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)
    .optional()
    .describe("Name of an AES-128 key in the server's own folder of keys; the key itself is in no job."),
  message: HLS_MESSAGE.optional().describe(
    "Makes the package that of a media asset: it lies below outputs/media/{org_id}/{media_id}/, beside the asset's record.",
  ),
  ...HLS_SETTINGS.shape,
});

/** What a package in an object store is asked by. */
export const PARAMS = FIELDS.superRefine((params, context) => {
  checkSettings(params, context);
  const message = encryptionFault(params, params.encryptKey !== undefined);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

/** What it gives. */
export const RESULT = z.strictObject({
  schema: z.literal(1),
  playlist: z.string().describe("Key of the multivariant playlist; all of the package lies beside and below it."),
  report: z.strictObject({
    pictures: z.int().describe("Of every rung."),
    durationSeconds: z.number(),
    encoder: z.string(),
    variants: z.array(
      z.strictObject({
        name: z.string(),
        resolution: z.string().nullable().describe("Null for sound alone."),
        framesPerSecond: z.number().nullable(),
        codecs: z.array(z.string()),
        peakBitsPerSecond: z.int(),
        averageBitsPerSecond: z.int(),
      }),
    ),
    rules: z.strictObject({ passed: z.int(), mustsFailed: z.int(), shouldsFailed: z.int() }),
    findings: z.array(z.string()),
    inputBytes: z.int(),
    outputBytes: z.int(),
  }),
});

export type Params = z.output<typeof PARAMS>;
export type Result = z.output<typeof RESULT>;
