import { availableParallelism } from "node:os";
import { ReelmillError } from "../base/errors.ts";
import { formatCount } from "../base/units.ts";
import { COMMON_ARGUMENTS, type FfmpegInput, inputArguments, type MediaPlace } from "./arguments.ts";
import { createLineReader, type LineReader } from "./lines.ts";
import { type ProcessResult, runProcess } from "./process.ts";
import { requireSuccess, splitComplaints } from "./run.ts";
import { type FfmpegTools, patient } from "./tools.ts";

/** How a file behaved when all its video and audio was decoded. */
export interface DecodeCheck {
  /** Whether ffmpeg reached the end without a complaint. */
  readonly isClean: boolean;
  /** Video frames that came out, over all video streams. */
  readonly videoFrames: number;
  /** Frames (codec frames, not PCM samples) that came out of the audio streams. */
  readonly audioFrames: number;
  /** What ffmpeg complained of; at most the last 16 KiB. */
  readonly complaints: readonly string[];
}

/** Limits of a check. */
export interface VerifyOptions {
  /** Decode only this many seconds from the start, > 0; default: everything. */
  readonly maxSeconds?: number | undefined;
  /** Which streams; default: those of video and audio. */
  readonly streams?: "audio" | "video" | undefined;
  /** Of an MP4 file: every picture, at whatever time its edit list would show it; default false. */
  readonly ignoresEdits?: boolean | undefined;
  /**
   * Leave out the filter that smooths the edges of blocks (loop filter): it reads nothing of the file, so that there is nothing in it that could be
   * wrong, and takes about a third of the time of H.264. Default false.
   */
  readonly skipsLoopFilter?: boolean | undefined;
  /** Threads of the decoder, ≥ 1; default: as ffmpeg sees fit, for a short look one. */
  readonly threads?: number | undefined;
  /**
   * Hears the presentation time of each frame that came out, in seconds, and how many pictures came out before it; streams take turns, so times may
   * go back a little.
   */
  readonly onFrame?: ((ptsSeconds: number, videoFrames: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One decoded frame, or one packet, with the digest of its bytes. */
export interface FrameHash {
  /** Position of the stream among those chosen, from 0. */
  readonly stream: number;
  /** Presentation time in ticks of the stream's time base. */
  readonly ptsTicks: number;
  /** In ticks of the stream's time base. */
  readonly durationTicks: number;
  /** Presentation time in seconds. */
  readonly ptsSeconds: number;
  /** Size of the decoded frame or packet. */
  readonly bytes: number;
  /** MD5 in hexadecimal. */
  readonly hash: string;
}

/** Which frames to digest. */
export interface FrameHashOptions {
  /** ffmpeg stream specifiers, such as `["0:v:0", "0:a:0"]`; default: the first video stream. */
  readonly maps?: readonly string[] | undefined;
  /** Digest packets as they are stored instead of decoded frames; default false. */
  readonly packets?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Enough for about two million frames. */
const MAX_HASH_LIST_BYTES = 256 * 1024 * 1024;
/** Where lines are counted, not kept, however many there are. */
const COUNTED = Number.POSITIVE_INFINITY;
const NO_LOOP_FILTER: readonly string[] = ["-skip_loop_filter", "all"];

/**
 * A line for each picture is all that is wanted, for which its corner will do: copying and hashing all of its samples would take half as long as
 * decoding. Nor is the whole picture kept (as `wrapped_avframe` does): of a recording whose sound begins late, ffmpeg holds all pictures before that.
 */
const CORNERS: readonly string[] = [
  "-filter:v",
  "crop=w='min(iw,16)':h='min(ih,16)':x=0:y=0:exact=1",
  "-c:v",
  "rawvideo",
];

/** Writes a line for each frame. */
const LINES: readonly string[] = ["-f", "framehash", "-hash", "adler32"];

/** Comment lines (`#…`, the head of a list) go to `onComment`, all others to `onLine`. */
function createListReader(onLine: (line: string) => void, onComment: (line: string) => void): LineReader {
  return createLineReader("ffmpeg", (line) => (line.startsWith("#") ? onComment(line) : onLine(line)));
}

/** Has ffmpeg print a frame list of what `outputArguments` choose to the reader. Throws FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED. */
async function listDigests(
  tools: FfmpegTools,
  inputs: readonly FfmpegInput[],
  outputArguments: readonly string[],
  reader: LineReader,
  signal: AbortSignal | undefined,
  maxOutputBytes = MAX_HASH_LIST_BYTES,
): Promise<ProcessResult> {
  const input = [...COMMON_ARGUMENTS, "-v", "error", "-nostats", ...inputs.flatMap(inputArguments)];
  const result = await runProcess(tools.ffmpegPath, [...input, ...outputArguments, "pipe:1"], {
    timeoutMs: tools.timeoutMs,
    signal,
    onOutput: reader.feed,
    maxOutputBytes,
  });
  reader.end();
  return result;
}

/**
 * Decodes the video and audio of a file and drops the result. A file whose decoding ffmpeg gives up on is not clean but no
 * error of this function. Throws FFMPEG_MISSING, FFMPEG_TIMEOUT, ABORTED.
 */
export async function verifyDecodes(
  tools: FfmpegTools,
  path: MediaPlace,
  options: VerifyOptions = {},
): Promise<DecodeCheck> {
  let videoFrames = 0;
  let audioFrames = 0;
  const audioStreams = new Set<string>();
  const timeBases: TimeBases = new Map();
  const { maxSeconds, streams, ignoresEdits = false, skipsLoopFilter = false, onFrame, signal } = options;
  const countLine = (line: string): void => {
    onFrame?.(readTime(line, timeBases), videoFrames);
    if (audioStreams.has(line.slice(0, line.indexOf(",")))) audioFrames += 1;
    else videoFrames += 1;
  };
  const reader = createListReader(countLine, (comment) => {
    const stream = /^#media_type (\d+): audio$/.exec(comment)?.[1];
    if (stream !== undefined) audioStreams.add(stream);
    readTimeBase(comment, timeBases);
  });
  const limit = maxSeconds === undefined ? [] : ["-t", String(maxSeconds)];
  const output = [
    ...(streams === "audio" ? [] : ["-map", "0:v?"]),
    ...(streams === "video" ? [] : ["-map", "0:a?"]),
    ...["-fps_mode", "passthrough", ...limit],
    // Else hundreds of frames are told at once, after as many seconds where pictures are large.
    ...(onFrame === undefined ? [] : ["-flush_packets", "1"]),
    ...(streams === "audio" ? [] : CORNERS),
    ...LINES,
  ];
  const inputOptions = [
    ...threadOptions(options),
    ...(ignoresEdits ? ["-ignore_editlist", "1"] : []),
    ...(skipsLoopFilter ? NO_LOOP_FILTER : []),
  ];
  const result = await listDigests(tools, [{ path, options: inputOptions }], output, reader, signal, COUNTED);
  const complaints = splitComplaints(result.errorTail);
  const isClean = result.exitCode === 0 && complaints.length === 0;
  return { isClean, videoFrames, audioFrames, complaints };
}

/** A short look gains nothing from more threads, each of which holds pictures of its own: 4K takes a tenth of a gigabyte. */
function threadOptions({ maxSeconds, threads }: VerifyOptions): readonly string[] {
  const count = threads ?? (maxSeconds === undefined ? undefined : 1);
  return count === undefined ? [] : ["-threads", String(count)];
}

/** What `requireDecodes` asks of a file. */
export interface DecodeDemand extends Pick<VerifyOptions, "ignoresEdits" | "threads"> {
  /** What the file is, for the message. */
  readonly what: string;
  /** Pictures that must come out; null: any number. */
  readonly pictures: number | null;
  readonly signal: AbortSignal;
  /** Hears how much has been decoded, 0 to 1; nothing where no number of pictures is known. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** Decodes the whole of a file that was just encoded, however long it takes. Throws OUTPUT_NOT_VERIFIED, FFMPEG_TIMEOUT, PROGRAM_KILLED, ABORTED. */
export async function requireDecodes(
  tools: FfmpegTools,
  path: string,
  { what, pictures, onProgress, ...options }: DecodeDemand,
): Promise<void> {
  const tell = (_seconds: number, frames: number): void => onProgress?.(Math.min(1, frames / (pictures ?? 1)));
  const onFrame = onProgress === undefined || pictures === null ? undefined : tell;
  const { isClean, videoFrames, complaints } = await verifyDecodes(patient(tools), path, {
    ...options,
    skipsLoopFilter: true,
    onFrame,
  });
  if (isClean && (pictures === null || videoFrames === pictures)) return;
  const fault = complaints.at(-1) ?? `${formatCount(videoFrames, "picture")} came out, ${pictures} were to come`;
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `${what} does not decode: ${fault}.`);
}

/** A file of one stream, whose pictures or sound are all to come out. */
export interface StreamDemand extends Pick<DecodeDemand, "what" | "pictures"> {
  readonly path: string;
}

/** So many decoders at a time, which share the cores: each thread of one holds pictures of its own. */
const MAX_TOGETHER = 8;

/** As `requireDecodes` for each of the files, in few runs; where one of those complains, the files of it are decoded one by one, which tells whose fault it is. */
export async function requireAllDecode(
  tools: FfmpegTools,
  streams: readonly StreamDemand[],
  { signal, onProgress }: Pick<DecodeDemand, "signal"> & { readonly onProgress: (fraction: number) => void },
): Promise<void> {
  for (let at = 0; at < streams.length; at += MAX_TOGETHER) {
    const some = streams.slice(at, at + MAX_TOGETHER);
    const tell = (fraction: number): void => onProgress((at + fraction * some.length) / streams.length);
    if (await decodeTogether(patient(tools), some, signal, tell)) continue;
    for (const { path, ...demand } of some) await requireDecodes(tools, path, { ...demand, signal });
  }
}

/** Whether all came out, without a complaint. */
async function decodeTogether(
  tools: FfmpegTools,
  streams: readonly StreamDemand[],
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<boolean> {
  const counts = streams.map(() => 0);
  const wanted = streams.reduce((sum, { pictures }) => sum + (pictures ?? 0), 0);
  let seen = 0;
  const countLine = (line: string): void => {
    const index = Number(line.slice(0, line.indexOf(",")));
    counts[index] = (counts[index] ?? 0) + 1;
    if (typeof streams[index]?.pictures === "number") onProgress(Math.min(1, ++seen / wanted));
  };
  const output = [
    ...streams.flatMap((_, index) => ["-map", `${index}:0`]),
    ...["-fps_mode", "passthrough", "-flush_packets", "1", ...CORNERS, ...LINES],
  ];
  const threads = Math.max(1, Math.floor(availableParallelism() / streams.length));
  const inputs = streams.map(({ path }) => ({ path, options: ["-threads", String(threads), ...NO_LOOP_FILTER] }));
  const reader = createListReader(countLine, () => undefined);
  const { exitCode, errorTail } = await listDigests(tools, inputs, output, reader, signal, COUNTED);
  if (exitCode !== 0 || splitComplaints(errorTail).length > 0) return false;
  return streams.every(({ pictures }, index) => pictures === null || pictures === counts[index]);
}

/**
 * MD5, in hexadecimal, of all packets of a stream one after the other, as they are stored. Throws FFMPEG_FAILED, FFMPEG_MISSING, FFMPEG_TIMEOUT,
 * ABORTED.
 */
export async function digestPackets(
  tools: FfmpegTools,
  path: string,
  streamIndex: number,
  signal?: AbortSignal,
): Promise<string> {
  let digest: string | undefined;
  const readLine = (line: string): void => {
    digest = /^0,[a-z],MD5=([0-9a-f]{32})$/.exec(line)?.[1];
  };
  const output = ["-map", `0:${streamIndex}`, "-c", "copy", "-f", "streamhash", "-hash", "md5"];
  const reader = createListReader(readLine, () => undefined);
  const result = await listDigests(tools, [{ path }], output, reader, signal);
  requireSuccess("ffmpeg", result);
  if (digest !== undefined) return digest;
  throw new ReelmillError("FFMPEG_FAILED", `ffmpeg printed no digest of stream ${streamIndex}.`);
}

/** Seconds per tick, by stream; from the list's head, `#tb 0: 1/15360`. */
type TimeBases = Map<number, number>;

function readTimeBase(comment: string, timeBases: TimeBases): void {
  const match = /^#tb (\d+): (\d+)\/(\d+)$/.exec(comment);
  if (match !== null) timeBases.set(Number(match[1]), Number(match[2]) / Number(match[3]));
}

/** Presentation time of a frame in a list, in seconds. */
function readTime(line: string, timeBases: TimeBases): number {
  const [stream, , pts] = line.split(",", 3);
  return Number(pts) * (timeBases.get(Number(stream)) ?? Number.NaN);
}

function parseFrameHash(line: string, timeBases: TimeBases): FrameHash {
  const [stream, , pts, duration, bytes, hash] = line.split(",").map((field) => field.trim());
  if (hash === undefined) {
    throw new ReelmillError("FFMPEG_FAILED", `ffmpeg printed "${line}" where a frame's digest was expected.`);
  }
  return {
    stream: Number(stream),
    ptsTicks: Number(pts),
    durationTicks: Number(duration),
    ptsSeconds: Number(pts) * (timeBases.get(Number(stream)) ?? Number.NaN),
    bytes: Number(bytes),
    hash,
  };
}

/**
 * Digests every frame (or packet) of the chosen streams, in the order ffmpeg gives them out: presentation order for frames,
 * decode order for packets. No frame is repeated or left out for the sake of a rate. Throws FFMPEG_FAILED, FFMPEG_MISSING,
 * FFMPEG_TIMEOUT, ABORTED.
 */
export async function frameHashes(
  tools: FfmpegTools,
  path: string,
  options: FrameHashOptions = {},
): Promise<readonly FrameHash[]> {
  const hashes: FrameHash[] = [];
  const timeBases: TimeBases = new Map();
  const reader = createListReader(
    (line) => hashes.push(parseFrameHash(line, timeBases)),
    (comment) => readTimeBase(comment, timeBases),
  );
  const output = [
    ...(options.maps ?? ["0:v:0"]).flatMap((map) => ["-map", map]),
    ...(options.packets === true ? ["-c", "copy"] : ["-fps_mode", "passthrough"]),
    ...["-f", "framemd5"],
  ];
  const result = await listDigests(tools, [{ path }], output, reader, options.signal);
  requireSuccess("ffmpeg", result);
  return hashes;
}
