import { ReelmillError } from "../../src/base/errors.ts";
import { COMMON_SWITCHES, type CommonOptions, readCommonSwitches } from "../measuring/common-switches.ts";
import { parsePositive, parseSwitches } from "../measuring/switches.ts";
import { DAMAGES, type Damage, STANDARD_DAMAGES } from "./damage.ts";

/** The command line, read; the command has {bad}, {ref}, {out}, {outdir} and {ext}. */
export interface BenchOptions extends CommonOptions {
  readonly filter: RegExp;
  readonly damages: readonly Damage[];
  /** A folder of real recordings, measured in place of the generated pairs. */
  readonly samplesFolder?: string;
  /** With a samples folder: victim and reference names without extension. */
  readonly pairs: readonly { readonly victim: string; readonly reference: string }[];
  /** With a samples folder: names without extension and how often their samples are repeated. */
  readonly loops: readonly { readonly name: string; readonly times: number }[];
  readonly isLarge: boolean;
  readonly largeBytes: number;
  readonly decodes: boolean;
}

/** What `--help` prints. */
export const USAGE = `Usage: npm run bench:repair -- [switches]

  --filter <regexp>       only cases whose name matches
  --damages <list>        comma-separated, or ALL; default ${STANDARD_DAMAGES.join(",")}
  --samples <folder>      real recordings, each its own reference, in place of the generated pairs
  --pair <victim=ref>     with --samples: two of its files by name without extension; may recur
  --loop <name=times>     with --samples: the file's samples repeated, the file itself as reference; may recur
  --large                 recordings of 2 GB: ratios to wc, cp and to the same file without a hole
  --large-bytes <n>       size of the large recordings; default 2100000000
  --command <template>    another command: {bad} {ref} {out} {outdir} {ext}; default reelmill repair
  --timeout <seconds>     per run; default 300
  --no-decode             leave decoded pictures out
  --markdown              also print a Markdown table
  --json <file>           also write the rows as JSON
  --work <folder>         generated recordings and work files; default in the system's temporary folder
  --keep                  keep damaged files, outputs and logs

Damages:
${Object.entries(DAMAGES)
  .map(([name, meaning]) => `  ${name.padEnd(10)} ${meaning}`)
  .join("\n")}`;

const DEFAULTS = { folderName: "reelmill-bench", command: "repair {bad} -r {ref} -o {out}", timeoutSeconds: 300 };

/** Parses the arguments after the script's name; undefined where help is asked for. Throws USAGE. */
export function parseBenchOptions(args: readonly string[]): BenchOptions | undefined {
  const values = parseValues(args);
  if (values.help === true) return undefined;
  return {
    filter: new RegExp(values.filter ?? "."),
    damages: parseDamages(values.damages),
    ...(values.samples === undefined ? {} : { samplesFolder: values.samples }),
    pairs: (values.pair ?? []).map((text) => {
      const [victim, reference] = splitPair(text, "--pair");
      return { victim, reference };
    }),
    loops: (values.loop ?? []).map((text) => {
      const [name, times] = splitPair(text, "--loop");
      return { name, times: parsePositive(times, "--loop") };
    }),
    isLarge: values.large ?? false,
    largeBytes: parsePositive(values["large-bytes"] ?? "2100000000", "--large-bytes"),
    decodes: !(values["no-decode"] ?? false),
    ...readCommonSwitches(values, DEFAULTS),
  };
}

function parseValues(args: readonly string[]) {
  const text = { type: "string" } as const;
  const texts = { type: "string", multiple: true } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    ...{ filter: text, damages: text, samples: text, pair: texts, loop: texts, large: flag, "large-bytes": text },
    "no-decode": flag,
    ...COMMON_SWITCHES,
  };
  return parseSwitches(args, options, USAGE);
}

function parseDamages(text: string | undefined): readonly Damage[] {
  if (text === undefined) return STANDARD_DAMAGES;
  const names = Object.keys(DAMAGES) as Damage[];
  if (text === "ALL") return names;
  return text.split(",").map((name) => {
    const found = names.find((known) => known === name);
    if (found === undefined)
      throw new ReelmillError("USAGE", `--damages knows ${names.join(", ")} and ALL, not ${name}.`);
    return found;
  });
}

function splitPair(text: string, option: string): [string, string] {
  const [left, right, ...rest] = text.split("=");
  if (!left || !right || rest.length > 0) throw new ReelmillError("USAGE", `${option} takes left=right, not ${text}.`);
  return [left, right];
}
