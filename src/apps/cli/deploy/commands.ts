import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { parsePath } from "../path-option.ts";
import { collect } from "../server-options.ts";
import type { DeployOptions, UseOptions } from "./options.ts";

const DEPLOY_NOTE = `
Needs a checkout with \`npm ci\` run in infra/, docker or podman, credentials and a region as the AWS SDK finds them, and at the first time an API key:
in REELMILL_API_KEY or --api-key-file, or its SHA-256 in REELMILL_API_KEY_SHA256. The key itself goes nowhere.
Ctrl-C ends the command, not what AWS has begun; the same command again goes on from there.

Examples:
  reelmill deploy --dry-run
  reelmill deploy --api-key-file key --set batch_max_vcpus=64 --set alert_email=ops@example.com
  reelmill deploy --unset batch_max_vcpus`;

const USE_NOTE = `
The place is noted in ~/.config/reelmill/place.json (XDG_CONFIG_HOME). --server and REELMILL_SERVER go before it.

Examples:
  reelmill use ReelmillInterface --api-key-file key
  reelmill use local`;

/** Adds the commands that deploy on AWS, and that point the command line at what was deployed. */
export function addDeployCommands(program: Command, context: CliContext, exit: (exitCode: number) => void): void {
  program
    .command("deploy")
    .description("put Reelmill onto AWS, or what is there up to date: templates, image, stacks; then use it")
    .option(
      "--set <name=value>",
      "a setting of the stacks (docs/reference/aws-settings.md), kept with them for the next time; may be repeated",
      collect,
      [],
    )
    .option("--unset <name>", "a setting that is to have its default again; may be repeated", collect, [])
    .option(
      "--image-tag <tag>",
      "tag of the image; one that is in the registry is taken as it is (default: by its content)",
    )
    .option("--api-key-file <path>", "file that holds the API key that the API is to take", parsePath)
    .option("--synth-only", "make the templates in infra/out, and end; needs no account", false)
    .option("--dry-run", "show each step and its command, and do nothing", false)
    .option("--json", "print JSON on standard output", false)
    .addHelpText("after", DEPLOY_NOTE)
    .action(async (options: DeployOptions) => {
      const { runDeployCommand } = await import("./deploy.ts");
      exit(await runDeployCommand(options, context));
    });
  program
    .command("use")
    .description("let submit, jobs, queues and the like talk to a deployed stack's API, or to this machine again")
    .argument("[stack]", "the stack that has the API, or local; none: show what is used")
    .option("--api-key-file <path>", "file that holds the API key; its path is noted, not the key", parsePath)
    .option("--json", "print JSON on standard output", false)
    .addHelpText("after", USE_NOTE)
    .action(async (stack: string | undefined, options: UseOptions) => {
      const { runUseCommand } = await import("./use.ts");
      exit(await runUseCommand(stack, options, context));
    });
}
