import { ReelmillError } from "../../base/errors.ts";
import type { FileSource } from "../../base/file-source.ts";
import { extensionOf } from "../../base/output-path.ts";
import { createPendingOutput } from "../../base/pending-output.ts";
import { formatCount } from "../../base/units.ts";
import { fileArgument } from "../../ffmpeg/arguments.ts";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import type { RepairReport, TrackReport } from "../../repair/report.ts";
import { triage } from "../../repair/triage.ts";
import { findContainerDamage } from "./container-damage.ts";
import type { WorkHooks } from "./hooks.ts";
import type { RepairTask } from "./plan.ts";
import type { RemuxedContainer } from "./remuxed-container.ts";
import type { Achievement, Check } from "./result.ts";
import { countStreams, type StreamCount, type StreamCounts } from "./stream-counts.ts";
import { beginCheck, decode, requirePassed, type VerifySettings } from "./verify-output.ts";

/** The header of an unfinished file tells no length, or one that its content does not reach. */
const DURATION_TOLERANCE_SECONDS = 1;
const SHOWN_COMPLAINTS = 3;

/**
 * Mends a Matroska, AVI or MPEG-TS file: ffmpeg copies every packet that it can read into a new file of the same container.
 * Throws FFMPEG_MISSING, FFMPEG_FAILED, FFMPEG_TIMEOUT, NOTHING_RECOVERED, NO_SPACE, OUTPUT_EXISTS, OUTPUT_UNWRITABLE (in
 * place too), OUTPUT_NOT_VERIFIED, ABORTED.
 */
export async function repairByRemux(
  task: RepairTask,
  damaged: FileSource,
  container: RemuxedContainer,
  hooks: WorkHooks,
  notices: string[],
): Promise<Achievement> {
  const { options } = task;
  const tools = await requireFfmpeg(options.environment);
  const before = await countStreams(tools, damaged.path, hooks.signal);
  if (before.streams.every((stream) => stream.packets === 0)) {
    throw new ReelmillError("NOTHING_RECOVERED", `ffmpeg finds no packet in ${damaged.path}.`);
  }
  const target = task.output ?? damaged.path;
  const pending = createPendingOutput(target);
  try {
    if (options.dryRun) return conclude("repairable", null, describe(before, damaged), []);
    const complaints = await copyPackets(tools, damaged, container, pending.path, hooks);
    const after = await countStreams(tools, pending.path, hooks.signal);
    const report = describe(after, damaged);
    const isFinished = findContainerDamage(damaged, container).length === 0;
    if (isFinished && isHealthy(before, after, complaints)) return conclude("healthy", null, report, []);
    if (task.output === undefined) {
      const message = `${damaged.path} cannot be mended in place: files of this kind are written anew. Write to a new file with -o.`;
      throw new ReelmillError("OUTPUT_UNWRITABLE", message);
    }
    const checks = await check(pending.path, before, after, report, {
      ...options,
      onProgress: beginCheck(options, hooks),
    });
    requirePassed(checks, []);
    pending.publish();
    if (complaints.length > 0) notices.push(`ffmpeg said: ${complaints.slice(-SHOWN_COMPLAINTS).join(" · ")}`);
    return conclude("repaired", task.output, report, checks);
  } finally {
    // Published, the temporary name is gone already.
    pending.discard();
  }
}

function conclude(
  status: Achievement["status"],
  output: string | null,
  report: RepairReport,
  checks: readonly Check[],
): Achievement {
  return { status, output, report, checks, references: [] };
}

/** Formats by name, because the temporary file's extension tells nothing. */
function formatOf(container: RemuxedContainer, path: string): string {
  return container === "matroska" && extensionOf(path) === ".webm" ? "webm" : container;
}

/** Gives ffmpeg's complaints. AVI with pictures out of order is refused at first; then times are made up. */
async function copyPackets(
  tools: FfmpegTools,
  damaged: FileSource,
  container: RemuxedContainer,
  path: string,
  hooks: WorkHooks,
): Promise<readonly string[]> {
  const run = async (inputOptions: readonly string[]): Promise<readonly string[]> => {
    const { complaints } = await runFfmpeg(tools, {
      inputs: [{ path: damaged.path, options: inputOptions }],
      outputArguments: [
        ...["-map", "0", "-c", "copy", "-ignore_unknown", "-max_muxing_queue_size", "65536"],
        ...["-f", formatOf(container, damaged.path), fileArgument(path)],
      ],
      onProgress: ({ outputBytes }) => hooks.onProgress(outputBytes / damaged.sizeBytes, "copying"),
      signal: hooks.signal,
    });
    requireWritten(complaints, path);
    return complaints;
  };
  try {
    return await run(["-fflags", "+genpts"]);
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code !== "FFMPEG_FAILED") throw error;
    requireWritten([error.message], path);
    return await run(["-fflags", "+genpts+igndts", "-err_detect", "ignore_err"]);
  }
}

/** A full disk is the one failure that ffmpeg may end well after. */
function requireWritten(complaints: readonly string[], path: string): void {
  if (complaints.some((line) => line.includes("No space left on device"))) {
    throw new ReelmillError("NO_SPACE", `${path} cannot be written: the disk is full.`);
  }
}

function isHealthy(before: StreamCounts, after: StreamCounts, complaints: readonly string[]): boolean {
  if (complaints.length > 0 || before.durationSeconds === undefined || after.durationSeconds === undefined)
    return false;
  return Math.abs(before.durationSeconds - after.durationSeconds) <= DURATION_TOLERANCE_SECONDS;
}

/** ffmpeg does not tell where it found what, so there are no findings. */
function describe(counted: StreamCounts, damaged: FileSource): RepairReport {
  const { dataEndOffset } = triage(damaged);
  const recovered = Math.min(dataEndOffset, counted.bytes);
  return {
    schema: 1,
    engine: "remux",
    diagnosis: "unknown",
    tracks: counted.streams.map((stream) => describeTrack(stream, counted.durationSeconds)),
    findings: [],
    bytes: { recovered, scanned: dataEndOffset },
    // What was allocated ahead and never written holds nothing; headers between packets count as if they did.
    confidence: recovered / Math.max(1, dataEndOffset),
  };
}

function describeTrack(stream: StreamCount, durationSeconds: number | undefined): TrackReport {
  return {
    trackId: stream.index + 1,
    kind: stream.kind,
    codec: stream.codec,
    packets: stream.packets,
    keyframes: stream.keyframes,
    bytes: stream.bytes,
    durationSeconds: stream.durationSeconds ?? durationSeconds ?? 0,
    timing: "container",
  };
}

async function check(
  path: string,
  before: StreamCounts,
  after: StreamCounts,
  report: RepairReport,
  options: VerifySettings,
): Promise<readonly Check[]> {
  if (options.verify === "none") return [];
  const total = ({ streams }: StreamCounts): number => streams.reduce((sum, stream) => sum + stream.packets, 0);
  const [read, written] = [total(before), total(after)];
  const detail = `${formatCount(read, "packet")} could be read, ${written} ${written === 1 ? "is" : "are"} in the output`;
  const status = written === 0 ? "failed" : written < read ? "warning" : "passed";
  return [{ name: "packets", status, detail }, await decode(path, report, options)];
}
