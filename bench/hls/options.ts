import { ReelmillError } from "../../src/base/errors.ts";
import {
  COMMON_SWITCHES,
  type CommonOptions,
  readCommonSwitches,
  readTurnSwitches,
  TURN_SWITCHES,
  type TurnOptions,
} from "../measuring/common-switches.ts";
import { parseSwitches } from "../measuring/switches.ts";
import { type Height, LADDERS } from "./ladders.ts";

/** The command line, read; the command has {in}, {out}, {ladder} and {preset}. */
export interface HlsBenchOptions extends CommonOptions, TurnOptions {
  readonly height: Height;
  /** Of x264, for all. */
  readonly preset: string;
}

const HEIGHTS = Object.keys(LADDERS).map(Number) as Height[];

/** What `--help` prints. */
export const USAGE = `Usage: npm run bench:hls -- [switches]

  --height <pixels>     height of the source and of the largest of the five rungs: ${HEIGHTS.join(", ")}; default 1080
  --seconds <n>         length of the source; default 60, which is what the targets speak of
  --rounds <n>          runs of each, in turns; default 1; of more the medians count
  --preset <name>       of x264, for all alike; default medium
  --command <template>  another command: {in} {out} {ladder} {preset}; default reelmill hls
  --timeout <seconds>   per run; default 3600
  --markdown            also print a Markdown table
  --json <file>         also write the rows as JSON
  --work <folder>       sources and work files; default in the system's temporary folder
  --keep                keep outputs and logs`;

/** Parses the arguments after the script's name; undefined where help is asked for. Throws USAGE. */
export function parseHlsBenchOptions(args: readonly string[]): HlsBenchOptions | undefined {
  const own = { height: { type: "string" }, preset: { type: "string" } } as const;
  const values = parseSwitches(args, { ...own, ...TURN_SWITCHES, ...COMMON_SWITCHES }, USAGE);
  if (values.help === true) return undefined;
  const command = "hls {in} -o {out} --ladder {ladder} --preset {preset} --no-thumbnails";
  return {
    height: parseHeight(values.height ?? "1080"),
    preset: values.preset ?? "medium",
    ...readTurnSwitches(values),
    ...readCommonSwitches(values, { folderName: "reelmill-bench-hls", command, timeoutSeconds: 3600 }),
  };
}

function parseHeight(text: string): Height {
  const height = HEIGHTS.find((known) => String(known) === text);
  if (height === undefined) {
    throw new ReelmillError("USAGE", `--height takes ${HEIGHTS.join(", ")}, not ${text}.`);
  }
  return height;
}
