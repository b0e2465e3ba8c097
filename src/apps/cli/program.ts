import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { ReelmillError } from "../../base/errors.ts";
import { printableText } from "../../base/printable.ts";
import type { CliContext } from "./cli-context.ts";
import type {
  ClusterInitOptions,
  ConfigCommandOptions,
  DoctorCommandOptions,
  InspectCommandOptions,
  RepairCommandOptions,
  UpCommandOptions,
  WorkerCommandOptions,
} from "./command-options.ts";
import { addConvertCommand } from "./convert/commands.ts";
import { addCostCommands } from "./cost/commands.ts";
import { addDeployCommands } from "./deploy/commands.ts";
import { EXIT_OK } from "./exit-codes.ts";
import { addHlsCommands } from "./hls/commands.ts";
import { parsePath } from "./path-option.ts";
import { addRemoteCommands } from "./remote/commands.ts";

/** Takes the exit status that a command ends with. */
type ReportExit = (exitCode: number) => void;

const REPAIR_EXAMPLES = `
Examples:
  reelmill repair broken.mp4 -r healthy.mp4      mend one file with the help of another
  reelmill repair card/ -o mended/               mend a folder; references are chosen among its healthy files

Exit status: 0 all repaired, 1 some or all not, 2 wrong usage.`;

const WORKER_NOTE = `
With --once runs one conversion, whole, in this process, and keeps its record: the batch worker.
  Environment: S3_BUCKET, DYNAMODB_TABLE, AWS_REGION, JOB_ID, OUTPUT_CODEC (h264, vp9 or av1); all must be set.
  Exit status: 0 completed, now or before; 1 failed; 2 wrong environment; 143 stopped by SIGTERM, to be run again.
With --job works at one job of the table until it has ended, as a container that is started for it: 0 succeeded or partial, 1 failed or cancelled.
Else stays until Ctrl-C or SIGTERM, and then puts back what it holds.
  Environment: REELMILL_BACKEND=aws, S3_BUCKET, DYNAMODB_TABLE, AWS_REGION; where wanted SQS_QUEUE_URLS, TASK_QUEUES, REELMILL_MAX_WORKERS.
  Exit status: 0 ended by a signal; 1 bucket or table cannot be reached; 2 wrong environment.`;

const CONFIG_NOTE = `
A server that runs has the environment in which it was started: the dashboard shows its settings on the page System, and
GET /v1/system gives them.`;

// Each command's code is loaded when it runs, so that none waits for what it does not need.

function addRepairCommand(program: Command, context: CliContext, exit: ReportExit): void {
  program
    .command("repair")
    .description("mend recordings that were cut off or damaged")
    .argument("<damaged...>", "damaged files, or folders of them; stand before -r")
    .option("-r, --reference <file...>", "healthy recordings by the same device with the same settings")
    .option(
      "-o, --output <path>",
      "where to write: a file for one input, a folder for several (default: beside the input)",
      parsePath,
    )
    .option("--in-place", "mend the file itself; what is overwritten is saved first, so a crash can be undone", false)
    .option("--faststart", "put the index at the front, for playing over a network", false)
    .addOption(
      new Option("--engine <name>", "what does the work").choices(["native", "untrunc", "auto"]).default("auto"),
    )
    .option("--dry-run", "find out what can be recovered, but write nothing", false)
    .addOption(
      new Option("--verify <level>", "check the result: its index and first pictures (quick), or every picture (full)")
        .choices(["none", "quick", "full"])
        .default("quick"),
    )
    .option("--report <file>", "write what was found and done to this file, as JSON")
    .option("--json", "print the report on standard output, as JSON", false)
    .addHelpText("after", REPAIR_EXAMPLES)
    .action(async (damaged: readonly string[], options: Partial<RepairCommandOptions>) => {
      const { runRepairCommand } = await import("./repair.ts");
      exit(await runRepairCommand(damaged, { reference: [], ...options } as RepairCommandOptions, context));
    });
}

function addInspectCommand(program: Command, context: CliContext, exit: ReportExit): void {
  program
    .command("inspect")
    .description("show what a file holds: boxes or elements, tracks, damage")
    .argument("<file>", "the file to look at; it is not changed")
    .option("--json", "print JSON on standard output", false)
    .action(async (file: string, options: InspectCommandOptions) => {
      const { runInspectCommand } = await import("./inspect.ts");
      exit(await runInspectCommand(file, options, context));
    });
}

function addDoctorCommand(program: Command, context: CliContext, exit: ReportExit): void {
  program
    .command("doctor")
    .description("check that this machine has what Reelmill needs")
    .option("--json", "print JSON on standard output", false)
    .addHelpText("after", "\nExit status: 0 all that is needed is there, 1 something is missing.")
    .action(async (options: DoctorCommandOptions) => {
      const { runDoctorCommand } = await import("./doctor.ts");
      exit(await runDoctorCommand(options, context));
    });
}

function addUpCommand(program: Command, context: CliContext, exit: ReportExit): void {
  const given = new Set<string>();
  program
    .command("up")
    .on("option:watch", () => given.add("--watch"))
    .on("option:no-watch", () => given.add("--no-watch"))
    .description("run the server: dashboard, API, workers and watch folder")
    .option(
      "--data <folder>",
      "where database, objects and logs lie (default: REELMILL_DATA, or reelmill-data)",
      parsePath,
    )
    .option(
      "--watch <folder>",
      "where ready/, export/ and quarantine/ lie (default: HOST_SMB_ROOT, or watch in the data folder)",
      parsePath,
    )
    .option("--no-watch", "watch no folder")
    .option("--host <address>", "address to listen at (default: REELMILL_HOST, or 127.0.0.1)")
    .option("--port <number>", "port to listen at; 0 takes a free one (default: REELMILL_PORT, or 8080)", parsePort)
    .addHelpText(
      "after",
      "\nEnds with Ctrl-C or SIGTERM, with status 0; what is being worked at goes on at the next start.",
    )
    .action(async (options: UpCommandOptions) => {
      if (given.size > 1)
        throw new ReelmillError("USAGE", "--watch and --no-watch contradict each other: give one of them.");
      const { runUpCommand } = await import("./up.ts");
      exit(await runUpCommand(options, context));
    });
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
  return port;
}

function addWorkerCommand(program: Command, context: CliContext, exit: ReportExit): void {
  program
    .command("worker")
    .description("work at what the queues of a bucket and a table hold, on a machine of its own")
    .option("--job <id>", "work at this job alone, print it, and end when it has ended")
    .option("--once", "run the conversion that JOB_ID names instead, and end", false)
    .addHelpText("after", WORKER_NOTE)
    .action(async ({ once, job }: WorkerCommandOptions) => {
      if (once && job !== undefined)
        throw new ReelmillError("USAGE", "--once and --job contradict each other: give one of them.");
      if (job === "")
        throw new ReelmillError("USAGE", "--job is empty; it is the id of a job, as `reelmill jobs list` has it.");
      const { runWorker, runWorkerJob, runWorkerOnce } = await import("./worker.ts");
      if (job !== undefined) exit(await runWorkerJob(job, context));
      else exit(await (once ? runWorkerOnce : runWorker)(context));
    });
}

function addClusterCommand(program: Command, context: CliContext, exit: ReportExit): void {
  program
    .command("cluster")
    .description("prepare what several machines share")
    .command("init")
    .description(
      "make the bucket, the table and the queues that the environment names, where they are missing; not on AWS itself",
    )
    .option("--json", "print JSON on standard output", false)
    .action(async (options: ClusterInitOptions) => {
      const { runClusterInit } = await import("./cluster.ts");
      exit(await runClusterInit(options, context));
    });
}

function addConfigCommand(program: Command, context: CliContext, exit: ReportExit): void {
  program
    .command("config")
    .description("show every setting as this shell's environment has it, and where its value came from")
    .option("--json", "print JSON on standard output", false)
    .addHelpText("after", CONFIG_NOTE)
    .action(async (options: ConfigCommandOptions) => {
      const { runConfigCommand } = await import("./config.ts");
      exit(runConfigCommand(options, context));
    });
}

/** The whole command line; `exit` takes the status of the command that ran. */
export function createProgram(version: string, context: CliContext, exit: ReportExit): Command {
  const program = new Command("reelmill")
    .description(
      "Makes recordings play again that a dead battery or a pulled card left unplayable, converts them, and packages them for HLS.",
    )
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .exitOverride()
    .configureOutput({
      writeOut: context.writeOutput,
      writeErr: (text) => context.writeError(printableText(text)),
      // Complaints are thrown, and reported as all failures are.
      outputError: () => undefined,
    });
  addRepairCommand(program, context, exit);
  addConvertCommand(program, context, exit);
  addInspectCommand(program, context, exit);
  addHlsCommands(program, context, exit);
  addDoctorCommand(program, context, exit);
  addUpCommand(program, context, exit);
  addWorkerCommand(program, context, exit);
  addClusterCommand(program, context, exit);
  addConfigCommand(program, context, exit);
  addRemoteCommands(program, context, exit);
  addCostCommands(program, context, exit);
  addDeployCommands(program, context, exit);
  return program;
}

/**
 * Runs the command that the arguments (without program names) ask for and gives its exit status. Throws USAGE where they ask for
 * nothing that there is, and the command's own failures.
 */
export async function runProgram(args: readonly string[], version: string, context: CliContext): Promise<number> {
  let exitCode = EXIT_OK;
  const program = createProgram(version, context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander ends with an "error" of status 0 for --help and --version.
    if (error.exitCode === 0) return EXIT_OK;
    throw misuseOf(error, args);
  }
}

function misuseOf(error: CommanderError, args: readonly string[]): ReelmillError {
  // Its help was shown in place of a complaint.
  if (error.code === "commander.help") return new ReelmillError("USAGE", "No command is named.");
  const complaint = error.message.replace(/^error: /, "").replaceAll("\n", " ");
  // -r takes every path that follows it, the damaged ones too.
  const isSwallowed = error.code === "commander.missingArgument" && args[0] === "repair";
  const advice = isSwallowed
    ? "Put the damaged files before -r, or write -- between the references and them."
    : "reelmill --help shows how it is used.";
  return new ReelmillError("USAGE", /[.)]$/.test(complaint) ? complaint : `${complaint}.`, { cause: error, advice });
}
