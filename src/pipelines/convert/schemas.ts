import { z } from "zod";
import { METRICS } from "../../ffmpeg/score.ts";
import { OBJECT_KEY } from "../../jobs/object-key-schema.ts";
import { CONVERT_SETTINGS, checkSettings } from "./options.ts";

/** What a conversion in an object store is asked by. */
export const PARAMS = z
  .strictObject({ input: OBJECT_KEY.describe("Key of the recording."), ...CONVERT_SETTINGS.shape })
  .superRefine(checkSettings);

const AIM = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("quality"), metric: z.enum(METRICS), score: z.number() }),
  z.strictObject({ kind: z.literal("size"), bytes: z.int() }),
]);

const SEARCH = z.strictObject({
  aim: AIM,
  quality: z.number().describe("The quality that was found, in the scale of the setting of that name."),
  predicted: z
    .strictObject({ score: z.number().nullable(), bytes: z.int(), seconds: z.number() })
    .describe("Score of the samples, size of the whole file, time to encode its pictures."),
  trials: z.array(z.strictObject({ quality: z.number(), score: z.number().nullable(), bytes: z.int() })),
  sampledSeconds: z.number(),
  correctedQuality: z.number().nullable().describe("Where the file became too large at first and was encoded anew."),
});

const SCORE = z.strictObject({ metric: z.enum(METRICS), value: z.number(), sampledSeconds: z.number() });

/** What it gives. */
export const RESULT = z.strictObject({
  schema: z.literal(1),
  output: z.string().describe("Key of the converted recording."),
  report: z.strictObject({
    pictures: z.int().nullable().describe("Null where they were copied."),
    spans: z.int(),
    encoder: z.string(),
    checks: z.array(z.strictObject({ name: z.string(), status: z.string(), detail: z.string() })),
    findings: z.array(z.string()),
    inputBytes: z.int(),
    outputBytes: z.int(),
    durationSeconds: z.number().nullable(),
    widthPixels: z.int().nullable().default(null).describe("Samples, upright; null in results of older versions."),
    heightPixels: z.int().nullable().default(null),
    search: SEARCH.nullable().describe("Null where no quality was searched."),
    score: SCORE.nullable().describe("How near the output is to the source; null where they were not compared."),
  }),
});

export type Params = z.output<typeof PARAMS>;
export type Result = z.output<typeof RESULT>;
