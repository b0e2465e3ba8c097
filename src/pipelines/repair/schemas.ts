import { z } from "zod";
import { checkObjectKey, OBJECT_KEY } from "../../jobs/object-key-schema.ts";
import { BATCH_PLACE } from "./completion-payload.ts";

const MAX_FILES = 1000;

const KEY = z.string().min(1).max(1024);

/** What a job of the repair pipeline is told. */
export const PARAMS = z.strictObject({
  inputs: z
    .array(OBJECT_KEY)
    .min(1)
    .max(MAX_FILES)
    .describe(
      "Keys of the damaged recordings. Healthy ones among them are left as they are and may serve as references.",
    ),
  references: z
    .array(OBJECT_KEY)
    .max(MAX_FILES)
    .default([])
    .describe("Keys of healthy recordings by the same device with the same settings. Empty: sought near the inputs."),
  keptReferences: z
    .array(OBJECT_KEY)
    .max(MAX_FILES)
    .optional()
    .describe(
      "Keys of healthy recordings that are tried for an input that the references do not fit; those not there are passed over.",
    ),
  batch: BATCH_PLACE.optional().describe("What the batch API calls the job and its places; told in webhooks."),
  outputPrefix: z
    .string()
    .min(1)
    .max(900)
    .regex(/^outputs\/(.*[^/])$/s, "must begin with outputs/ and not end in a slash")
    .superRefine(checkObjectKey)
    .optional()
    .describe(
      "Where the repaired files go, below outputs/: this, a slash, and the input's name, numbered where an object has that key. Default: outputs/ and the job's id.",
    ),
  engine: z.enum(["auto", "native", "untrunc"]).default("auto").describe("What does the work."),
  faststart: z.boolean().default(false).describe("Put the index at the front, for playing over a network."),
  verify: z
    .enum(["none", "quick", "full"])
    .default("quick")
    .describe("How much of the result is checked: nothing, its index and first pictures, or every picture."),
});

const FILE = z.strictObject({
  input: KEY,
  output: KEY.nullable(),
  status: z.enum(["repaired", "healthy", "failed"]),
  references: z.array(z.string()),
  report: z.json().describe("What was found and recovered; null where it did not come so far."),
  checks: z.array(z.strictObject({ name: z.string(), status: z.string(), detail: z.string() })),
  notices: z.array(z.string()),
  moved: z
    .strictObject({ downloadedBytes: z.int(), uploadedBytes: z.int(), copiedBytes: z.int() })
    .nullable()
    .describe(
      "Bytes of content that came from the object store, went to it, and that it copied itself; 0 where it lies in folders of the machine that does the work. Null where nothing came of it.",
    ),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});

/** What a job of the repair pipeline brings. */
export const RESULT = z.strictObject({
  schema: z.literal(1),
  files: z.array(FILE).describe("In the order of the inputs."),
  summary: z.strictObject({ repaired: z.int(), healthy: z.int(), failed: z.int() }),
});

/** Resolved params. */
export type Params = z.output<typeof PARAMS>;
/** What became of one file. */
export type FileOutcome = z.output<typeof FILE>;

/** One file: its key and the key of its result. */
export interface FileInput {
  readonly input: string;
  readonly output: string;
}
