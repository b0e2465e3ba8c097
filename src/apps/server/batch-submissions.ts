import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";
import type { Job } from "../../jobs/job.ts";
import { idempotencyConflict } from "../../jobs/job-change.ts";
import { requireObjectKey } from "../../jobs/object-key.ts";
import type { ObjectInfo, ObjectStore } from "../../jobs/object-store.ts";
import { putJson, readJson } from "../../pipelines/object-json.ts";
import { type BatchResources, sizeBatch } from "../../pipelines/repair/batch-resources.ts";
import { type BatchState, batchOf, describeBatch } from "../../pipelines/repair/completion-payload.ts";
import { type BatchSelection, selectBatch } from "../../pipelines/repair/select-batch.ts";
import type { BatchDependencies, ServerDependencies } from "./dependencies.ts";
import type { VIEWS } from "./view-schemas.ts";

/** What the keys of the buckets begin with in the store. */
export const INPUT_ROOT = "uploads/";
export const OUTPUT_ROOT = "outputs/";
/** Where the batch API keeps what it answered to each submission. */
export const BATCH_ROOT = "batches/";

/** The body of `POST /submit-batch`. */
export const BATCH_REQUEST = z.strictObject({
  input_prefix: z.string().min(1).max(900).describe("Folder of the input bucket; all recordings in it are taken."),
  input_bucket: z.string().max(255).optional().describe("The one that GET /health names, which is the default."),
  output_bucket: z.string().max(255).optional().describe("The one that GET /health names, which is the default."),
  output_prefix: z.string().min(1).max(900).optional().describe("Folder of the output bucket; default: input_prefix."),
  reference_strategy: z
    .enum(["smallest", "newest"])
    .default("smallest")
    .describe("Which of the recordings that play teaches the others."),
  reference_key: z.string().min(1).max(1000).optional().describe("The recording of the input bucket that does."),
  vcpu: z.int().min(1).max(16).optional(),
  memory_mb: z.int().min(512).max(122_880).optional(),
  storage_gb: z.int().min(21).max(200).optional(),
});

type BatchRequest = z.output<typeof BATCH_REQUEST>;
type BatchAnswer = z.output<typeof VIEWS.batchSubmitted>;

/** What is kept of a submission, under its id: the job has another one. */
interface BatchRecord {
  readonly jobId: string;
  readonly request: BatchRequest;
  readonly answer: BatchAnswer;
}

/** Submissions of the batch API, as jobs of the pipeline repair. */
export interface BatchSubmissions {
  /**
   * Throws BATCH_EMPTY, REQUEST_INVALID, OBJECT_KEY_INVALID, IDEMPOTENCY_CONFLICT, and what store and service do. The same key with the
   * same body gives the first answer.
   */
  submit(request: BatchRequest, idempotencyKey: string | undefined): Promise<BatchAnswer>;
  /** Throws JOB_NOT_FOUND. */
  look(batchId: string): Promise<BatchState>;
}

/** Submissions on the server's own parts. */
export function createBatchSubmissions(deps: ServerDependencies): BatchSubmissions {
  const { objects, service, store, batch, signal, log } = deps;
  return {
    submit: async (request, idempotencyKey) => {
      const earlier = idempotencyKey === undefined ? undefined : await findEarlier(deps, request, idempotencyKey);
      if (earlier !== undefined) return earlier;
      const place = placeOf(request, batch);
      const { referenceKey, inputPrefix } = place;
      const question = {
        prefix: INPUT_ROOT + inputPrefix,
        referenceKey: referenceKey === undefined ? undefined : INPUT_ROOT + referenceKey,
        strategy: request.reference_strategy,
        keptPrefix: batch.referencePrefix,
      };
      const { findHealthy, givePatience } = batch;
      const selection = await selectBatch(question, { objects, findHealthy, signal, patience: givePatience?.(), log });
      const id = await chooseId(objects, idempotencyKey);
      const params = paramsOf(id, place, selection, resourcesFor(request, selection));
      const { job } = await service.submit({ pipeline: "repair", params, idempotencyKey });
      return await answerFor(deps, { id, job, request, place, selection });
    },
    look: async (batchId) => {
      const record = await readRecord(objects, batchId);
      const job = record && (await store.get(record.jobId));
      if (job === undefined) throw new ReelmillError("JOB_NOT_FOUND", `There is no job ${batchId}.`);
      return describeBatch(job);
    },
  };
}

function recordKey(batchId: string): string {
  return `${BATCH_ROOT}${batchId}.json`;
}

/** The id of the job that a submission became, by the key of what is kept of it. Throws OBJECT_NOT_FOUND. */
export async function jobOfBatch(objects: ObjectStore, key: string): Promise<string> {
  return (await readJson<BatchRecord>(objects, key)).jobId;
}

async function readRecord(objects: ObjectStore, batchId: string): Promise<BatchRecord | undefined> {
  try {
    return await readJson<BatchRecord>(objects, recordKey(batchId));
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "OBJECT_NOT_FOUND") return undefined;
    throw error;
  }
}

/** A submission whose job is made. */
interface Submitted {
  readonly id: string;
  readonly job: Job;
  readonly request: BatchRequest;
  readonly place: Place;
  readonly selection: BatchSelection;
}

/** Has the job begun where that takes more, answers, and keeps the answer, by which the job is found again. */
async function answerFor(deps: ServerDependencies, submitted: Submitted): Promise<BatchAnswer> {
  const { id, job, request } = submitted;
  const { resources, ...rest } = describe(submitted);
  const batchJobId = await startContainer(deps, job);
  const named = { message: "Batch repair job submitted", job_id: id, batch_job_id: batchJobId };
  const answer = { ...named, ...rest, resources: describeResources(resources) };
  await putJson(deps.objects, recordKey(id), { jobId: job.id, request, answer } satisfies BatchRecord);
  return answer;
}

/** Gives the container's id, or the job's own where there are no containers. */
async function startContainer({ batch, service }: ServerDependencies, made: Job): Promise<string> {
  if (batch.startContainer === undefined) return made.id;
  // Of an earlier try, for which no container was to be had.
  const job = made.status === "cancelled" ? await service.retry(made.id) : made;
  try {
    return await batch.startContainer(job);
  } catch (error) {
    // Nobody may be there to work at it, and nobody was told of it. It may end by itself in this very moment.
    await service.cancel(job.id).catch(() => undefined);
    throw error;
  }
}

/** The answer to this very request where it made a job before; undefined where it did not. */
async function findEarlier(
  deps: ServerDependencies,
  request: BatchRequest,
  idempotencyKey: string,
): Promise<BatchAnswer | undefined> {
  const { store, objects, batch } = deps;
  const [job] = (await store.list({ idempotencyKey, limit: 1 })).jobs;
  if (job === undefined) return undefined;
  const known = batchOf(job);
  if (known === undefined) throw idempotencyConflict(idempotencyKey, job.id);
  const { id } = known;
  const record = await readRecord(objects, id);
  if (record === undefined) {
    // A server that ended right behind the making of the job; what there is by now may be other files than the job's.
    const place = placeOf(request, batch);
    const isOther = known.inputPrefix !== place.inputPrefix || known.outputPrefix !== place.outputPrefix;
    if (isOther) throw idempotencyConflict(idempotencyKey, id);
    return await answerFor(deps, { id, job, request, place, selection: await selectionOf(job, objects) });
  }
  // Both have the order of the schema's fields.
  if (JSON.stringify(record.request) !== JSON.stringify(request)) throw idempotencyConflict(idempotencyKey, id);
  return record.answer;
}

const CHOSEN = z.object({ inputs: z.array(z.string()), references: z.array(z.string()) });

/** What a job is of, as far as it is still there. */
async function selectionOf({ params }: Job, objects: ObjectStore): Promise<BatchSelection> {
  const { inputs, references } = CHOSEN.parse(params);
  const find = async (keys: readonly string[]): Promise<readonly ObjectInfo[]> =>
    (await Promise.all(keys.map((key) => objects.head(key)))).flatMap((info) => info ?? []);
  const [[reference], files] = [await find(references), await find(inputs)];
  return { reference, files, kept: [] };
}

/**
 * `untrunc-` and 12 hexadecimal digits that no submission has yet. Those of a request with an idempotency key follow from it, so that
 * two of them at once come to the same job.
 */
async function chooseId(objects: ObjectStore, idempotencyKey: string | undefined): Promise<string> {
  const bytes =
    idempotencyKey === undefined ? randomBytes(6) : createHash("sha256").update(idempotencyKey).digest().subarray(0, 6);
  const id = `untrunc-${bytes.toString("hex")}`;
  return (await objects.head(recordKey(id))) === undefined ? id : await chooseId(objects, undefined);
}

/** Where a batch lies: prefixes without slashes at their ends, as they are in the buckets. */
interface Place {
  readonly inputBucket: string;
  readonly inputPrefix: string;
  readonly outputBucket: string;
  readonly outputPrefix: string;
  readonly referenceKey: string | undefined;
}

function placeOf(request: BatchRequest, { inputBucket, outputBucket }: BatchDependencies): Place {
  requireBucket("input_bucket", request.input_bucket, [inputBucket]);
  requireBucket("output_bucket", request.output_bucket, [outputBucket]);
  const inputPrefix = withoutSlash(request.input_prefix);
  const outputPrefix = withoutSlash(request.output_prefix ?? inputPrefix);
  const { reference_key: referenceKey } = request;
  requireObjectKey(INPUT_ROOT + inputPrefix);
  requireObjectKey(OUTPUT_ROOT + outputPrefix);
  if (referenceKey !== undefined) requireObjectKey(INPUT_ROOT + referenceKey);
  return { inputBucket, inputPrefix, outputBucket, outputPrefix, referenceKey };
}

function withoutSlash(prefix: string): string {
  return prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
}

/** Throws REQUEST_INVALID for a bucket that is none of those there are; undefined is any. */
export function requireBucket(field: string, given: string | undefined, buckets: readonly string[]): void {
  if (given === undefined || buckets.includes(given)) return;
  throw new ReelmillError(
    "REQUEST_INVALID",
    `${field} names "${given}"; this server has ${buckets.join(" and ")} there.`,
  );
}

function paramsOf(
  id: string,
  place: Place,
  { reference, files, kept }: BatchSelection,
  { vcpu, memoryMb, storageGb }: BatchResources,
) {
  const { referenceKey: _key, ...places } = place;
  return {
    inputs: files.map(({ key }) => key),
    references: reference === undefined ? [] : [reference.key],
    ...(kept.length === 0 ? {} : { keptReferences: kept }),
    outputPrefix: OUTPUT_ROOT + place.outputPrefix,
    batch: { id, ...places, inputRoot: INPUT_ROOT, vcpu, memoryMb, storageGb },
  };
}

function describe({ request, place, selection }: Submitted): Omit<
  BatchAnswer,
  "message" | "job_id" | "batch_job_id" | "resources"
> & {
  readonly resources: BatchResources;
} {
  const { reference, files } = selection;
  const { totalBytes, largestBytes } = loadOf(files);
  return {
    input_bucket: place.inputBucket,
    input_prefix: place.inputPrefix,
    output_bucket: place.outputBucket,
    output_prefix: place.outputPrefix,
    reference_file: reference === undefined ? "" : nameOf(reference),
    reference_size_mb: toMb(reference?.bytes ?? 0),
    reference_strategy: request.reference_strategy,
    files_to_repair: files.map(nameOf),
    file_count: files.length,
    total_size_mb: toMb(totalBytes),
    largest_file_mb: toMb(largestBytes),
    resources: resourcesFor(request, selection),
  };
}

function resourcesFor(request: BatchRequest, { files }: BatchSelection): BatchResources {
  const { vcpu, memory_mb: memoryMb, storage_gb: storageGb } = request;
  // The pipeline asks untrunc only where its own engine fails.
  return sizeBatch({ ...loadOf(files), usesUntrunc: false }, { vcpu, memoryMb, storageGb });
}

function loadOf(files: readonly ObjectInfo[]): { readonly totalBytes: number; readonly largestBytes: number } {
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return { totalBytes, largestBytes: Math.max(0, ...files.map(({ bytes }) => bytes)) };
}

/** As AWS Batch writes them: the number of vCPUs is a text. */
function describeResources({ vcpu, memoryMb, storageGb, isAutoScaled }: BatchResources): BatchAnswer["resources"] {
  return { vcpu: String(vcpu), memory_mb: memoryMb, storage_gb: storageGb, auto_scaled: isAutoScaled };
}

/** Its key in the bucket. */
function nameOf({ key }: ObjectInfo): string {
  return key.slice(INPUT_ROOT.length);
}

/** In units of 1024, with two decimals. */
function toMb(bytes: number): number {
  return Math.round((bytes / 1024 ** 2) * 100) / 100;
}
