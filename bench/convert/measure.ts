import { existsSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ReelmillError } from "../../src/base/errors.ts";
import { watchNodePeak } from "../measuring/node-peak.ts";
import { fillCommand, median, runMeasured } from "../measuring/run.ts";
import { createSlices, type Slices } from "../measuring/slices.ts";
import { FRAME_RATE, makeSource } from "../measuring/source.ts";
import { captureTool } from "../measuring/tools.ts";
import type { ConvertBenchOptions } from "./options.ts";
import { type Codec, HEIGHTS, type Height, missedTargets, type Ratios, type Speed, targetsFor } from "./targets.ts";

/** The plain command for one codec and size, and what is measured against it. */
export interface Group {
  readonly codec: Codec;
  readonly height: Height;
  readonly speeds: readonly Speed[];
}

/** What one command came to; times are medians over the rounds. */
export interface Figures {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly rounds: readonly Pick<Run, "wallSeconds" | "cpuSeconds">[];
  readonly bytes: number;
  readonly frameCount: number;
  /** All three planes against the source, by ffmpeg's filter; NaN where the frame count differs from the source's. */
  readonly ssim: number;
  /** Largest resident set of one of its Node processes; NaN where it has none. */
  readonly nodePeakBytes: number;
  readonly exitCode: number;
}

/** One line of the result. */
export interface ConvertRow {
  readonly id: string;
  readonly codec: Codec;
  readonly speed: Speed;
  readonly height: Height;
  readonly sourceFrameCount: number;
  readonly plain: Figures;
  readonly ours: Figures;
  readonly ratios: Ratios;
  readonly missed: readonly string[];
}

/** What people type today. */
const PLAIN_COMMANDS: Readonly<Record<Codec, string>> = {
  av1: "ffmpeg -nostdin -y -i {in} -c:v libaom-av1 -crf 30 -b:v 0 -cpu-used 4 -c:a libopus -b:a 128k {out}",
  vp9: "ffmpeg -nostdin -y -i {in} -c:v libvpx-vp9 -crf 30 -b:v 0 -c:a libopus -b:a 128k {out}",
  h264: "ffmpeg -nostdin -y -i {in} -c:v libx264 -preset medium -crf 23 -c:a aac -b:a 128k {out}",
};

/** A name as `--filter` sees it. */
export function rowId(codec: Codec, speed: Speed, height: Height): string {
  return `${codec}${speed === "fast" ? "-fast" : ""}-${height}p`;
}

/** Runs the plain command and ours in turns, and holds ours against it. */
export async function measureGroup(group: Group, options: ConvertBenchOptions, workFolder: string) {
  const { codec, height, speeds } = group;
  const source =
    options.sourcePath ??
    (await makeSource(join(options.workFolder, "sources"), height, options.seconds, options.frameRate));
  const templates = [PLAIN_COMMANDS[codec], ...speeds.map((speed) => options.command.replaceAll("{speed}", speed))];
  const contestants = templates.map(
    (template, index): Contestant => ({
      template,
      outputPath: join(workFolder, `${codec}-${height}p-${index}.${codec === "h264" ? "mp4" : "webm"}`),
      runs: [],
    }),
  );
  for (let round = 0; round < options.rounds; round++) await runRound(contestants, { in: source, to: codec }, options);
  const sourceFrameCount = await countFrames(source);
  const [plain, ...ours] = await Promise.all(
    contestants.map(({ outputPath, runs }) => summarise(runs, source, sourceFrameCount, outputPath)),
  );
  if (!options.keep) for (const { outputPath } of contestants) removeOutput(outputPath);
  return speeds.flatMap((speed, index): ConvertRow[] => {
    const figures = ours[index];
    if (plain === undefined || figures === undefined) return [];
    const ratios = compare(figures, plain);
    const targets = targetsFor(codec, speed, height, availableParallelism());
    const missed = missedTargets(ratios, figures.nodePeakBytes, targets);
    if (figures.exitCode !== 0) missed.push(`exit ${figures.exitCode}`);
    if (figures.frameCount !== sourceFrameCount) missed.push(`frames ${figures.frameCount}/${sourceFrameCount}`);
    const id = rowId(codec, speed, height);
    return [{ id, codec, speed, height, sourceFrameCount, plain, ours: figures, ratios, missed }];
  });
}

/** What is held against the others, and what its runs so far came to. */
interface Contestant {
  readonly template: string;
  readonly outputPath: string;
  readonly runs: Run[];
}

/** Runs each once: one behind the other, or all of them in slices. */
async function runRound(
  contestants: readonly Contestant[],
  values: Readonly<Record<string, string>>,
  { sliceSeconds, timeoutSeconds }: ConvertBenchOptions,
): Promise<void> {
  const run = async ({ template, outputPath, runs }: Contestant, slices?: Slices): Promise<void> => {
    // In slices each takes as long as all of them.
    const limitSeconds = slices === undefined ? timeoutSeconds : timeoutSeconds * contestants.length;
    runs.push(await runOnce(template, { ...values, out: outputPath }, limitSeconds, slices));
  };
  if (sliceSeconds === undefined) {
    for (const contestant of contestants) await run(contestant);
  } else {
    const slices = createSlices(sliceSeconds);
    await Promise.all(contestants.map((contestant) => run(contestant, slices)));
  }
}

interface Run {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly nodePeakBytes: number;
  readonly exitCode: number;
}

async function runOnce(
  template: string,
  values: Readonly<Record<string, string>>,
  timeoutSeconds: number,
  slices: Slices | undefined,
): Promise<Run> {
  const outputPath = values["out"] ?? "";
  rmSync(outputPath, { force: true });
  const peak = watchNodePeak();
  const command = fillCommand(template, values);
  const cost = await runMeasured(command, `${outputPath}.log`, timeoutSeconds, { watch: peak.sample, slices });
  return { ...cost, nodePeakBytes: peak.peakBytes() };
}

async function summarise(runs: readonly Run[], source: string, sourceFrameCount: number, outputPath: string) {
  const hasOutput = existsSync(outputPath);
  const frameCount = hasOutput ? await countFrames(outputPath) : 0;
  const peaks = runs.map((run) => run.nodePeakBytes).filter((bytes) => !Number.isNaN(bytes));
  return {
    wallSeconds: median(runs.map((run) => run.wallSeconds)),
    cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
    rounds: runs.map(({ wallSeconds, cpuSeconds }) => ({ wallSeconds, cpuSeconds })),
    bytes: hasOutput ? statSync(outputPath).size : 0,
    frameCount,
    ssim: frameCount === sourceFrameCount ? await measureSsim(source, outputPath) : Number.NaN,
    nodePeakBytes: peaks.length === 0 ? Number.NaN : Math.max(...peaks),
    exitCode: runs.find((run) => run.exitCode !== 0)?.exitCode ?? 0,
  };
}

/** Times are compared round by round: what else the machine does changes from one to the next. */
function compare(ours: Figures, plain: Figures): Ratios {
  const ratioOf = (figure: "wallSeconds" | "cpuSeconds"): number =>
    median(ours.rounds.map((round, index) => round[figure] / (plain.rounds[index]?.[figure] ?? Number.NaN)));
  return {
    wall: ratioOf("wallSeconds"),
    cpu: ratioOf("cpuSeconds"),
    size: ours.bytes / plain.bytes,
    ssimDifference: ours.ssim - plain.ssim,
  };
}

/** Of the sizes that there are targets for, the one nearest to a recording's. Throws INPUT_NOT_VIDEO where it has no pictures. */
export async function nearestHeight(path: string): Promise<Height> {
  const height = await probeNumber(path, ["-show_entries", "stream=height"]);
  if (Number.isNaN(height)) throw new ReelmillError("INPUT_NOT_VIDEO", `${path} has no pictures that ffprobe finds.`);
  return HEIGHTS.reduce((best, each) => (Math.abs(each - height) < Math.abs(best - height) ? each : best));
}

async function countFrames(path: string): Promise<number> {
  return await probeNumber(path, ["-count_frames", "-show_entries", "stream=nb_read_frames"]);
}

/** One whole number that ffprobe tells of the first stream of pictures; NaN where it tells none. */
async function probeNumber(path: string, entries: readonly string[]): Promise<number> {
  const options = ["-v", "error", "-select_streams", "v:0", ...entries, "-of", "csv=p=0"];
  const { stdout } = await captureTool("ffprobe", [...options, path]);
  return Number.parseInt(stdout.toString(), 10);
}

/** Pairs the pictures by their number: WebM rounds times to milliseconds, which would pair some with their neighbour. */
async function measureSsim(source: string, outputPath: string): Promise<number> {
  const numbered = `settb=1/${FRAME_RATE},setpts=N,format=yuv420p`;
  const graph = `[0:v]${numbered}[output];[1:v]${numbered}[source];[output][source]ssim`;
  const args = ["-nostdin", "-hide_banner", "-i", outputPath, "-i", source, "-lavfi", graph, "-f", "null", "-"];
  const { stderr } = await captureTool("ffmpeg", args);
  return Number(/ All:([\d.]+)/.exec(stderr)?.[1] ?? Number.NaN);
}

function removeOutput(path: string): void {
  for (const name of [path, `${path}.log`]) rmSync(name, { force: true });
}
