import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { createWebhookSender } from "../../adapters/webhook/sender.ts";
import { parseWebhookUrl } from "../../adapters/webhook/webhook-url.ts";
import type { Clock } from "../../base/clock.ts";
import { loadConfig } from "../../base/config.ts";
import type { Config, Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createUuid } from "../../base/ids.ts";
import { createLogger, type Logger } from "../../base/log.ts";
import type { SendWebhook } from "../../jobs/deliveries.ts";
import { createJobService, type JobService } from "../../jobs/service.ts";
import { type AwsHome, readAwsHome } from "../aws-settings.ts";
import { type AwsParts, openAws } from "../aws-wiring.ts";
import { createNewsLoop } from "../news.ts";
import { NO_TELEMETRY, type Telemetry } from "../telemetry.ts";

/** What functions stand on; made once, for all that one instance is called for. */
export interface World {
  readonly config: Config;
  readonly home: AwsHome;
  readonly parts: AwsParts;
  readonly service: JobService;
  /** The instance's name among all that work with the home. */
  readonly owner: string;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
}

/** What the settings of functions are, and the log that goes by them. Throws CONFIG_INVALID. */
export function openLog(environment: Environment, write: (line: string) => void) {
  const config = loadConfig(environment);
  return { config, log: createLogger({ format: config.logFormat, level: config.logLevel, write }) };
}

/** Reads the settings and reaches for the stores; nothing is asked of these yet. Throws CONFIG_INVALID, STORE_UNAVAILABLE. */
export function openWorld(
  environment: Environment,
  clock: Clock,
  write: (line: string) => void,
  telemetry: Telemetry = NO_TELEMETRY,
): World {
  const { config, log } = openLog(environment, write);
  const { backend, dataFolder } = config.server;
  if (backend !== "aws") {
    throw new ReelmillError("CONFIG_INVALID", `REELMILL_BACKEND is "${backend}", but must be aws for functions.`);
  }
  const home = readAwsHome(environment, config.server, resolve(dataFolder));
  // One process at a time has the folder; an instance that was ended in the middle of its work leaves what it had there.
  rmSync(join(home.data, "work"), { recursive: true, force: true });
  const owner = `lambda-${createUuid(clock.nowMs())}`;
  const parts = openAws(home, { owner, durability: "normal", clock, log });
  const { webhookSecrets, allowsPrivateWebhooks: allowPrivateNetworks } = config.server;
  const requireWebhook = (url: string): void => {
    if (webhookSecrets.length === 0) throw new ReelmillError(NO_SECRET.code, NO_SECRET.message);
    parseWebhookUrl(url, { allowPrivateNetworks });
  };
  // Whatever waits is told of by slips.
  const onWork = (): void => undefined;
  const service = createJobService({ ...parts, clock, onWork, requireWebhook, tracer: telemetry.tracer });
  return { config, home, parts, service, owner, environment, clock, log, telemetry };
}

/** Tells of jobs that ended: stores deliveries for them, and sends what is due. Undefined where nobody is to be told. */
export function createDeliver({ config, parts, clock, log }: World): (() => Promise<void>) | undefined {
  const { news } = parts;
  const { webhooks, webhookSecrets: secrets } = config.server;
  if (secrets.length === 0 && news === undefined) return undefined;
  const { signal } = new AbortController();
  const loop = createNewsLoop({ parts, webhooks, post: createPost(config, clock), clock, log, signal });
  return async () => {
    while (await loop.notice());
    await loop.sendDue();
  };
}

/** A secret that one instance made up could be checked by nobody: without one that is set, nothing goes out but to the topic. */
function createPost({ server }: Config, clock: Clock): SendWebhook {
  const { webhookSecrets: secrets, allowsPrivateWebhooks: allowPrivateNetworks } = server;
  if (secrets.length === 0) return async () => ({ status: null, error: NO_SECRET, retryAfterMs: null });
  return createWebhookSender({ secrets, allowPrivateNetworks, clock });
}

const NO_SECRET = { code: "WEBHOOK_REFUSED", message: "REELMILL_WEBHOOK_SECRETS is not set." } as const;
