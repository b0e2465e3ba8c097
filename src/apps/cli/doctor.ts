import { constants } from "node:fs";
import { copyFile, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { loadConfig } from "../../base/config.ts";
import type { Config } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { formatBytes } from "../../base/units.ts";
import { detectFeatures } from "../../ffmpeg/features.ts";
import { type FfmpegTools, locateFfmpeg } from "../../ffmpeg/tools.ts";
import { readAwsHome } from "../aws-settings.ts";
import type { CliContext } from "./cli-context.ts";
import type { DoctorCommandOptions } from "./command-options.ts";
import { EXIT_FAILURE, EXIT_OK } from "./exit-codes.ts";
import { formatTable } from "./table.ts";

const NEEDED_NODE_MAJOR = 24;
const NEEDED_FFMPEG = [5, 1] as const;
const LOW_SPACE_BYTES = 5e9;

/** Encoders and filters that some pipeline uses, and what is missed without them. */
const WANTED_FEATURES = [
  { kind: "decoders", name: "h264", purpose: "checking repaired files" },
  { kind: "decoders", name: "hevc", purpose: "checking repaired files" },
  { kind: "decoders", name: "aac", purpose: "checking repaired files" },
  { kind: "encoders", name: "libx264", purpose: "the demo" },
  { kind: "encoders", name: "aac", purpose: "the demo" },
] as const;

/** One line of the doctor's findings. Only `failed` keeps Reelmill from working. */
interface Finding {
  readonly check: string;
  readonly status: "ok" | "warning" | "failed";
  readonly detail: string;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function checkNode(): Finding {
  const major = Number.parseInt(process.versions.node, 10);
  const status = major >= NEEDED_NODE_MAJOR ? "ok" : "failed";
  return { check: "node", status, detail: `${process.versions.node} (${NEEDED_NODE_MAJOR} or newer is needed)` };
}

function checkFfmpegVersion(version: string): Finding {
  const [major, minor] = version.split(".").map((part) => Number.parseInt(part, 10));
  const [neededMajor, neededMinor] = NEEDED_FFMPEG;
  const needed = `${NEEDED_FFMPEG.join(".")} or newer is needed`;
  // Builds from the development tree carry no version number, only a commit.
  if (major === undefined || Number.isNaN(major)) {
    return { check: "ffmpeg version", status: "warning", detail: `${version}, which cannot be compared (${needed})` };
  }
  const isEnough = major > neededMajor || (major === neededMajor && (minor ?? 0) >= neededMinor);
  return { check: "ffmpeg version", status: isEnough ? "ok" : "failed", detail: `${version} (${needed})` };
}

async function checkFeatures(tools: FfmpegTools, signal: AbortSignal): Promise<readonly Finding[]> {
  const features = await detectFeatures(tools, signal);
  const missing = WANTED_FEATURES.filter(({ kind, name }) => !features[kind].has(name));
  const detail = missing.map(({ kind, name, purpose }) => `no ${name} among the ${kind}: used for ${purpose}`);
  const found = `${features.encoders.size} encoders, ${features.decoders.size} decoders, ${features.filters.size} filters`;
  return [
    checkFfmpegVersion(features.version),
    { check: "ffmpeg features", status: missing.length === 0 ? "ok" : "warning", detail: detail.join("; ") || found },
  ];
}

async function checkFfmpeg(config: Config, context: CliContext): Promise<readonly Finding[]> {
  try {
    const tools = await locateFfmpeg(config, context.environment["PATH"] ?? "");
    return [
      { check: "ffmpeg", status: "ok", detail: tools.ffmpegPath },
      { check: "ffprobe", status: "ok", detail: tools.ffprobePath },
      ...(await checkFeatures(tools, context.signal)),
    ];
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "ABORTED") throw error;
    return [{ check: "ffmpeg", status: "failed", detail: messageOf(error) }];
  }
}

async function checkFolder(folder: string): Promise<readonly Finding[]> {
  let scratch: string | undefined;
  try {
    scratch = await mkdtemp(join(folder, "reelmill-doctor-"));
    const file = join(scratch, "a");
    await writeFile(file, "x");
    const space = await statfs(scratch);
    const freeBytes = space.bavail * space.bsize;
    const reflinks = await copyFile(file, join(scratch, "b"), constants.COPYFILE_FICLONE_FORCE).then(
      () => "can share the unchanged bytes of a copy",
      () => "copies byte by byte; use --in-place to avoid it",
    );
    const isLow = freeBytes < LOW_SPACE_BYTES;
    return [
      { check: "temporary folder", status: "ok", detail: `${folder} is writable` },
      { check: "free space", status: isLow ? "warning" : "ok", detail: `${formatBytes(freeBytes)} in ${folder}` },
      { check: "copying", status: "ok", detail: `${folder} ${reflinks}` },
    ];
  } catch (error) {
    return [{ check: "temporary folder", status: "failed", detail: `${folder} is not writable: ${messageOf(error)}` }];
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

/** What machines share, as seen from this one. */
async function checkStores({ server }: Config, { environment, clock }: CliContext): Promise<readonly Finding[]> {
  if (server.backend !== "aws") return [];
  const { checkAws } = await import("../aws-checks.ts");
  return await checkAws(readAwsHome(environment, server, resolve(server.dataFolder)), clock);
}

/**
 * Checks the machine and prints what was found, as a table or as JSON. Gives 0 when nothing failed, else 1. Throws
 * CONFIG_INVALID when a setting is wrong, ABORTED when cancelled.
 */
export async function runDoctorCommand(options: DoctorCommandOptions, context: CliContext): Promise<number> {
  const config = loadConfig(context.environment);
  const findings = [
    checkNode(),
    ...(await checkFfmpeg(config, context)),
    ...(await checkFolder(tmpdir())),
    ...(await checkStores(config, context)),
  ];
  const isHealthy = findings.every((finding) => finding.status !== "failed");
  if (options.json) {
    context.writeOutput(`${JSON.stringify({ ok: isHealthy, findings }, null, 2)}\n`);
  } else {
    const rows = findings.map(({ check, status, detail }) => [check, status, detail]);
    context.writeOutput(formatTable([{ title: "check" }, { title: "status" }, { title: "detail" }], rows));
  }
  return isHealthy ? EXIT_OK : EXIT_FAILURE;
}
