import { readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { describeIssue } from "../../../base/describe-issue.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { translateInputError } from "../../../base/file-errors.ts";
import { printableJson, printableLine } from "../../../base/printable.ts";
import { formatBytes, formatCount, formatElapsedMs, formatMediaSeconds } from "../../../base/units.ts";
import { readContentKey } from "../../../pipelines/hls/content-key.ts";
import {
  HLS_SETTINGS,
  type HlsSettings,
  LADDER_FILE,
  MAIN_PLAYLIST,
  type PackageReport,
  packageFile,
} from "../../../pipelines/hls/index.ts";
import type { CliContext } from "../cli-context.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { requireUncancelled } from "../failure.ts";
import { createProgressBar } from "../progress-bar.ts";
import { describeMisuse, nameSwitches } from "../switches.ts";
import { formatTable } from "../table.ts";

/** `reelmill hls` as the command line gives it: the settings by their names, and where to. */
export type HlsPackageOptions = Readonly<Record<string, unknown>> & {
  readonly output: string;
  /** Path of a ladder file. */
  readonly ladder?: string;
  /** Comma-separated. */
  readonly codecs?: string;
  /** Path of the key. */
  readonly encryptKey?: string;
  readonly json: boolean;
};

const SETTINGS = [...Object.keys(HLS_SETTINGS.shape), "encryptKey"];
/** A file that is larger is no ladder. */
const MAX_LADDER_BYTES = 64 * 1024;

/**
 * Makes an HLS package of a file and prints what came of it. Gives 0. Throws USAGE, ABORTED, and what `packageFile` throws.
 */
export async function runHlsPackageCommand(
  input: string,
  options: HlsPackageOptions,
  context: CliContext,
): Promise<number> {
  const { output, json, ladder, codecs, encryptKey, ...given } = options;
  const settings = parseSettings({
    ...given,
    ...(ladder === undefined ? {} : { ladder: readLadder(ladder) }),
    ...(codecs === undefined ? {} : { codecs: codecs.split(",").map((codec) => codec.trim()) }),
  });
  const contentKey = encryptKey === undefined ? undefined : readContentKey(encryptKey);
  const bar = createProgressBar(context, basename(input));
  const startMs = context.clock.monotonicMs();
  const { environment, signal } = context;
  let report: PackageReport;
  try {
    report = await packageFile({ input, output, settings, contentKey, environment, signal, onProgress: bar.update });
  } catch (error) {
    requireUncancelled(error, input, "packaged");
    if (!(error instanceof ReelmillError && error.code === "PARAMS_INVALID")) throw error;
    throw new ReelmillError(error.code, nameSwitches(error.message, SETTINGS), { cause: error });
  } finally {
    bar.clear();
  }
  const elapsedMs = context.clock.monotonicMs() - startMs;
  const playlist = join(output, MAIN_PLAYLIST);
  context.writeOutput(
    json
      ? `${printableJson({ schema: 1, input, playlist, report })}\n`
      : formatReport(input, playlist, report, elapsedMs),
  );
  return EXIT_OK;
}

function parseSettings(given: Readonly<Record<string, unknown>>): HlsSettings {
  const parsed = HLS_SETTINGS.safeParse(given);
  if (parsed.success) return parsed.data;
  throw describeMisuse(parsed.error, given, SETTINGS);
}

function readLadder(path: string): unknown {
  let text: string;
  try {
    if (statSync(path).size > MAX_LADDER_BYTES) {
      throw new ReelmillError("USAGE", `${path} is no ladder: it has more than ${MAX_LADDER_BYTES} bytes.`);
    }
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw translateInputError(path, error);
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new ReelmillError("USAGE", `${path} is no ladder: it is not JSON.`, { cause });
  }
  const parsed = LADDER_FILE.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    (issue) => `${issue.path.join(".") || "the whole"}: ${describeIssue(issue, content)}`,
  );
  throw new ReelmillError("USAGE", `${path} is no ladder: ${faults.join("; ")}.`);
}

/** What became of the file, for people. */
function formatReport(input: string, playlist: string, report: PackageReport, elapsedMs: number): string {
  const { variants, rules, pictures, durationSeconds, encoder, findings, inputBytes, outputBytes } = report;
  const kbps = (bitsPerSecond: number): string => (bitsPerSecond / 1000).toFixed(0);
  const columns = [
    { title: "variant" },
    { title: "size" },
    { title: "fps", align: "right" as const },
    { title: "average kbit/s", align: "right" as const },
    { title: "peak kbit/s", align: "right" as const },
    { title: "codecs" },
  ];
  const rows = variants.map((variant) => [
    variant.name,
    variant.resolution ?? "sound",
    variant.framesPerSecond === null ? "" : String(variant.framesPerSecond),
    kbps(variant.averageBitsPerSecond),
    kbps(variant.peakBitsPerSecond),
    variant.codecs.join(" "),
  ]);
  const checked = `${rules.passed} rules of HLS kept, ${formatCount(rules.mustsFailed, "must")} and ${formatCount(rules.shouldsFailed, "should")} broken`;
  const lines = [
    `${input}: packaged → ${playlist} (${formatElapsedMs(elapsedMs)})`,
    `  ${encoder}, ${formatCount(pictures, "picture")}, ${formatMediaSeconds(durationSeconds)}, ${formatBytes(inputBytes)} → ${formatBytes(outputBytes)}`,
    `  every stream decoded whole; ${checked}`,
    ...findings.map((finding) => `  ${finding}`),
  ];
  return `${lines.map(printableLine).join("\n")}\n\n${formatTable(columns, rows)}`;
}
