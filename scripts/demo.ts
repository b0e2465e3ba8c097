/**
 * Shows a repair from beginning to end: makes a recording, cuts it as a power failure does, repairs it with the help of a
 * second short recording, and compares the result with the original packet by packet and frame by frame. Everything stays
 * in out/demo to look at. Exits with 1 when anything recoverable was not recovered.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { formatTable } from "../src/apps/cli/table.ts";
import { loadConfig } from "../src/base/config.ts";
import { ReelmillError } from "../src/base/errors.ts";
import { formatBytes, formatElapsedMs, formatMediaSeconds } from "../src/base/units.ts";
import { fileArgument } from "../src/ffmpeg/arguments.ts";
import { listPackets, type PacketInfo } from "../src/ffmpeg/packets.ts";
import { runFfmpeg } from "../src/ffmpeg/run.ts";
import { type FfmpegTools, locateFfmpeg } from "../src/ffmpeg/tools.ts";
import { type FrameHash, frameHashes, verifyDecodes } from "../src/ffmpeg/verify.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, "out", "demo");
const FILES = {
  original: join(FOLDER, "original.mp4"),
  reference: join(FOLDER, "reference.mp4"),
  damaged: join(FOLDER, "damaged.mp4"),
  repaired: join(FOLDER, "repaired.mp4"),
};
const ORIGINAL_SECONDS = 20;
const REFERENCE_SECONDS = 5;
const FRAME_RATE = 30;
/** How much of the payload was written when the power failed. */
const WRITTEN_SHARE = 0.93;
/** Times are compared in seconds that both files round to their own ticks. */
const TIME_TOLERANCE_SECONDS = 1e-6;

/** Records a moving picture with a tone, with the settings of an ordinary camera (B-frames, a key frame a second). */
async function record(tools: FfmpegTools, path: string, seconds: number, picture: string, toneHz: number) {
  await runFfmpeg(tools, {
    inputs: [],
    outputArguments: [
      ...["-f", "lavfi", "-i", `${picture}=size=640x360:rate=${FRAME_RATE}`],
      ...["-f", "lavfi", "-i", `sine=frequency=${toneHz}:sample_rate=48000:beep_factor=4`],
      ...["-t", String(seconds), "-c:v", "libx264", "-preset", "veryfast", "-g", String(FRAME_RATE)],
      ...["-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", "-ac", "2", fileArgument(path)],
    ],
  });
}

/** Offset and size of the media data box of a file whose boxes all have 32-bit sizes. */
function findMediaData(bytes: Buffer): { readonly start: number; readonly size: number } {
  for (let start = 0; start + 8 <= bytes.length; start += Math.max(8, bytes.readUInt32BE(start))) {
    if (bytes.toString("latin1", start + 4, start + 8) === "mdat") return { start, size: bytes.readUInt32BE(start) };
  }
  throw new ReelmillError("INTERNAL", "The recording just made has no media data box.");
}

/** What a dead battery leaves: no index, an unset size, the last packet broken off. Returns where the file now ends. */
function cutAsPowerFailureDoes(packets: readonly PacketInfo[]): number {
  const bytes = readFileSync(FILES.original);
  const media = findMediaData(bytes);
  const wished = media.start + Math.floor(media.size * WRITTEN_SHARE);
  // The middle of a packet, so that the end is as ragged as a real one.
  const broken = packets.find(({ position = 0, bytes: size }) => position <= wished && wished < position + size);
  const end = broken?.position === undefined ? wished : broken.position + Math.floor(broken.bytes / 2);
  bytes.writeUInt32BE(0, media.start);
  writeFileSync(FILES.damaged, bytes.subarray(0, end));
  return end;
}

/** A path as somebody at the repository's root would type it. */
function shown(path: string): string {
  return relative(ROOT, path);
}

/** Runs the command line as anybody would, and returns how long it took in milliseconds. */
function repair(): number {
  const args = ["repair", shown(FILES.damaged), "-r", shown(FILES.reference), "-o", shown(FILES.repaired)];
  console.log(`\n$ ./reelmill ${args.join(" ")}`);
  const startMs = performance.now();
  const result = spawnSync(join(ROOT, "reelmill"), args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  const elapsedMs = performance.now() - startMs;
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new ReelmillError("OUTPUT_NOT_VERIFIED", `The repair ended with ${result.status}.`);
  return elapsedMs;
}

/** How one kind of item (frame or packet) came through. */
interface Score {
  readonly what: string;
  readonly original: number;
  readonly recoverable: number;
  /** Byte for byte the same, in order, without one in between that does not belong. */
  readonly recovered: number;
  readonly surplus: number;
  readonly maxTimeErrorSeconds: number;
}

/** Counts equal items position by position; both lists are in the same order. */
function compare(what: string, original: number, wanted: readonly FrameHash[], found: readonly FrameHash[]): Score {
  let recovered = 0;
  let maxTimeErrorSeconds = 0;
  wanted.forEach((item, index) => {
    const twin = found[index];
    if (twin?.hash !== item.hash) return;
    recovered += 1;
    maxTimeErrorSeconds = Math.max(maxTimeErrorSeconds, Math.abs(twin.ptsSeconds - item.ptsSeconds));
  });
  const surplus = Math.max(0, found.length - wanted.length);
  return { what, original, recoverable: wanted.length, recovered, surplus, maxTimeErrorSeconds };
}

/** Packets of the first `count` of a kind, and the pictures that they decode to. */
async function scoreAll(tools: FfmpegTools, packets: readonly PacketInfo[], end: number): Promise<readonly Score[]> {
  const isWhole = (packet: PacketInfo): boolean => (packet.position ?? 0) + packet.bytes <= end;
  const hashes = (path: string, map: string, areDecoded: boolean): Promise<readonly FrameHash[]> =>
    frameHashes(tools, path, { maps: [map], packets: !areDecoded });
  const scores: Score[] = [];
  for (const kind of ["video", "audio"] as const) {
    const map = `0:${kind.charAt(0)}:0`;
    const ofKind = packets.filter((packet) => packet.kind === kind);
    const whole = ofKind.filter(isWhole).length;
    const before = await hashes(FILES.original, map, false);
    const after = await hashes(FILES.repaired, map, false);
    const wanted = before.slice(0, whole);
    scores.push(compare(`${kind} packets`, before.length, wanted, after));
    if (kind === "audio") continue;
    const shown = new Set(wanted.map((packet) => packet.ptsSeconds.toFixed(6)));
    const pictures = await hashes(FILES.original, map, true);
    const wantedPictures = pictures.filter((picture) => shown.has(picture.ptsSeconds.toFixed(6)));
    scores.push(compare("pictures", pictures.length, wantedPictures, await hashes(FILES.repaired, map, true)));
  }
  return scores;
}

/** Where the last picture or sound ends, in seconds. */
function endSecondsOf(packets: readonly PacketInfo[]): number {
  const ends = packets.map((packet) => (packet.ptsSeconds ?? 0) + (packet.durationSeconds ?? 0));
  return ends.reduce((latest, end) => Math.max(latest, end), 0);
}

function printScores(scores: readonly Score[]): void {
  const rows = scores.map((score) => [
    score.what,
    String(score.original),
    String(score.recoverable),
    String(score.recovered),
    `${((100 * score.recovered) / Math.max(1, score.recoverable)).toFixed(1)} %`,
    `${(score.maxTimeErrorSeconds * 1000).toFixed(3)} ms`,
  ]);
  const columns = [
    { title: "" },
    { title: "original", align: "right" },
    { title: "recoverable", align: "right" },
    { title: "recovered", align: "right" },
    { title: "share", align: "right" },
    { title: "time error", align: "right" },
  ] as const;
  console.log(`\n${formatTable(columns, rows)}`);
}

function isPerfect(score: Score): boolean {
  const isComplete = score.recoverable > 0 && score.recovered === score.recoverable && score.surplus === 0;
  return isComplete && score.maxTimeErrorSeconds <= TIME_TOLERANCE_SECONDS;
}

async function main(): Promise<number> {
  const tools = await locateFfmpeg(loadConfig(process.env), process.env["PATH"] ?? "");
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const startMs = performance.now();
  await record(tools, FILES.original, ORIGINAL_SECONDS, "testsrc2", 440);
  await record(tools, FILES.reference, REFERENCE_SECONDS, "mandelbrot", 660);
  const recordMs = performance.now() - startMs;
  const packets = await listPackets(tools, FILES.original);
  const end = cutAsPowerFailureDoes(packets);
  const originalBytes = statSync(FILES.original).size;
  console.log(
    `A recording of ${ORIGINAL_SECONDS} s (${formatBytes(originalBytes)}) lost power: its index and its end are`,
  );
  console.log(`gone, ${formatBytes(end)} are left, and no player opens it.`);
  const repairMs = repair();
  const checkStartMs = performance.now();
  const scores = await scoreAll(tools, packets, end);
  const decoded = await verifyDecodes(tools, FILES.repaired);
  const after = await listPackets(tools, FILES.repaired);
  const checkMs = performance.now() - checkStartMs;
  printScores(scores);
  console.log(`length    ${formatMediaSeconds(endSecondsOf(after))} of ${formatMediaSeconds(ORIGINAL_SECONDS)}`);
  console.log(`decoding  ${decoded.isClean ? "no complaint" : decoded.complaints.slice(0, 3).join(" · ")}`);
  const times = [recordMs, repairMs, checkMs].map(formatElapsedMs);
  console.log(`times     recording ${times[0]}, repair ${times[1]}, comparison ${times[2]}`);
  console.log(
    `\nLook at them:\n${Object.values(FILES)
      .map((path) => `  ${shown(path)}\n`)
      .join("")}`,
  );
  const isAllRecovered = scores.every(isPerfect) && decoded.isClean;
  console.log(isAllRecovered ? "Everything recoverable was recovered." : "NOT everything recoverable was recovered.");
  return isAllRecovered ? 0 : 1;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(`demo: ${error instanceof ReelmillError ? `${error.message} (${error.code})` : error}`);
  return 1;
});
