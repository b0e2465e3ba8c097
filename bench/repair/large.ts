import { spawnSync } from "node:child_process";
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { extname, join } from "node:path";
import { fillCommand, launcher, median, type RunCost, runMeasured } from "../measuring/run.ts";
import { captureTool, encodeFile } from "../measuring/tools.ts";
import { planDamage, writeDamaged } from "./damage.ts";
import { type Layout, largestMdat, readAt, readLayout } from "./layout.ts";
import { loopRecording } from "./loop.ts";
import type { BenchOptions } from "./options.ts";
import { LARGE_TARGETS, PEAK_BASE_BYTES, PEAK_BYTES_PER_SAMPLE } from "./targets.ts";

/** A long recording made by repeating a short one. */
interface LargeCase {
  readonly id: string;
  readonly extension: string;
  readonly seedSeconds: number;
  readonly args: readonly string[];
  /** Part of `--large-bytes` that it is made to reach. */
  readonly shareOfBytes: number;
}

/** One measured step: the median of its rounds. */
interface Step {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** The figures of one large recording; ratios are of wall times. */
interface LargeFigures {
  readonly id: string;
  readonly damagedBytes: number;
  readonly sampleCount: number;
  readonly steps: Readonly<Record<string, Step>>;
  readonly ratios: Readonly<Record<string, number>>;
  readonly recoveredPercent: Readonly<Record<string, number>>;
  readonly bytesPerSampleAboveBase: number;
  readonly missed: readonly string[];
}

interface NodeFloor {
  readonly wallSeconds: number;
  readonly peakBytes: number;
}

const ROUNDS = 3;
const HOLE_BYTES = 64 * 1024;
const HEAD_BYTES = 4096;

const LARGE_CASES: readonly LargeCase[] = [
  {
    id: "large_h264_aac",
    extension: ".mp4",
    seedSeconds: 12,
    args: [
      ..."-c:v libx264 -preset ultrafast -b:v 14M -maxrate 14M -bufsize 14M -bf 0 -g 60".split(" "),
      ..."-pix_fmt yuv420p -c:a aac -b:a 192k -threads 2".split(" "),
    ],
    shareOfBytes: 1,
  },
  {
    id: "large_prores_pcm",
    extension: ".mov",
    seedSeconds: 6,
    args: "-c:v prores_ks -profile:v 2 -c:a pcm_s16le".split(" "),
    shareOfBytes: 0.75,
  },
];

/** Measures the large recordings that the filter chooses, printing as it goes. Needs about four times their size on disk. */
export async function measureLarge(options: BenchOptions, workFolder: string, floor: NodeFloor) {
  const report: LargeFigures[] = [];
  for (const large of LARGE_CASES) {
    if (!options.filter.test(large.id)) continue;
    const figures = await measureOne(large, options, workFolder, floor);
    report.push(figures);
    printFigures(figures);
  }
  return { report, isMet: report.every((figures) => figures.missed.length === 0) };
}

async function measureOne(large: LargeCase, options: BenchOptions, workFolder: string, floor: NodeFloor) {
  const { victimPath, referencePath } = await makeLarge(large, options);
  const layout = readLayout(victimPath);
  const bad = join(workFolder, `damaged${large.extension}`);
  const damagedBytes = writeDamaged(victimPath, planDamage(layout, "T100"), bad);
  const paths = {
    original: victimPath,
    bad,
    ref: referencePath,
    out: join(workFolder, `out${large.extension}`),
    log: join(workFolder, "log"),
  };
  const truth = await listSamples(victimPath, layout);
  const run = (template: string) => runMeasured(fillCommand(template, paths), paths.log, options.timeoutSeconds);
  const inPlace = `${launcher()} repair {bad} -r {ref} --in-place`;
  const steps: Record<string, Step> = {};
  const recoveredPercent: Record<string, number> = {};
  steps["wc -l"] = await repeat(() => run("wc -l {bad}"));
  steps["cp"] = await repeat(() => run("cp {bad} {out}"), paths.out);
  const restore = rememberHead(bad);
  const measureRepairs = async (suffix: string) => {
    steps[`in place${suffix}`] = await repeat(
      () => run(inPlace),
      undefined,
      restore,
      async () => {
        recoveredPercent[`in place${suffix}`] = await recoveredShare(truth, bad);
      },
    );
    steps[`copy${suffix}`] = await repeat(
      () => run(options.command),
      paths.out,
      undefined,
      async () => {
        recoveredPercent[`copy${suffix}`] = await recoveredShare(truth, paths.out);
      },
    );
  };
  await measureRepairs("");
  punchHole(bad, Math.floor(damagedBytes / 2));
  await measureRepairs(", hole");
  rmSync(bad);
  return figuresOf(large.id, damagedBytes, truth.size, steps, recoveredPercent, floor);
}

function figuresOf(
  id: string,
  damagedBytes: number,
  sampleCount: number,
  steps: Readonly<Record<string, Step>>,
  recoveredPercent: Readonly<Record<string, number>>,
  floor: NodeFloor,
): LargeFigures {
  const wall = (name: string) => steps[name]?.wallSeconds ?? Number.NaN;
  const ratios = {
    inPlaceAboveNodeToScan: (wall("in place") - floor.wallSeconds) / wall("wc -l"),
    copyToCp: wall("copy") / wall("cp"),
    holeToWhole: wall("in place, hole") / wall("in place"),
    holeToWholeCopied: wall("copy, hole") / wall("copy"),
  };
  const repairs = Object.entries(steps).filter(([name]) => name.startsWith("in place") || name.startsWith("copy"));
  const peakBytes = Math.max(...repairs.map(([, step]) => step.peakBytes)) - floor.peakBytes;
  const bytesPerSampleAboveBase = Math.max(0, peakBytes - PEAK_BASE_BYTES) / sampleCount;
  const missed = Object.entries(LARGE_TARGETS).flatMap(([name, limit]) => {
    const ratio = ratios[name as keyof typeof LARGE_TARGETS];
    return ratio <= limit ? [] : [`${name} ${ratio.toFixed(2)} > ${limit}`];
  });
  if (bytesPerSampleAboveBase > PEAK_BYTES_PER_SAMPLE) missed.push(`peak ${(peakBytes / 1e6).toFixed(0)} MB`);
  for (const [name, percent] of Object.entries(recoveredPercent)) {
    if (percent < (name.endsWith("hole") ? 99.9 : 100)) missed.push(`${name}: ${percent.toFixed(3)} % recovered`);
  }
  return { id, damagedBytes, sampleCount, steps, ratios, recoveredPercent, bytesPerSampleAboveBase, missed };
}

function printFigures(figures: LargeFigures): void {
  console.log(`\n${figures.id}: ${(figures.damagedBytes / 1e9).toFixed(2)} GB, ${figures.sampleCount} samples`);
  for (const [name, step] of Object.entries(figures.steps)) {
    const speed = `${(figures.damagedBytes / 1e6 / step.wallSeconds).toFixed(0).padStart(6)} MB/s`;
    const recovered = figures.recoveredPercent[name];
    const share = recovered === undefined ? "" : `  ${recovered.toFixed(3)} % recovered`;
    const peak = `${(step.peakBytes / 1e6).toFixed(0).padStart(5)} MB peak`;
    console.log(`  ${name.padEnd(15)} ${step.wallSeconds.toFixed(3).padStart(8)} s ${speed} ${peak}${share}`);
  }
  for (const [name, ratio] of Object.entries(figures.ratios)) console.log(`  ${name.padEnd(24)} ${ratio.toFixed(2)}`);
  console.log(`  memory beyond 64 MiB     ${figures.bytesPerSampleAboveBase.toFixed(1)} B per sample`);
  for (const miss of figures.missed) console.log(`  ✗ ${miss}`);
}

/** Makes the reference and the long victim, or finds them from an earlier run. */
async function makeLarge(large: LargeCase, options: BenchOptions) {
  const folder = join(options.workFolder, "large");
  mkdirSync(folder, { recursive: true });
  const name = (part: string) => join(folder, `${large.id}.${part}${large.extension}`);
  const noise = "noise=alls=12:allf=t+u,format=yuv420p";
  const seed = [`testsrc2=s=1920x1080:r=30,${noise}`, "sine=f=523:r=48000,aformat=channel_layouts=stereo"];
  const other = [
    `mandelbrot=s=320x180:r=30,scale=1920x1080,${noise}`,
    "sine=f=330:r=48000,aformat=channel_layouts=stereo",
  ];
  const encode = async (sources: readonly string[], seconds: number, path: string) => {
    if (existsSync(path)) return;
    const inputs = sources.flatMap((source) => ["-f", "lavfi", "-i", source]);
    await encodeFile([...inputs, "-t", String(seconds), ...large.args], path);
  };
  await encode(seed, large.seedSeconds, name("seed"));
  await encode(other, Math.min(5, large.seedSeconds), name("reference"));
  const wantedBytes = options.largeBytes * large.shareOfBytes;
  const times = Math.ceil(wantedBytes / statSync(name("seed")).size);
  const victimPath = name(`x${times}`);
  if (!existsSync(victimPath)) loopRecording(name("seed"), victimPath, times);
  return { victimPath, referencePath: name("reference") };
}

/** Runs a step three times; what it wrote is removed after each, and `check` looks at what the first one made. */
async function repeat(
  step: () => Promise<RunCost>,
  outputPath?: string,
  restore?: () => void,
  check?: () => Promise<void>,
): Promise<Step> {
  const runs: RunCost[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Dirty pages of the step before would otherwise be written back at this one's expense.
    spawnSync("sync");
    runs.push(await step());
    if (round === 0 && check !== undefined) await check();
    if (outputPath !== undefined) rmSync(outputPath, { force: true });
    restore?.();
  }
  return {
    wallSeconds: median(runs.map((run) => run.wallSeconds)),
    cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
    peakBytes: Math.max(...runs.map((run) => run.peakBytes)),
  };
}

/** Remembers a file's head and length, which is all that a repair in place changes, and hands out the way back. */
function rememberHead(path: string): () => void {
  const sizeBytes = statSync(path).size;
  const fd = openSync(path, "r");
  const head = readAt(fd, 0, HEAD_BYTES);
  closeSync(fd);
  return () => {
    const target = openSync(path, "r+");
    writeSync(target, head, 0, head.length, 0);
    ftruncateSync(target, sizeBytes);
    closeSync(target);
  };
}

function punchHole(path: string, offset: number): void {
  const fd = openSync(path, "r+");
  writeSync(fd, Buffer.alloc(HOLE_BYTES), 0, HOLE_BYTES, offset);
  closeSync(fd);
}

/** Samples as "stream:offset in the payload", with their sizes: identical places in identical bytes are identical samples. */
async function listSamples(path: string, layout: Layout): Promise<ReadonlyMap<string, number>> {
  const samples = new Map<string, number>();
  if (layout.kind !== "mp4") return samples;
  const mdat = largestMdat(layout.boxes);
  const entries = "packet=stream_index,size,pos";
  const { stdout } = await captureTool("ffprobe", ["-v", "error", "-show_entries", entries, "-of", "csv=p=0", path]);
  for (const line of stdout.toString("latin1").split("\n")) {
    const [stream, sizeBytes, offset] = line.split(",");
    if (offset === undefined) continue;
    samples.set(`${stream}:${Number(offset) - mdat.offset - mdat.headerBytes}`, Number(sizeBytes));
  }
  return samples;
}

/** Percent of the truth's bytes whose samples an output has at the same place with the same size. */
async function recoveredShare(truth: ReadonlyMap<string, number>, path: string): Promise<number> {
  if (!existsSync(path) || extname(path) === "") return 0;
  let layout: Layout;
  try {
    layout = readLayout(path);
  } catch {
    return 0;
  }
  const found = await listSamples(path, layout);
  let wantedBytes = 0;
  let foundBytes = 0;
  for (const [place, sizeBytes] of truth) {
    wantedBytes += sizeBytes;
    if (found.get(place) === sizeBytes) foundBytes += sizeBytes;
  }
  return (foundBytes / wantedBytes) * 100;
}
