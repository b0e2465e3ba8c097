import { API_KEY_PARAMETER, STACK_NAMES } from "../../../adapters/aws/stack-names.ts";

/** A step of the deployment that a program does. */
export interface Step {
  /** For people. */
  readonly title: string;
  readonly program: "cdk" | "engine";
  readonly args: readonly string[];
  /** The arguments as they are shown: without what nobody is to see. */
  readonly shown: readonly string[];
}

/** Where the templates are, as seen from infra/. */
const ASSEMBLY = "out";

const DEPLOY = ["deploy", "--app", ASSEMBLY, "--require-approval", "never", "--progress", "events"] as const;

function step(title: string, program: Step["program"], args: readonly string[], shown = args): Step {
  return { title, program, args, shown };
}

/** Makes the templates; `settings` are `name=value`, `unset` names that are refused there where they are no settings. */
export function synthStep(imageTag: string, settings: readonly string[], unset: readonly string[]): Step {
  const told = [`image_tag=${imageTag}`, ...settings].map((each) => `reelmill:${each}`);
  if (unset.length > 0) told.push(`reelmill-unset=${unset.join(",")}`);
  const context = told.flatMap((each) => ["--context", each]);
  return step("Make the templates", "cdk", ["synth", "--quiet", "--output", ASSEMBLY, ...context]);
}

/** Makes what the CDK needs in an account and region; once for each. */
export function bootstrapStep(): Step {
  return step("Prepare the account for the CDK", "cdk", ["bootstrap", "--app", ASSEMBLY]);
}

/** Deploys what holds something, with the registry that the image goes to. */
export function stateStep(): Step {
  return step("Deploy what is kept: bucket, table, queues, registry", "cdk", [...DEPLOY, STACK_NAMES.state]);
}

/** Lets the engine into the registry; its standard input takes the password. */
export function loginStep(registryUri: string, user: string): Step {
  const [host = ""] = registryUri.split("/");
  return step("Log in at the registry", "engine", ["login", "--username", user, "--password-stdin", host]);
}

/** Builds the image of the checkout's root, for the machines that the stacks have. */
export function buildStep(registryUri: string, tag: string, root: string): Step {
  const args = ["build", "--platform", "linux/amd64", "--tag", `${registryUri}:${tag}`, root];
  return step("Build the image", "engine", args);
}

/** Sends the image to the registry. */
export function pushStep(registryUri: string, tag: string): Step {
  return step("Push the image", "engine", ["push", `${registryUri}:${tag}`]);
}

/** Deploys everything else; without hashes of keys those that are there stay. */
export function restStep(keyHashes: string | undefined): Step {
  const parameter = (value: string): readonly string[] => [
    "--parameters",
    `${STACK_NAMES.interface}:${API_KEY_PARAMETER}=${value}`,
  ];
  const args = [...DEPLOY, "--all"];
  const title = "Deploy workers, API, functions and alarms";
  if (keyHashes === undefined) return step(title, "cdk", args);
  return step(title, "cdk", [...args, ...parameter(keyHashes)], [...args, ...parameter("<SHA-256 of the API key>")]);
}
