import { tmpdir } from "node:os";
import { join } from "node:path";
import { launcher } from "../measuring/run.ts";
import { parsePositive, parseSwitches } from "../measuring/switches.ts";

/** The command line, read. */
export interface ConvertBenchOptions {
  readonly filter: RegExp;
  readonly rounds: number;
  /** Length of the sources. */
  readonly seconds: number;
  readonly jsonPath?: string;
  readonly workFolder: string;
  readonly keep: boolean;
  readonly markdown: boolean;
  /** With {in}, {out}, {to} and {speed}. */
  readonly command: string;
  readonly timeoutSeconds: number;
}

/** What `--help` prints. */
export const USAGE = `Usage: node bench/convert/main.ts [switches]

  --filter <regexp>     only conversions whose name matches: av1-360p, av1-fast-360p, vp9-1080p, h264-360p, …
  --rounds <n>          runs of each command, in turns; default 1; of more the medians count
  --seconds <n>         length of the sources; default 60, which is what the targets speak of
  --command <template>  another command: {in} {out} {to} {speed}; default reelmill convert
  --timeout <seconds>   per run; default 3600
  --markdown            also print a Markdown table
  --json <file>         also write the rows as JSON
  --work <folder>       sources and work files; default in the system's temporary folder
  --keep                keep outputs and logs`;

/** Parses the arguments after the script's name; undefined where help is asked for. Throws USAGE. */
export function parseConvertBenchOptions(args: readonly string[]): ConvertBenchOptions | undefined {
  const values = parseValues(args);
  if (values.help === true) return undefined;
  return {
    filter: new RegExp(values.filter ?? "."),
    rounds: parsePositive(values.rounds ?? "1", "--rounds"),
    seconds: parsePositive(values.seconds ?? "60", "--seconds"),
    ...(values.json === undefined ? {} : { jsonPath: values.json }),
    workFolder: values.work ?? join(tmpdir(), "reelmill-bench-convert"),
    keep: values.keep ?? false,
    markdown: values.markdown ?? false,
    command: values.command ?? `${launcher()} convert {in} --to {to} --speed {speed} --reencode -o {out}`,
    timeoutSeconds: parsePositive(values.timeout ?? "3600", "--timeout"),
  };
}

function parseValues(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    ...{ filter: text, rounds: text, seconds: text, command: text, timeout: text, json: text, work: text },
    ...{ markdown: flag, keep: flag, help: flag },
  };
  return parseSwitches(args, options, USAGE);
}
