import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ReelmillError } from "../../src/base/errors.ts";

/** What every benchmark's command line has. */
interface CommonOptions {
  /** Inputs that are kept from run to run lie there, and work files below it. */
  readonly workFolder: string;
  /** Keep the work files. */
  readonly keep: boolean;
}

/** A benchmark as a program. */
export interface BenchProgram<Options extends CommonOptions> {
  /** What `--help` prints. */
  readonly usage: string;
  /** Reads the arguments after the script's name; undefined where help is asked for. Throws USAGE. */
  readonly parse: (args: readonly string[]) => Options | undefined;
  /** Measures with a work folder of this run alone, and prints. Gives whether all targets are reached. Throws USAGE. */
  readonly measure: (options: Options, workFolder: string) => Promise<boolean>;
}

/** Runs a benchmark; the process's exit status becomes 0 where all targets are reached, 1 where not, 2 for wrong usage. */
export async function runBench<Options extends CommonOptions>(program: BenchProgram<Options>): Promise<void> {
  try {
    const options = program.parse(process.argv.slice(2));
    if (options === undefined) console.log(program.usage);
    else process.exitCode = (await measureApart(program, options)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ReelmillError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}

async function measureApart<Options extends CommonOptions>(
  { measure }: BenchProgram<Options>,
  options: Options,
): Promise<boolean> {
  const workFolder = join(options.workFolder, `work.${process.pid}`);
  mkdirSync(workFolder, { recursive: true });
  try {
    return await measure(options, workFolder);
  } finally {
    if (!options.keep) rmSync(workFolder, { recursive: true });
  }
}
