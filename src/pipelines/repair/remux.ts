import { ReelmillError } from "../../base/errors.ts";
import { fileArgument } from "../../ffmpeg/arguments.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import type { RepairReport, TrackReport } from "../../repair/report.ts";
import type { FileSource } from "./file-source.ts";
import type { WorkHooks } from "./hooks.ts";
import { extensionOf } from "./output-path.ts";
import type { RepairTask } from "./plan.ts";
import { requireFfmpeg } from "./programs.ts";
import type { RemuxedContainer } from "./remuxed-container.ts";
import type { Achievement, Check } from "./result.ts";
import { countStreams, type StreamCount, type StreamCounts } from "./stream-counts.ts";
import { decode, requirePassed } from "./verify-output.ts";
import { createPendingOutput, temporaryPathFor } from "./write-output.ts";

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
  const pending = createPendingOutput(temporaryPathFor(target), target);
  try {
    if (options.dryRun) return conclude("repairable", null, describe(before, damaged), []);
    const complaints = await copyPackets(tools, damaged, container, pending.path, hooks);
    const after = await countStreams(tools, pending.path, hooks.signal);
    const report = describe(after, damaged);
    const isFinished =
      container === "avi" ? !hasOpenRiff(damaged) : container !== "matroska" || !hasOpenSegment(damaged);
    if (isFinished && isHealthy(before, after, complaints)) return conclude("healthy", null, report, []);
    if (task.output === undefined) {
      const message = `${damaged.path} cannot be mended in place: files of this kind are written anew. Write to a new file with -o.`;
      throw new ReelmillError("OUTPUT_UNWRITABLE", message);
    }
    const checks = await check(pending.path, before, after, report, options);
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

const SEGMENT_ID = [0x18, 0x53, 0x80, 0x67] as const;
const MAX_EBML_HEAD_BYTES = 4096;

/**
 * Whether a Matroska file's segment has no size, as while it is being recorded (RFC 8794 §6.2: all bits of the number
 * set): it was never finished, plays, but cannot be sought in.
 */
function hasOpenSegment(source: FileSource): boolean {
  const head = new Uint8Array(Math.min(MAX_EBML_HEAD_BYTES, source.sizeBytes));
  source.read(0, head);
  for (let at = 0; at + 12 <= head.length; at++) {
    if (!SEGMENT_ID.every((byte, index) => head[at + index] === byte)) continue;
    const first = head[at + 4] ?? 0;
    const lengthBytes = Math.clz32(first) - 23;
    const mask = 0xff >>> lengthBytes;
    const rest = head.subarray(at + 5, at + 4 + lengthBytes);
    return first !== 0 && (first & mask) === mask && rest.every((byte) => byte === 0xff);
  }
  return false;
}

/** Whether an AVI file's outer list has no size, as while it is being recorded. */
function hasOpenRiff(source: FileSource): boolean {
  const head = new Uint8Array(8);
  source.read(0, head);
  return head.subarray(4).every((byte) => byte === 0);
}

function isHealthy(before: StreamCounts, after: StreamCounts, complaints: readonly string[]): boolean {
  if (complaints.length > 0 || before.durationSeconds === undefined || after.durationSeconds === undefined)
    return false;
  return Math.abs(before.durationSeconds - after.durationSeconds) <= DURATION_TOLERANCE_SECONDS;
}

/** ffmpeg does not tell where it found what, so there are no findings. */
function describe(counted: StreamCounts, damaged: FileSource): RepairReport {
  const recovered = Math.min(damaged.sizeBytes, counted.bytes);
  return {
    schema: 1,
    engine: "remux",
    diagnosis: "unknown",
    tracks: counted.streams.map((stream) => describeTrack(stream, counted.durationSeconds)),
    findings: [],
    bytes: { recovered, scanned: damaged.sizeBytes },
    confidence: recovered / damaged.sizeBytes,
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
  options: RepairTask["options"],
): Promise<readonly Check[]> {
  if (options.verify === "none") return [];
  const total = ({ streams }: StreamCounts): number => streams.reduce((sum, stream) => sum + stream.packets, 0);
  const [read, written] = [total(before), total(after)];
  const detail = `${read} packets could be read, ${written} are in the output`;
  const status = written === 0 ? "failed" : written < read ? "warning" : "passed";
  return [{ name: "packets", status, detail }, await decode(path, report, options)];
}
