import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { collect, wholeNumber, withServer } from "../server-options.ts";
import type { CostActualOptions, CostCompareOptions, CostEstimateOptions } from "./options.ts";

/** Takes the exit status that a command ends with. */
type ReportExit = (exitCode: number) => void;

const MAX_PER_MONTH = 999_999_999;

const ESTIMATE_NOTE = `
Examples:
  reelmill cost estimate talk.mp4 --pipeline convert --param to=av1
  reelmill cost estimate card/*.mp4 --pipeline repair --per-month 2000

Times are those of jobs of the same kind that have finished on the server. Where there are none, or no server answers, they are those
of the benchmarks; the estimate says which. Prices are a dated table; REELMILL_PRICES names a file of others.`;

// Only the words are defined here; each command's code is loaded when it runs.

/** Adds `reelmill cost`. */
export function addCostCommands(program: Command, context: CliContext, exit: ReportExit): void {
  const cost = program.command("cost").description("say what jobs cost on AWS, before and after");
  withParams(withMonth(withServer(cost.command("estimate"))))
    .description("say what a job would cost on AWS; nothing is uploaded")
    .argument("<files...>", "local recordings to work on")
    .requiredOption("--pipeline <name>", "what is to be done: repair, convert or hls")
    .addHelpText("after", ESTIMATE_NOTE)
    .action(async (files: readonly string[], options: CostEstimateOptions) => {
      const { runCostEstimateCommand } = await import("./estimate.ts");
      exit(await runCostEstimateCommand(files, options, context));
    });
  withMonth(withServer(cost.command("actual")))
    .description("say what a job that has ended cost, had it run on AWS for as long")
    .argument("<job>", "the job's id")
    .action(async (job: string, options: CostActualOptions) => {
      const { runCostActualCommand } = await import("./actual.ts");
      exit(await runCostActualCommand(job, options, context));
    });
  withParams(withMonth(withServer(cost.command("compare"))))
    .description("hold a job's cost against the list price of AWS Elemental MediaConvert for the same pictures")
    .argument("<what...>", "the id of a job that has ended; with --pipeline, local recordings")
    .option("--pipeline <name>", "compare an estimate for recordings: convert or hls")
    .action(async (what: readonly string[], options: CostCompareOptions) => {
      const { runCostCompareCommand } = await import("./compare.ts");
      exit(await runCostCompareCommand(what, options, context));
    });
}

function withMonth(command: Command): Command {
  return command.option(
    "--per-month <number>",
    "also say what so many jobs a month cost",
    wholeNumber(1, MAX_PER_MONTH),
  );
}

function withParams(command: Command): Command {
  return command
    .option("-p, --param <name=value>", "a parameter of the pipeline, as for submit; may be repeated", collect, [])
    .option("--params-file <path>", "file of parameters, as a JSON object");
}
