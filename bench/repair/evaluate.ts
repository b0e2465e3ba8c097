import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fillCommand, type RunCost, runMeasured } from "../measuring/run.ts";
import { type Analysis, analyseFile, cachedByFile, decodeVideo, type Stream } from "./analyse.ts";
import { type Damage, type DamagePlan, planDamage, writeDamaged } from "./damage.ts";
import type { Layout } from "./layout.ts";
import { audioVideoDriftMs, maxTimeErrorMs, scoreDecoded, scoreTracks } from "./score.ts";
import { missedTargets, type Outcome, type Targets } from "./targets.ts";

/** An intact recording that is to be damaged, and the reference that the command gets. */
export interface Subject {
  readonly id: string;
  readonly originalPath: string;
  readonly referencePath: string;
  readonly layout: Layout;
  readonly isConstantRate: boolean;
  /** Absent where results are only reported. */
  readonly targets?: Targets;
}

/** What all evaluations of a run share. */
export interface Bench {
  /** Holds damaged files and outputs; emptied after each evaluation unless `keep`. */
  readonly workFolder: string;
  /** Holds what was read of the originals. */
  readonly cacheFolder: string;
  readonly command: string;
  readonly timeoutSeconds: number;
  readonly nodeFloorBytes: number;
  readonly keep: boolean;
  readonly decodes: boolean;
}

/** One line of the result. */
export interface Row extends Outcome {
  readonly id: string;
  readonly damagedBytes: number;
  readonly cost: RunCost;
  readonly hasOutput: boolean;
  readonly missed: readonly string[];
}

/** Damages the subject, runs the command on it, and scores what comes out. */
export async function evaluate(subject: Subject, damage: Damage, bench: Bench): Promise<Row> {
  const extension = subject.originalPath.slice(subject.originalPath.lastIndexOf("."));
  const outputFolder = join(bench.workFolder, `${subject.id}.${damage}.out`);
  rmSync(outputFolder, { recursive: true, force: true });
  mkdirSync(outputFolder, { recursive: true });
  const damagedPath = join(bench.workFolder, `${subject.id}.${damage}.damaged${extension}`);
  const plan = planDamage(subject.layout, damage);
  const damagedBytes = writeDamaged(subject.originalPath, plan, damagedPath);
  const wantedPath = join(outputFolder, `repaired${extension}`);
  const command = fillCommand(bench.command, {
    bad: damagedPath,
    ref: subject.referencePath,
    out: wantedPath,
    outdir: outputFolder,
    ext: extension,
    original: subject.originalPath,
  });
  const logPath = join(bench.workFolder, `${subject.id}.${damage}.log`);
  const cost = await runMeasured(command, logPath, bench.timeoutSeconds);
  const outputPath = existsSync(wantedPath) ? wantedPath : largestFile(outputFolder);
  const scored = await score(subject, plan, outputPath, bench);
  const outcome = {
    damage,
    exitCode: cost.exitCode,
    isConstantRate: subject.isConstantRate,
    peakAboveFloorBytes: Math.max(0, cost.peakBytes - bench.nodeFloorBytes),
    ...scored,
  };
  const missed = subject.targets === undefined ? [] : missedTargets(outcome, subject.targets);
  if (bench.keep) copyFileSync(logPath, join(outputFolder, "log.txt"));
  else {
    for (const path of [damagedPath, outputFolder, logPath]) rmSync(path, { recursive: true, force: true });
  }
  return { id: subject.id, damagedBytes, cost, hasOutput: outputPath !== undefined, missed, ...outcome };
}

async function score(subject: Subject, plan: DamagePlan, outputPath: string | undefined, bench: Bench) {
  const original = await cachedByFile(bench.cacheFolder, subject.originalPath, "packets", analyseFile);
  const output: Analysis = outputPath === undefined ? { streams: [] } : await analyseFile(outputPath);
  const framingBytes = subject.layout.kind === "mkv" ? 16 : subject.layout.kind === "avi" ? 8 : 0;
  const { lost } = plan;
  const pair = { originalPath: subject.originalPath, outputPath: outputPath ?? "" };
  const tracks = await scoreTracks({ ...pair, original, output, lost, framingBytes });
  const video = original.streams.find((stream) => stream.type === "video");
  const timed = video ?? original.streams[0];
  const errors = (["video", "audio"] as const).flatMap((kind) => maxTimeErrorMs(tracks, kind) ?? []);
  const driftMs = audioVideoDriftMs(tracks);
  const frameMs = timed === undefined ? undefined : frameDurationMs(timed);
  const decoded =
    video === undefined || !bench.decodes ? undefined : await decode(subject, video, plan, outputPath, bench);
  return {
    tracks,
    sampleCount: original.streams.reduce((sum, stream) => sum + stream.packets.length, 0),
    ...(errors.length === 0 ? {} : { timeErrorMs: Math.max(...errors) }),
    ...(driftMs === undefined ? {} : { driftMs }),
    ...(frameMs === undefined ? {} : { frameMs }),
    ...(decoded === undefined ? {} : { decoded }),
  };
}

async function decode(subject: Subject, video: Stream, plan: DamagePlan, outputPath: string | undefined, bench: Bench) {
  const wanted = await cachedByFile(bench.cacheFolder, subject.originalPath, "pictures", decodeVideo);
  const found = outputPath === undefined ? { frameHashes: [], complaints: 0 } : await decodeVideo(outputPath);
  const framingBytes = subject.layout.kind === "mkv" ? 16 : subject.layout.kind === "avi" ? 8 : 0;
  return scoreDecoded(video, plan.lost, framingBytes, wanted, found);
}

/** The median distance between two presentation times in milliseconds. */
function frameDurationMs(stream: Stream): number | undefined {
  const times = stream.packets.flatMap((packet) => packet.presentationSeconds ?? []).sort((a, b) => a - b);
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  const middle = steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)];
  return middle === undefined ? undefined : middle * 1000;
}

function largestFile(folder: string): string | undefined {
  const files = readdirSync(folder).map((name) => join(folder, name));
  const sized = files.map((path) => ({ path, sizeBytes: statSync(path).size })).filter((file) => file.sizeBytes > 0);
  return sized.sort((a, b) => b.sizeBytes - a.sizeBytes)[0]?.path;
}
