import { basename } from "node:path";
import { ReelmillError } from "../../../base/errors.ts";
import type { Json } from "../../../base/json.ts";
import { printableLine } from "../../../base/printable.ts";
import { formatBytes } from "../../../base/units.ts";
import type { CliContext } from "../cli-context.ts";
import type { Answer, ApiClient } from "../client/api-client.ts";
import { connect } from "../client/connect.ts";
import { requireSendable } from "../client/local-file.ts";
import { objectPath } from "../client/paths.ts";
import { statusOf } from "../client/problem.ts";
import { requireFitting, uploadFile } from "../client/upload.ts";
import { JOB, type JobView, PIPELINES, type UploadWay } from "../client/views.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { createProgressBar } from "../progress-bar.ts";
import { findEarlierJob, type LocalFile, type Wanted } from "./earlier-job.ts";
import { makesPackage } from "./job-text.ts";
import { finishWatching, watchJob } from "./jobs-watch.ts";
import type { SubmitOptions } from "./options.ts";
import { requireOutputFolder } from "./output-folder.ts";
import { type JsonObject, paramSchema, readParams, typesOf } from "./submit-params.ts";
import { formatJson, formatJsonLine } from "./text.ts";

/**
 * Uploads files, submits a job and prints it; follows it and saves its outputs where asked. Gives 0, when following as
 * `jobs watch` does. Throws USAGE, PIPELINE_UNKNOWN, INPUT_…, OUTPUT_…, IDEMPOTENCY_CONFLICT and what `ApiClient` does; what was
 * uploaded for a job that the server then refused is removed again. Nothing is uploaded for a job that the idempotency key has
 * made before.
 */
export async function runSubmitCommand(
  pipeline: string,
  files: readonly string[],
  options: SubmitOptions,
  context: CliContext,
): Promise<number> {
  requireHeaderValue(options.idempotencyKey);
  const client = await connect(options, context);
  const { found, uploads } = await findPipeline(client, pipeline);
  const { paramsSchema: schema, resultSchema } = found;
  const params = readParams(options, schema);
  const locals = assignFiles(files, options.reference, schema);
  refuseSecondInput(params, locals, schema);
  requireParams(params, locals, schema);
  // All that can be wrong is found before the first byte is sent.
  for (const { path } of locals) requireFitting(path, await requireSendable(path), uploads);
  if (options.output !== undefined) requireOutputFolder(options.output, makesPackage(resultSchema));
  const wanted: Wanted = { pipeline, params, files: locals, schema, uploads, ...toldOf(options) };
  const earlier = await findEarlier(client, wanted, options, context);
  if (earlier === undefined && isEstimateWanted(options, uploads, context)) {
    const { tellEstimate } = await import("../cost/tell-estimate.ts");
    await tellEstimate(client, wanted, context);
  }
  const job = earlier ?? (await make(client, wanted, options, context));
  const isFollowed = options.watch || options.output !== undefined;
  printJob(job, isFollowed, options, context);
  if (!isFollowed) return EXIT_OK;
  const ended = await followJob(client, job.value.id, options, context);
  const exitCode = await finishWatching(client, ended, options, context);
  if (options.output !== undefined) {
    const { saveOutputs } = await import("./save-outputs.ts");
    await saveOutputs(client, ended, options.output, context);
  }
  return exitCode;
}

/** Files that go by links go to the API on AWS, where a job is paid for. */
function isEstimateWanted(
  { estimate }: SubmitOptions,
  { by }: UploadWay,
  { isErrorTerminal }: Pick<CliContext, "isErrorTerminal">,
): boolean {
  return estimate ?? (by === "link" && isErrorTerminal);
}

/** What of a job is not among its params. */
function toldOf({ priority = 0, webhook }: SubmitOptions): Pick<Wanted, "priority" | "webhook"> {
  return { priority, webhook: webhook ?? null };
}

/** Where no file is to be uploaded, the server finds by itself what a key has made. */
async function findEarlier(
  client: ApiClient,
  wanted: Wanted,
  { idempotencyKey }: SubmitOptions,
  context: CliContext,
): Promise<Answer<JobView> | undefined> {
  if (idempotencyKey === undefined || wanted.files.length === 0) return undefined;
  const earlier = await findEarlierJob(client, idempotencyKey, wanted);
  if (earlier !== undefined) {
    const { id } = earlier.value;
    context.writeError(`${printableLine(`"${idempotencyKey}" has made the job ${id} before; nothing is uploaded.`)}\n`);
  }
  return earlier;
}

async function make(
  client: ApiClient,
  { pipeline, params, files, schema, uploads }: Wanted,
  options: SubmitOptions,
  context: CliContext,
): Promise<Answer<JobView>> {
  const keys = await uploadAll(client, files, uploads, context);
  return await submit(client, pipeline, addKeys(params, files, keys, schema), keys, options);
}

/** As `watchJob`; whoever stops it hears that the job goes on. */
async function followJob(client: ApiClient, id: string, options: SubmitOptions, context: CliContext): Promise<JobView> {
  try {
    return await watchJob(client, id, options, context);
  } catch (error) {
    if (!(error instanceof ReelmillError && error.code === "ABORTED")) throw error;
    const message = `No longer followed: the job ${id} goes on on the server; \`reelmill jobs cancel ${id}\` stops it.`;
    throw new ReelmillError(error.code, message, { cause: error });
  }
}

async function findPipeline(client: ApiClient, name: string) {
  const { pipelines, uploads } = (await client.ask("/v1/pipelines", PIPELINES)).value;
  const found = pipelines.find((pipeline) => pipeline.name === name);
  if (found !== undefined) return { found, uploads };
  const names = pipelines.map((pipeline) => pipeline.name).join(", ");
  throw new ReelmillError("PIPELINE_UNKNOWN", `The server has no pipeline "${name}". It has: ${names}.`);
}

function assignFiles(
  files: readonly string[],
  references: readonly string[],
  schema: JsonObject,
): readonly LocalFile[] {
  const inputs = paramSchema(schema, "inputs") === undefined ? "input" : "inputs";
  if (files.length > 0 && paramSchema(schema, inputs) === undefined) {
    throw new ReelmillError("USAGE", "This pipeline takes no files.");
  }
  if (files.length > 1 && inputs === "input") throw new ReelmillError("USAGE", "This pipeline takes one file a job.");
  if (references.length > 0 && paramSchema(schema, "references") === undefined) {
    throw new ReelmillError("USAGE", "This pipeline takes no references.");
  }
  return [
    ...files.map((path) => ({ path, param: inputs })),
    ...references.map((path) => ({ path, param: "references" })),
  ];
}

/** A pipeline that takes one recording would take the file and forget the key. */
function refuseSecondInput(params: JsonObject, files: readonly LocalFile[], schema: JsonObject): void {
  for (const { path, param } of files) {
    if (!Object.hasOwn(params, param) || typesOf(paramSchema(schema, param) ?? {}, schema).has("array")) continue;
    throw new ReelmillError("USAGE", `${param} is given twice, as the file ${path} and as a parameter: give one.`);
  }
}

/** Says in plain words what is missing; what else may be wrong with params, the server says. */
function requireParams(params: JsonObject, files: readonly LocalFile[], schema: JsonObject): void {
  const required: readonly Json[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  for (const name of required.map(String)) {
    if (Object.hasOwn(params, name) || files.some(({ param }) => param === name)) continue;
    const message =
      name === "inputs" || name === "input"
        ? `Name the files to work on, or give keys of uploaded ones with --param ${name}=….`
        : `The pipeline needs the parameter "${name}"; give it with --param ${name}=….`;
    throw new ReelmillError("USAGE", message);
  }
}

/** Sends the files one after the other; gives their keys. Where one fails, those before are removed again. */
async function uploadAll(
  client: ApiClient,
  files: readonly LocalFile[],
  { by }: UploadWay,
  context: CliContext,
): Promise<readonly string[]> {
  const send = by === "link" ? (await import("../client/link-upload.ts")).uploadByLink : uploadFile;
  const keys: string[] = [];
  try {
    for (const [index, { path }] of files.entries()) {
      const bar = createProgressBar(context, `[${index + 1}/${files.length}] ${basename(path).slice(0, 28)}`);
      try {
        const onProgress = (sent: number, total: number): void =>
          bar.update(sent / total, `${formatBytes(sent)} of ${formatBytes(total)}`);
        const onRetry = (reason: Error): void => {
          bar.clear();
          context.writeError(`${printableLine(`${path}: ${reason.message} Trying again.`)}\n`);
        };
        keys.push(await send(client, path, context, { onProgress, onRetry }));
      } finally {
        bar.clear();
      }
    }
    return keys;
  } catch (error) {
    await removeUploads(client, keys);
    throw error;
  }
}

async function removeUploads(client: ApiClient, keys: readonly string[]): Promise<void> {
  // Also after Ctrl-C, which has ended the other client.
  const tidying = client.forTidying();
  for (const key of keys) {
    try {
      await tidying.tell(objectPath(key), { method: "DELETE" });
    } catch {
      // What is left over is kept no longer than other objects; the failure that led here is the one to tell.
    }
  }
}

function addKeys(
  params: Readonly<Record<string, Json>>,
  files: readonly LocalFile[],
  keys: readonly string[],
  schema: JsonObject,
): JsonObject {
  const all: Record<string, Json> = { ...params };
  for (const [index, { param }] of files.entries()) {
    const key = keys[index] ?? "";
    const before = all[param] ?? null;
    const isList = typesOf(paramSchema(schema, param) ?? {}, schema).has("array");
    all[param] = isList ? [...(Array.isArray(before) ? (before as readonly Json[]) : []), key] : key;
  }
  return all;
}

async function submit(
  client: ApiClient,
  pipeline: string,
  params: JsonObject,
  keys: readonly string[],
  { priority, webhook, idempotencyKey }: SubmitOptions,
): Promise<Answer<JobView>> {
  const body = JSON.stringify({
    pipeline,
    params,
    ...(priority === undefined ? {} : { priority }),
    ...(webhook === undefined ? {} : { webhook: { url: webhook } }),
  });
  const headers = {
    "content-type": "application/json",
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
  };
  try {
    return await client.ask("/v1/jobs", JOB, { method: "POST", headers, body });
  } catch (error) {
    // Where the connection broke, or the server failed, the job may have been made, and needs its files.
    const status = error instanceof ReelmillError ? (statusOf(error) ?? 0) : 0;
    if (status >= 400 && status < 500) await removeUploads(client, keys);
    throw error;
  }
}

function requireHeaderValue(key: string | undefined): void {
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return;
  throw new ReelmillError("USAGE", "--idempotency-key must be 1 to 255 printable ASCII characters without blanks.");
}

function printJob(
  { raw, value }: Answer<JobView>,
  isFollowed: boolean,
  { json }: SubmitOptions,
  context: CliContext,
): void {
  // When following, standard output is one line for each state of the job.
  if (json) context.writeOutput(isFollowed ? formatJsonLine(raw) : formatJson(raw));
  else if (isFollowed) context.writeError(`${printableLine(`job ${value.id} is ${value.status}`)}\n`);
  else context.writeOutput(`${printableLine(value.id)}\n`);
}
