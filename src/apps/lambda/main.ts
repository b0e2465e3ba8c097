import { systemClock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createLogger } from "../../base/log.ts";
import { openTelemetry } from "../telemetry.ts";
import { FUNCTIONS, type Invocation, type LambdaFunction } from "./functions.ts";
import { openLog, openWorld } from "./open.ts";
import { serveCalls, tellInitError } from "./runtime.ts";
import { withWebhookSecrets } from "./webhook-secrets.ts";

const MAX_FLUSH_MS = 1000;
/** Left for telling Lambda the answer. */
const ANSWER_MS = 500;

/** `reelmill-lambda <function>`, started by Lambda in an image. */
async function main(): Promise<void> {
  const { env, argv } = process;
  const write = (line: string): void => void process.stderr.write(line);
  const address = env["AWS_LAMBDA_RUNTIME_API"] ?? "";
  try {
    const [name = ""] = argv.slice(2);
    const create = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (create === undefined) {
      const known = Object.keys(FUNCTIONS).join(", ");
      throw new ReelmillError("USAGE", `There is no function "${name}". Functions: ${known}.`);
    }
    if (address === "") {
      throw new ReelmillError("CONFIG_INVALID", "AWS_LAMBDA_RUNTIME_API is not set: functions are started by Lambda.");
    }
    const { config, log } = openLog(env, write);
    const telemetry = await openTelemetry({
      ...{ metrics: config.metrics, environment: env, log, clock: systemClock },
      write: (line) => void process.stdout.write(line),
    });
    const environment = await withWebhookSecrets(env, config.server.secretsEndpoint);
    const world = openWorld(environment, systemClock, write, telemetry);
    const handle = await create(world);
    // Between calls the process is frozen.
    const answer: LambdaFunction = (event, invocation) =>
      handle(event, invocation).finally(() => telemetry.flush(flushTimeMs(invocation)));
    await serveCalls(answer, { address, log: world.log, signal: new AbortController().signal });
  } catch (error) {
    createLogger({ format: "json", level: "info", write }).error("The function cannot go on.", { error });
    if (address !== "") await tellInitError(error, address).catch(() => undefined);
    process.exitCode = 1;
  }
}

/** What a call may wait for a collector, in milliseconds: an answer that is late is lost, a span is not. */
function flushTimeMs({ deadlineMs }: Invocation): number {
  return Math.min(MAX_FLUSH_MS, deadlineMs - systemClock.nowMs() - ANSWER_MS);
}

await main();
