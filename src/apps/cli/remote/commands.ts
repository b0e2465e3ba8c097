import { type Command, InvalidArgumentError } from "commander";
import { JOB_STATUSES } from "../../../jobs/job.ts";
import type { CliContext } from "../cli-context.ts";
import { parsePath } from "../path-option.ts";
import { collect, wholeNumber, withServer } from "../server-options.ts";
import type {
  DeadLetterDiscardOptions,
  DeadLetterListOptions,
  DeadLetterReplayOptions,
  JobsListOptions,
  LogsOptions,
  MonitorOptions,
  RemoteOptions,
  SubmitOptions,
} from "./options.ts";

/** Takes the exit status that a command ends with. */
type ReportExit = (exitCode: number) => void;

const WATCH_STATUS = "\nExit status: 0 the job succeeded, 1 it ended otherwise. Ctrl-C ends the watching, not the job.";

const SUBMIT_EXAMPLES = `
Examples:
  reelmill submit repair broken.mp4 --reference healthy.mp4 --watch -o mended/
  reelmill submit repair --param inputs=uploads/1/a.mp4 --param verify=full

With --idempotency-key, the same command again follows the job that the first one made, for two days, and uploads nothing;
local files count as the same by name and size.`;

// Only the words are defined here; each command's code is loaded when it runs.

/** Adds the commands that talk to a running server. */
export function addRemoteCommands(program: Command, context: CliContext, exit: ReportExit): void {
  addSubmitCommand(program, context, exit);
  addJobsCommands(program, context, exit);
  addQueuesCommands(program, context, exit);
  addDeadLettersCommands(program, context, exit);
  addLogsCommand(program, context, exit);
  addDiagnoseCommand(program, context, exit);
  addMonitorCommand(program, context, exit);
}

/** States with commas between, as the server takes them. */
function statusList(text: string): string {
  const known: readonly string[] = JOB_STATUSES;
  const unknown = text.split(",").find((name) => !known.includes(name));
  if (unknown === undefined) return text;
  throw new InvalidArgumentError(`There is no state "${unknown}". There are: ${known.join(", ")}.`);
}

function addSubmitCommand(program: Command, context: CliContext, exit: ReportExit): void {
  withServer(program.command("submit"))
    .description("upload files to a server and have it work on them")
    .argument("<pipeline>", "what is to be done, such as repair")
    .argument("[files...]", "local files to work on")
    .option("-r, --reference <file>", "local file that becomes a reference; may be repeated", collect, [])
    .option(
      "-p, --param <name=value>",
      "a parameter of the pipeline; repeated for each item of a list, names and numbers also with commas between",
      collect,
      [],
    )
    .option("--params-file <path>", "file of parameters, as a JSON object")
    .option("--priority <number>", "higher is taken first, -100 to 100", wholeNumber(-100, 100))
    .option("--idempotency-key <key>", "the same key again gives the first job, not another one")
    .option("--webhook <url>", "where the outcome is told")
    .option(
      "--estimate",
      "say first what the job would cost on AWS; done by itself on a terminal where the API is there",
    )
    .option("--no-estimate", "leave that out")
    .option("--watch", "follow the job until it ends", false)
    .option("-o, --output <folder>", "save the job's outputs there when it has ended; follows the job", parsePath)
    .addHelpText("after", SUBMIT_EXAMPLES)
    .action(async (pipeline: string, files: readonly string[], options: SubmitOptions) => {
      const { runSubmitCommand } = await import("./submit.ts");
      exit(await runSubmitCommand(pipeline, files, options, context));
    });
}

function addJobsCommands(program: Command, context: CliContext, exit: ReportExit): void {
  const jobs = program.command("jobs").description("list, follow and steer jobs");
  withServer(jobs.command("list"))
    .description("list jobs, newest first")
    .option("--pipeline <name>", "those of one pipeline")
    .option(
      "--status <names>",
      `those in one of these states, with commas between: ${JOB_STATUSES.join(", ")}`,
      statusList,
    )
    .option("--limit <number>", "how many, or how many at a time with --all", wholeNumber(1, 500), 50)
    .option("--all", "go on to the oldest", false)
    .action(async (options: JobsListOptions) => {
      const { runJobsListCommand } = await import("./jobs-list.ts");
      exit(await runJobsListCommand(options, context));
    });
  withServer(jobs.command("show"))
    .description("show a job: its tasks, attempts, error and result")
    .argument("<id>", "the job's id")
    .action(async (id: string, options: RemoteOptions) => {
      const { runJobsShowCommand } = await import("./jobs-show.ts");
      exit(await runJobsShowCommand(id, options, context));
    });
  withServer(jobs.command("watch"))
    .description("follow a job until it ends")
    .argument("<id>", "the job's id")
    .addHelpText("after", WATCH_STATUS)
    .action(async (id: string, options: RemoteOptions) => {
      const { runJobsWatchCommand } = await import("./jobs-watch.ts");
      exit(await runJobsWatchCommand(id, options, context));
    });
  const actions = [
    ["cancel", "stop jobs that wait or run"],
    ["retry", "start jobs again, as far as they did not succeed"],
    ["replay", "start new jobs with the params of old ones"],
  ] as const;
  for (const [action, description] of actions) {
    withServer(jobs.command(action))
      .description(description)
      .argument("<ids...>", "the jobs' ids")
      .action(async (ids: readonly string[], options: RemoteOptions) => {
        const { runJobsActionCommand } = await import("./jobs-actions.ts");
        exit(await runJobsActionCommand(action, ids, options, context));
      });
  }
}

function addQueuesCommands(program: Command, context: CliContext, exit: ReportExit): void {
  const queues = program.command("queues").description("look at queues, pause, drain and resume them");
  withServer(queues.command("list"))
    .description("show how full each queue is")
    .action(async (options: RemoteOptions) => {
      const { runQueuesListCommand } = await import("./queues.ts");
      exit(await runQueuesListCommand(options, context));
    });
  const actions = [
    ["pause", "let a queue hand out nothing more; what runs goes on"],
    ["resume", "let a paused queue hand out work again"],
  ] as const;
  for (const [action, description] of actions) {
    withServer(queues.command(action))
      .description(description)
      .argument("<queue>", "the queue's name, which is its pipeline's")
      .action(async (queue: string, options: RemoteOptions) => {
        const { runQueueActionCommand } = await import("./queues.ts");
        exit(await runQueueActionCommand(action, queue, options, context));
      });
  }
  withServer(queues.command("drain"))
    .description("pause a queue and wait until nothing of it runs any more")
    .argument("<queue>", "the queue's name, which is its pipeline's")
    .addHelpText("after", "\nCtrl-C ends the waiting, not the pause: `queues resume` does.")
    .action(async (queue: string, options: RemoteOptions) => {
      const { runQueuesDrainCommand } = await import("./queues.ts");
      exit(await runQueuesDrainCommand(queue, options, context));
    });
}

function addDeadLettersCommands(program: Command, context: CliContext, exit: ReportExit): void {
  const letters = program
    .command("dead-letters")
    .description("look at tasks that were given up, replay or discard them");
  withServer(letters.command("list"))
    .description("list dead letters, oldest first, without taking them")
    .option("--queue <name>", "those of one queue")
    .action(async (options: DeadLetterListOptions) => {
      const { runDeadLettersListCommand } = await import("./dead-letters.ts");
      exit(await runDeadLettersListCommand(options, context));
    });
  withServer(letters.command("show"))
    .description("show one dead letter and why it was given up")
    .argument("<id>", "its id")
    .action(async (id: string, options: RemoteOptions) => {
      const { runDeadLettersShowCommand } = await import("./dead-letters.ts");
      exit(await runDeadLettersShowCommand(id, options, context));
    });
  withServer(letters.command("replay"))
    .description("put tasks back to work")
    .argument("[ids...]", "the dead letters' ids")
    .option("--all", "all of them, or all of --queue", false)
    .option("--queue <name>", "with --all: those of one queue")
    .action(async (ids: readonly string[], options: DeadLetterReplayOptions) => {
      const { runDeadLettersReplayCommand } = await import("./dead-letter-actions.ts");
      exit(await runDeadLettersReplayCommand(ids, options, context));
    });
  withServer(letters.command("discard"))
    .description("forget dead letters for good")
    .argument("<ids...>", "the dead letters' ids")
    .option("-y, --yes", "do not ask", false)
    .action(async (ids: readonly string[], options: DeadLetterDiscardOptions) => {
      const { runDeadLettersDiscardCommand } = await import("./dead-letter-actions.ts");
      exit(await runDeadLettersDiscardCommand(ids, options, context));
    });
}

function addLogsCommand(program: Command, context: CliContext, exit: ReportExit): void {
  withServer(program.command("logs"))
    .description("show what all components logged about a job, in time order")
    .argument("<job>", "the job's id")
    .option("--limit <number>", "how many lines, the last ones", wholeNumber(1, 10_000), 1000)
    .option("-f, --follow", "go on until the job has ended, or Ctrl-C", false)
    .action(async (job: string, options: LogsOptions) => {
      const { runLogsCommand } = await import("./logs.ts");
      exit(await runLogsCommand(job, options, context));
    });
}

function addDiagnoseCommand(program: Command, context: CliContext, exit: ReportExit): void {
  withServer(program.command("diagnose"))
    .description("find what keeps jobs from being done, or one job where it stands, and the command that mends it")
    .argument("[job]", "the job's id; without it, all that jobs depend on is looked at")
    .addHelpText("after", "\nExit status: 0 there is nothing to mend, 1 there is.")
    .action(async (job: string | undefined, options: RemoteOptions) => {
      const { runDiagnoseCommand } = await import("./diagnose.ts");
      exit(await runDiagnoseCommand(job, options, context));
    });
}

function addMonitorCommand(program: Command, context: CliContext, exit: ReportExit): void {
  withServer(program.command("monitor"))
    .description("watch queues, workers and running jobs live; Ctrl-C ends it")
    .option("--interval <seconds>", "time between two looks", wholeNumber(1, 3600), 10)
    .option("--once", "look once, then end", false)
    .action(async (options: MonitorOptions) => {
      const { runMonitorCommand } = await import("./monitor.ts");
      exit(await runMonitorCommand(options, context));
    });
}
