import {
  COMMON_SWITCHES,
  type CommonOptions,
  readCommonSwitches,
  readTurnSwitches,
  TURN_SWITCHES,
  type TurnOptions,
} from "../measuring/common-switches.ts";
import { FRAME_RATE } from "../measuring/source.ts";
import { parsePositive, parseSwitches } from "../measuring/switches.ts";

const TEXT = { type: "string" } as const;

/** The command line, read; the command has {in}, {out}, {to} and {speed}. */
export interface ConvertBenchOptions extends CommonOptions, TurnOptions {
  readonly filter: RegExp;
  /** Pictures per second of the sources. */
  readonly frameRate: number;
  /** The commands take turns of so many seconds; undefined: one runs behind the other. */
  readonly sliceSeconds: number | undefined;
  /** A recording in place of the sources that are made; undefined: those. */
  readonly sourcePath: string | undefined;
}

/** What `--help` prints. */
export const USAGE = `Usage: npm run bench:convert -- [switches]

  --filter <regexp>     only conversions whose name matches: av1-360p, av1-fast-360p, vp9-1080p, h264-360p, …
  --rounds <n>          runs of each command, in turns; default 1; of more the medians count, of the ratios too
  --slices <seconds>    stop and continue the commands of a round in turns of so many seconds, all of them at a time, in place of one
                        behind the other: for machines that are busier at some minutes than at others
  --seconds <n>         length of the sources; default 60, which is what the targets speak of
  --rate <n>            pictures per second of the sources; default 30; fewer where an encoder takes seconds for each
  --source <file>       a recording of your own in place of those sources, held against the targets of the nearest size
  --command <template>  another command: {in} {out} {to} {speed}; default reelmill convert
  --timeout <seconds>   per run; default 3600
  --markdown            also print a Markdown table
  --json <file>         also write the rows as JSON
  --work <folder>       sources and work files; default in the system's temporary folder
  --keep                keep outputs and logs`;

/** Parses the arguments after the script's name; undefined where help is asked for. Throws USAGE. */
export function parseConvertBenchOptions(args: readonly string[]): ConvertBenchOptions | undefined {
  const values = parseSwitches(
    args,
    { filter: TEXT, rate: TEXT, slices: TEXT, source: TEXT, ...TURN_SWITCHES, ...COMMON_SWITCHES },
    USAGE,
  );
  if (values.help === true) return undefined;
  const command = "convert {in} --to {to} --speed {speed} --reencode -o {out}";
  return {
    filter: new RegExp(values.filter ?? "."),
    frameRate: parsePositive(values.rate ?? String(FRAME_RATE), "--rate"),
    sliceSeconds: values.slices === undefined ? undefined : parsePositive(values.slices, "--slices"),
    sourcePath: values.source,
    ...readTurnSwitches(values),
    ...readCommonSwitches(values, { folderName: "reelmill-bench-convert", command, timeoutSeconds: 3600 }),
  };
}
