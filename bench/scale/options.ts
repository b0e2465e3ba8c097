import { parsePositive, parseSwitches } from "../measuring/switches.ts";

/** The command line, read. */
export interface ScaleOptions {
  readonly seed: number;
  /** Write page and plots. */
  readonly docs: boolean;
}

/** What `--help` prints. */
export const USAGE = `Usage: npm run bench:scale -- [switches]

  --seed <n>  other jobs; default 1, which is what the docs have
  --docs      also write the tables into docs/reference/scale.md and the plots into docs/images`;

/** Parses the arguments after the script's name; undefined where help is asked for. Throws USAGE. */
export function parseScaleOptions(args: readonly string[]): ScaleOptions | undefined {
  const { seed, docs, help } = parseSwitches(
    args,
    { seed: { type: "string" }, docs: { type: "boolean" }, help: { type: "boolean" } },
    USAGE,
  );
  if (help === true) return undefined;
  return { seed: parsePositive(seed ?? "1", "--seed"), docs: docs === true };
}
