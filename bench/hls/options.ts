import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReelmillError } from "../../src/base/errors.ts";
import { launcher } from "../measuring/run.ts";
import { parsePositive, parseSwitches } from "../measuring/switches.ts";
import { type Height, LADDERS } from "./ladders.ts";

/** The command line, read. */
export interface HlsBenchOptions {
  readonly height: Height;
  /** Length of the source. */
  readonly seconds: number;
  readonly rounds: number;
  /** Of x264, for all. */
  readonly preset: string;
  readonly jsonPath?: string;
  readonly workFolder: string;
  readonly keep: boolean;
  readonly markdown: boolean;
  /** With {in}, {out}, {ladder} and {preset}. */
  readonly command: string;
  readonly timeoutSeconds: number;
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
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    ...{
      height: text,
      seconds: text,
      rounds: text,
      preset: text,
      command: text,
      timeout: text,
      json: text,
      work: text,
    },
    ...{ markdown: flag, keep: flag, help: flag },
  };
  const values = parseSwitches(args, options, USAGE);
  if (values.help === true) return undefined;
  const ours = `${launcher()} hls {in} -o {out} --ladder {ladder} --preset {preset} --no-thumbnails`;
  return {
    height: parseHeight(values.height ?? "1080"),
    seconds: parsePositive(values.seconds ?? "60", "--seconds"),
    rounds: parsePositive(values.rounds ?? "1", "--rounds"),
    preset: values.preset ?? "medium",
    ...(values.json === undefined ? {} : { jsonPath: values.json }),
    workFolder: values.work ?? join(tmpdir(), "reelmill-bench-hls"),
    keep: values.keep ?? false,
    markdown: values.markdown ?? false,
    command: values.command ?? ours,
    timeoutSeconds: parsePositive(values.timeout ?? "3600", "--timeout"),
  };
}

function parseHeight(text: string): Height {
  const height = HEIGHTS.find((known) => String(known) === text);
  if (height === undefined) {
    throw new ReelmillError("USAGE", `--height takes ${HEIGHTS.join(", ")}, not ${text}.`);
  }
  return height;
}
