import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAIN_PLAYLIST } from "../../src/pipelines/hls/packaging.ts";
import { I_FRAMES_PLAYLIST } from "../../src/pipelines/hls/write-media.ts";
import { watchCpu } from "../measuring/cpu-watch.ts";
import { watchNodePeak } from "../measuring/node-peak.ts";
import { fillCommand, median, runMeasured } from "../measuring/run.ts";
import { makeSource } from "../measuring/source.ts";
import { captureTool } from "../measuring/tools.ts";
import { LADDERS, rungsOf } from "./ladders.ts";
import type { HlsBenchOptions } from "./options.ts";
import { perRungCommand, singleCommand } from "./plain-commands.ts";

/** What one way to make the package came to; times are medians over the rounds. */
export interface Figures {
  readonly wallSeconds: number;
  /** User and system time of all processes. */
  readonly cpuSeconds: number;
  /** Of the one process of ours that encodes; NaN for the plain commands. */
  readonly encodingWallSeconds: number;
  readonly encodingCpuSeconds: number;
  /** Largest resident set of one of its Node processes; NaN where it has none. */
  readonly nodePeakBytes: number;
  readonly bytes: number;
  /** Of each rung, by falling number; all the same where nothing is lost. */
  readonly pictures: readonly number[];
  readonly exitCode: number;
}

/** What was measured, each beside the others in the same run. */
export interface HlsResult {
  readonly rungs: readonly string[];
  readonly sourcePictures: number;
  readonly perRung: Figures;
  readonly single: Figures;
  readonly ours: Figures;
}

/** What marks the process that encodes: no other of ours forces key pictures. */
const ENCODING_MARK = "-force_key_frames";

/** Makes the package in all three ways, in turns. */
export async function measurePackages(options: HlsBenchOptions, workFolder: string): Promise<HlsResult> {
  const { height, preset, rounds, timeoutSeconds } = options;
  const source = await makeSource(join(options.workFolder, "sources"), height, options.seconds);
  const ladder = join(workFolder, "ladder.json");
  writeFileSync(ladder, JSON.stringify(LADDERS[height]));
  const rungs = rungsOf(height);
  const folderOf = (name: string): string => join(workFolder, name);
  const task = (name: string) => ({ source, outFolder: folderOf(name), rungs, preset });
  const contestants = [
    { name: "per-rung", command: perRungCommand(task("per-rung")), makesFolder: false, runs: [] as Run[] },
    { name: "single", command: singleCommand(task("single")), makesFolder: false, runs: [] as Run[] },
    {
      name: "ours",
      command: fillCommand(options.command, { in: source, out: folderOf("ours"), ladder, preset }),
      makesFolder: true,
      runs: [] as Run[],
    },
  ] as const;
  for (let round = 0; round < rounds; round++) {
    for (const { name, command, makesFolder, runs } of contestants) {
      rmSync(folderOf(name), { recursive: true, force: true });
      if (!makesFolder) mkdirSync(folderOf(name));
      runs.push(await runOnce(command, `${folderOf(name)}.log`, timeoutSeconds));
    }
  }
  const [perRung, single, ours] = contestants;
  return {
    rungs: rungs.map(({ name }) => name),
    sourcePictures: await countPictures(source),
    perRung: await summarise(perRung.runs, folderOf(perRung.name)),
    single: await summarise(single.runs, folderOf(single.name)),
    ours: await summarise(ours.runs, folderOf(ours.name)),
  };
}

type Run = Omit<Figures, "bytes" | "pictures">;

async function runOnce(command: string, logPath: string, timeoutSeconds: number): Promise<Run> {
  const peak = watchNodePeak();
  const encoding = watchCpu(ENCODING_MARK);
  const watch = (rootPid: number): void => {
    peak.sample(rootPid);
    encoding.sample(rootPid);
  };
  const { wallSeconds, cpuSeconds, exitCode } = await runMeasured(command, logPath, timeoutSeconds, { watch });
  return {
    ...{ wallSeconds, cpuSeconds, exitCode },
    encodingWallSeconds: encoding.wallSeconds(),
    encodingCpuSeconds: encoding.cpuSeconds(),
    nodePeakBytes: peak.peakBytes(),
  };
}

async function summarise(runs: readonly Run[], folder: string): Promise<Figures> {
  const middle = (figure: (run: Run) => number): number => median(runs.map(figure));
  const pictures: number[] = [];
  for (const playlist of listMediaPlaylists(folder)) {
    const count = await countPictures(playlist);
    // Playlists of sound have none.
    if (!Number.isNaN(count)) pictures.push(count);
  }
  return {
    wallSeconds: middle((run) => run.wallSeconds),
    cpuSeconds: middle((run) => run.cpuSeconds),
    encodingWallSeconds: middle((run) => run.encodingWallSeconds),
    encodingCpuSeconds: middle((run) => run.encodingCpuSeconds),
    nodePeakBytes: Math.max(...runs.map((run) => run.nodePeakBytes)),
    bytes: listFiles(folder).reduce((sum, path) => sum + statSync(path).size, 0),
    pictures: pictures.toSorted((a, b) => b - a),
    exitCode: runs.find((run) => run.exitCode !== 0)?.exitCode ?? 0,
  };
}

/** None where the command failed before it made any. */
function listFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function listMediaPlaylists(folder: string): readonly string[] {
  return listFiles(folder).filter(
    (path) => path.endsWith(".m3u8") && !path.endsWith(`/${MAIN_PLAYLIST}`) && !path.endsWith(I_FRAMES_PLAYLIST),
  );
}

/** Packets of the first stream of pictures; NaN where there is none. */
async function countPictures(path: string): Promise<number> {
  const entries = ["-select_streams", "v:0", "-count_packets", "-show_entries", "stream=nb_read_packets"];
  const { stdout } = await captureTool("ffprobe", ["-v", "error", ...entries, "-of", "csv=p=0", path]);
  return Number.parseInt(stdout.toString(), 10);
}
