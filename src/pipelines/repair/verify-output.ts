import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import type { MediaPlace } from "../../ffmpeg/arguments.ts";
import { findFfmpeg, requireFfmpeg } from "../../ffmpeg/programs.ts";
import { GIVE_MATCHING } from "../../repair/choose-reference.ts";
import type { RepairReport } from "../../repair/report.ts";
import type { WorkHooks } from "./hooks.ts";
import type { RepairPipelineOptions } from "./options.ts";
import type { Recording } from "./recordings.ts";
import type { Check } from "./result.ts";
import { checkDecode } from "./verify-decode.ts";
import { checkDurations } from "./verify-durations.ts";
import { checkStructure } from "./verify-structure.ts";

/** What checking an output needs of the options. */
export type VerifySettings = Pick<RepairPipelineOptions, "verify" | "environment" | "signal"> & {
  /** Hears from 0 to 1 how far a full check has come. */
  readonly onProgress?: (fraction: number) => void;
};

/** Looks for what checking will need while the damaged file is read, so that it need not be waited for afterwards. */
export function prepareCheck(settings: VerifySettings): void {
  if (settings.verify === "none") return;
  const loading = Promise.all([findFfmpeg(settings.environment), import("../../ffmpeg/verify.ts")]);
  // Checking does the same again and reports what goes wrong.
  loading.catch(() => undefined);
}

/** Says that checking begins, and gives what hears how far it comes: a quick check is over before there is anything to tell. */
export function beginCheck(
  { verify }: Pick<VerifySettings, "verify">,
  hooks: Pick<WorkHooks, "onProgress">,
): (fraction: number) => void {
  const tell = (fraction: number): void => hooks.onProgress(fraction, "checking");
  tell(verify === "full" ? 0 : 1);
  return tell;
}

/** A repaired recording to be checked before it is published. */
export interface Checkable {
  /** To be read back; the caller closes it. */
  readonly open: () => Recording;
  /** Where ffmpeg finds it. */
  readonly media: () => Promise<MediaPlace>;
}

/** A file of this machine to be checked. */
export function fileToCheck(path: string): Checkable {
  return { open: () => openFileSource(path), media: async () => path };
}

/** Checks a repaired MP4 or MOV by its boxes and with ffmpeg. Throws ABORTED, and FFMPEG_MISSING where `full` needs it. */
export async function checkOutput(
  output: Checkable,
  report: RepairReport,
  settings: VerifySettings,
): Promise<readonly Check[]> {
  if (settings.verify === "none") return [];
  // The decoder runs beside the reading back, which keeps this process busy.
  const decoding = output.media().then((media) => decode(media, report, settings));
  decoding.catch(() => undefined);
  const source = output.open();
  try {
    const structure = checkStructure(source, report);
    const durations = checkDurations(report);
    return [...structure, await decoding, ...(durations ? [durations] : [])];
  } finally {
    source.close();
  }
}

/** The decode check alone, with the program that the level needs. Throws as `checkOutput`. */
export async function decode(media: MediaPlace, report: RepairReport, settings: VerifySettings): Promise<Check> {
  const { environment, signal, verify, onProgress } = settings;
  const tools = await (verify === "full" ? requireFfmpeg(environment) : findFfmpeg(environment));
  return await checkDecode(media, report, { level: verify === "full" ? "full" : "quick", tools, signal, onProgress });
}

/**
 * Throws where a check failed: REFERENCE_MISMATCH where all is written as it should be, but nothing decodes with what the
 * references say, else OUTPUT_NOT_VERIFIED.
 */
export function requirePassed(checks: readonly Check[], references: readonly string[]): void {
  const failed = checks.filter((check) => check.status === "failed");
  if (failed.length === 0) return;
  const reasons = failed.map((check) => check.detail).join("; ");
  if (references.length > 0 && failed.every((check) => check.name === "decode")) {
    const message = `With the parameters of ${references.join(", ")} ${reasons}.`;
    throw new ReelmillError("REFERENCE_MISMATCH", message, { advice: GIVE_MATCHING });
  }
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `The result did not pass its checks: ${reasons}.`);
}
