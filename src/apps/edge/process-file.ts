import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { translateOutputError } from "../../base/file-errors.ts";
import type { Json } from "../../base/json.ts";
import type { Logger } from "../../base/log.ts";
import { rootCodeOf } from "../../base/system-code.ts";
import type { JobError } from "../../jobs/job.ts";
import type { Examination } from "../../pipelines/repair/index.ts";
import { adviseOtherwise } from "../../pipelines/repair/reference-advice.ts";
import type { Claim, ClaimKeeper } from "./claims.ts";
import { removeJournal } from "./journal.ts";
import { sightFile } from "./listing.ts";
import type { RepairOutcome, RepairRequest, RepairService } from "./repair-service.ts";
import type { EdgeSettings } from "./settings.ts";
import { type Case, type CaseReport, exportCase, recoverCase, type SettledOutcome, settleCase } from "./settle.ts";
import { isUnchanged, type Sighting } from "./stability.ts";
import { workFolderOf } from "./sweep.ts";
import { messageOf, requireRunning } from "./system-errors.ts";

/** What the work on files needs. */
export interface ProcessContext {
  readonly settings: EdgeSettings;
  readonly claims: ClaimKeeper;
  readonly repair: RepairService;
  /** Asked where `repair` fails. */
  readonly cloud: RepairService | undefined;
  readonly examine: (path: string, signal: AbortSignal) => Promise<Examination>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A file that is to be repaired. */
export interface FileWork {
  readonly name: string;
  readonly sighting: Sighting;
  readonly references: readonly string[];
  /** Tells this try from others of the same file. */
  readonly tryKey: string;
  /** The watch folder is being stopped. */
  readonly signal: AbortSignal;
  readonly onJob: (jobId: string) => void;
  readonly onProgress: (fraction: number, phase: string) => void;
  /** Whether the share has been there all the time since the work began, and still is. */
  readonly isShareSteady: () => Promise<boolean>;
}

/** What became of a file. */
export type FileOutcome =
  | SettledOutcome
  | { readonly kind: "healthy" }
  /** Needs a reference that is not there yet. */
  | { readonly kind: "waiting"; readonly error: JobError }
  /** Not the file's fault: it stays where it is, for another try. */
  | { readonly kind: "put-off"; readonly error: JobError }
  | { readonly kind: "held"; readonly heldBy: string }
  /** Changed or taken away since it was listed. */
  | { readonly kind: "changed" };

type Failed = Extract<RepairOutcome, { readonly status: "failed" }>;

/** Failures that say nothing about the file. */
const NOT_THE_FILE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ABORTED",
  "CONFIG_INVALID",
  "ENGINE_MISSING",
  "FFMPEG_MISSING",
  // Of a try before the server was started with other settings; the next one has a key of its own.
  "IDEMPOTENCY_CONFLICT",
  "INPUT_NOT_FOUND",
  "INPUT_UNREADABLE",
  "NO_SPACE",
  // The job was begun by a server that watches another folder, or a reference has gone meanwhile.
  "OBJECT_NOT_FOUND",
  "OUTPUT_EXISTS",
  "OUTPUT_UNWRITABLE",
  "PROGRAM_KILLED",
  "RATE_LIMITED",
  "SERVER_UNREACHABLE",
  "STORE_UNAVAILABLE",
  "UNAUTHORIZED",
]);

/** Failures that another reference, or none, may avoid. */
const MISFITS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "REFERENCE_MISMATCH",
  "REFERENCE_UNUSABLE",
  "NOTHING_RECOVERED",
]);

/**
 * Claims a file, has it repaired, and puts it and its original where they belong. Whatever goes wrong is an outcome, and the
 * file then still lies in ready/; throws ABORTED alone, when the watch folder is stopped.
 */
export async function processFile(context: ProcessContext, work: FileWork): Promise<FileOutcome> {
  try {
    const claim = await context.claims.acquire(work.name);
    if ("heldBy" in claim) return { kind: "held", heldBy: claim.heldBy };
    try {
      return await processClaimed(context, work, claim);
    } finally {
      await endClaim(context, claim);
    }
  } catch (error) {
    requireRunning(work.signal);
    return { kind: "put-off", error: toJobError(error) };
  }
}

/** Where the share has gone, the claim is found and ended when it is there again. */
async function endClaim({ settings, log }: ProcessContext, claim: Claim): Promise<void> {
  try {
    await rm(workFolderOf(settings, claim.token), { recursive: true, force: true });
  } catch (error) {
    log.warn("What was half done could not be removed yet", { file: claim.name, error });
  }
  try {
    await claim.release();
  } catch (error) {
    log.warn("The claim could not be given back yet", { file: claim.name, error });
  }
}

async function processClaimed(context: ProcessContext, work: FileWork, claim: Claim): Promise<FileOutcome> {
  const { settings } = context;
  const signal = AbortSignal.any([work.signal, claim.lost]);
  // The last holder may have been killed on its way out.
  const recovered = await recoverCase(claim, settings, signal);
  if (recovered !== undefined) return recovered;
  const source = await sightFile(join(settings.readyFolder, work.name));
  if (source === undefined || !isUnchanged(source, work.sighting)) return { kind: "changed" };
  const outputFolder = workFolderOf(settings, claim.token);
  await makeFolder(outputFolder);
  const outcome = await repairHere(context, work, outputFolder, signal);
  return await conclude(context, { work, outcome, outputFolder, case: { claim, settings, source, signal } });
}

interface Conclusion {
  readonly work: FileWork;
  readonly outcome: RepairOutcome;
  readonly outputFolder: string;
  readonly case: Case;
}

async function conclude(context: ProcessContext, conclusion: Conclusion): Promise<FileOutcome> {
  const { outcome, work } = conclusion;
  switch (outcome.status) {
    case "healthy":
      return { kind: "healthy" };
    case "repaired":
      return await exportRepaired(context, conclusion, outcome.output, "here", null);
    case "failed":
      if (outcome.error.code === "REFERENCE_REQUIRED") return await seekReference(context, conclusion, outcome);
      // A file that could not be read to its end because the share went away is not to blame for it.
      if (NOT_THE_FILE.has(outcome.error.code) || !(await work.isShareSteady())) {
        return { kind: "put-off", error: outcome.error };
      }
      return await giveUpHere(context, conclusion, outcome);
  }
}

/** Says where a reference goes: who puts files into a folder gives no options. */
function adviseWatcher({ readyFolder }: EdgeSettings, error: JobError): JobError {
  const advice = `Put a healthy recording of the same camera and settings into ${basename(readyFolder)}/.`;
  return { ...error, message: adviseOtherwise(error.message, advice) };
}

async function exportRepaired(
  context: ProcessContext,
  conclusion: Conclusion,
  output: string,
  repairedBy: NonNullable<CaseReport["repairedBy"]>,
  cloud: Json,
): Promise<FileOutcome> {
  conclusion.work.onProgress(1, "exporting");
  const report = reportOf(context, conclusion, { outcome: "repaired", repairedBy, cloud });
  return await exportCase(conclusion.case, output, report);
}

/** The cloud may keep a reference that fits; where it does not either, one is waited for. */
async function seekReference(context: ProcessContext, conclusion: Conclusion, here: Failed): Promise<FileOutcome> {
  const there = await askCloud(context, conclusion);
  if (there?.status === "repaired") {
    return await exportRepaired(context, conclusion, there.output, "cloud", there.report);
  }
  // Asked again by itself: the next reference may be long in coming.
  if (there?.status === "failed" && (there.error.code === "CLOUD_UNREACHABLE" || NOT_THE_FILE.has(there.error.code))) {
    return { kind: "put-off", error: there.error };
  }
  return { kind: "waiting", error: adviseWatcher(context.settings, here.error) };
}

/** What the cloud makes of a file; undefined where there is none. */
async function askCloud(context: ProcessContext, conclusion: Conclusion): Promise<RepairOutcome | undefined> {
  const { cloud } = context;
  if (cloud === undefined) return undefined;
  const { signal } = conclusion.case;
  const folder = join(conclusion.outputFolder, "cloud");
  await makeFolder(folder);
  const request = requestOf(context, conclusion.work, folder, signal, "cloud");
  return await asOutcome(signal, undefined, () =>
    cloud.repair(request).then((done) => verifyCloud(context, done, signal)),
  );
}

/** The cloud is asked where there is one; what fails there too goes to quarantine. */
async function giveUpHere(context: ProcessContext, conclusion: Conclusion, here: Failed): Promise<FileOutcome> {
  const { work } = conclusion;
  const there = here.error.code === "INPUT_EMPTY" ? undefined : await askCloud(context, conclusion);
  if (there?.status === "repaired") {
    return await exportRepaired(context, conclusion, there.output, "cloud", there.report);
  }
  // Our own disk was full, or the like.
  if (there?.status === "failed" && NOT_THE_FILE.has(there.error.code)) return { kind: "put-off", error: there.error };
  // Looked at just before where nobody else was asked.
  if (there !== undefined && !(await work.isShareSteady())) return { kind: "put-off", error: here.error };
  const cloudError = there?.status === "failed" ? { ...there.error, details: there.error.details ?? null } : null;
  const cloudPart: Json = there === undefined ? null : { error: cloudError, report: there.report };
  const report = reportOf(context, conclusion, { outcome: "failed", repairedBy: null, cloud: cloudPart });
  return await settleCase(conclusion.case, "quarantine", report);
}

/** What comes back counts only if it plays. */
async function verifyCloud(
  { examine }: ProcessContext,
  outcome: RepairOutcome,
  signal: AbortSignal,
): Promise<RepairOutcome> {
  if (outcome.status !== "repaired") return outcome;
  const { health, reason } = await examine(outcome.output, signal);
  if (health === "healthy") return outcome;
  const message = `What the cloud sent back does not play: ${reason}.`;
  return { status: "failed", error: { code: "OUTPUT_NOT_VERIFIED", message }, report: outcome.report };
}

function requestOf(
  { settings }: ProcessContext,
  { name, sighting, tryKey, references, onJob, onProgress }: FileWork,
  outputFolder: string,
  signal: AbortSignal,
  attempt: string,
): RepairRequest {
  const input = join(settings.readyFolder, name);
  const key = createHash("sha256")
    .update(JSON.stringify([input, sighting, tryKey, attempt]))
    .digest("hex");
  return { key, input, references, outputFolder, signal, onJob, onProgress };
}

/** A signal that comes when the work has taken too long since it told of its beginning. */
function createTimeLimit(limitMs: number): { readonly signal: AbortSignal; begin(): void; end(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: controller.signal,
    begin: () => {
      timer ??= setTimeout(() => controller.abort(), limitMs);
    },
    end: () => clearTimeout(timer),
  };
}

/** With the references chosen; where those do not fit, with what else lies near, or what the file tells itself. */
async function repairHere(
  context: ProcessContext,
  work: FileWork,
  outputFolder: string,
  signal: AbortSignal,
): Promise<RepairOutcome> {
  const { repair, settings } = context;
  const limit = createTimeLimit(settings.repairTimeoutMs);
  const bounded = AbortSignal.any([signal, limit.signal]);
  const onProgress: FileWork["onProgress"] = (fraction, phase) => {
    limit.begin();
    work.onProgress(fraction, phase);
  };
  const attempt = async (number: number, references: readonly string[]): Promise<RepairOutcome> => {
    const folder = join(outputFolder, String(number));
    await makeFolder(folder);
    const request = { ...requestOf(context, work, folder, bounded, String(number)), references, onProgress };
    const outcome = await asOutcome(signal, limit.signal, () => repair.repair(request));
    if (outcome.status !== "failed" || !limit.signal.aborted) return outcome;
    const message = `The repair was not done after ${settings.repairTimeoutMs / 1000} s and was ended.`;
    return { ...outcome, error: { code: "TASK_TIMEOUT", message } };
  };
  try {
    const first = await attempt(1, work.references);
    if (work.references.length === 0 || first.status !== "failed" || !MISFITS.has(first.error.code)) return first;
    const second = await attempt(2, []);
    // That a reference is needed is worth waiting for one; else what the chosen one led to says more.
    return second.status === "failed" && second.error.code !== "REFERENCE_REQUIRED" ? first : second;
  } finally {
    limit.end();
  }
}

/** A service's own trouble as an outcome; that the watch folder is stopped, or the claim lost, is thrown on. */
async function asOutcome(
  signal: AbortSignal,
  timeout: AbortSignal | undefined,
  work: () => Promise<RepairOutcome>,
): Promise<RepairOutcome> {
  try {
    return await work();
  } catch (error) {
    const isOurTimeout = timeout?.aborted === true;
    const isAborted = error instanceof ReelmillError && error.code === "ABORTED";
    if (signal.aborted || (isAborted && !isOurTimeout)) throw error;
    return { status: "failed", error: toJobError(error), report: null };
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    throw translateOutputError(folder, error);
  }
}

function toJobError(error: unknown): JobError {
  if (error instanceof ReelmillError) return { code: error.code, message: error.message };
  const system = rootCodeOf(error);
  if (system === "ENOSPC" || system === "EDQUOT") return { code: "NO_SPACE", message: messageOf(error) };
  if (system !== undefined) return { code: "STORE_UNAVAILABLE", message: messageOf(error) };
  return { code: "INTERNAL", message: messageOf(error) };
}

function reportOf(
  { clock }: ProcessContext,
  { work, outcome }: Conclusion,
  verdict: Pick<CaseReport, "outcome" | "repairedBy" | "cloud">,
): CaseReport {
  return {
    schema: 1,
    file: work.name,
    bytes: work.sighting.bytes,
    at: new Date(clock.nowMs()).toISOString(),
    references: work.references.map((path) => basename(path)),
    jobId: outcome.jobId ?? null,
    ...verdict,
    exportedAs: null,
    error: outcome.status === "failed" ? { code: outcome.error.code, message: outcome.error.message } : null,
    report: outcome.report,
  };
}

/** Brings to their end what services that are gone had begun. */
export async function recoverAbandoned(context: ProcessContext, signal: AbortSignal): Promise<void> {
  for (const claim of await context.claims.takeAbandoned()) {
    try {
      const recovery = await recoverCase(claim, context.settings, AbortSignal.any([signal, claim.lost]));
      const file = claim.name;
      const news = recovery === undefined ? "it is begun anew" : `what was under way is done: ${recovery.kind}`;
      context.log.info(`Taken over from a service that is gone; ${news}`, { file });
    } catch (error) {
      if (!(error instanceof ReelmillError) || !["INTERNAL", "ABORTED"].includes(error.code)) throw error;
      // Nothing follows from a journal that says nothing, or whose file has gone: the file is taken up anew, if it is there.
      context.log.error("What was under way cannot be told", { file: claim.name, error });
      await removeJournal(claim);
    } finally {
      await endClaim(context, claim);
    }
  }
}
