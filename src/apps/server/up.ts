import { isIP, type Server } from "node:net";
import { join, resolve } from "node:path";
import { type FolderLock, lockFolder } from "../../adapters/local/folder-lock.ts";
import type { JobLogs } from "../../adapters/local/job-logs.ts";
import { keepSecret } from "../../adapters/local/secret-file.ts";
import { removeWorkFolders } from "../../adapters/local/work-folders.ts";
import { createWebhookSender } from "../../adapters/webhook/sender.ts";
import { createWebhookSecret } from "../../adapters/webhook/signature.ts";
import { parseWebhookUrl } from "../../adapters/webhook/webhook-url.ts";
import type { Clock } from "../../base/clock.ts";
import { explainConfig, loadConfig } from "../../base/config.ts";
import type { Config, Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createLogger, type Logger } from "../../base/log.ts";
import { systemCodeOf } from "../../base/system-code.ts";
import { untilAborted } from "../../base/until-aborted.ts";
import type { PriceTable } from "../../cost/price-table.ts";
import type { DeliveryLoop } from "../../jobs/delivery-loop.ts";
import { createJobService } from "../../jobs/service.ts";
import { readAwsHome, readTaskQueues } from "../aws-settings.ts";
import { loadPrices } from "../cost/price-file.ts";
import { openJobLogs } from "../local-wiring.ts";
import { createNewsLoop } from "../news.ts";
import type { Home, Parts } from "../parts.ts";
import { type LogSharing, shareLogs } from "../shared-logs.ts";
import { openTelemetry, type Telemetry } from "../telemetry.ts";
import { checkPlace, openParts } from "../wiring.ts";
import type { WorkerPool } from "../worker/pool.ts";
import { startWorkers, sweepTemporary } from "../worker/start-workers.ts";
import { requireDataFolder, requireKeyFolder, requireWebhooks } from "./check-settings.ts";
import { createServer } from "./create-server.ts";
import { findFfmpegFault, requireNamedFfmpeg } from "./ffmpeg-check.ts";
import { findDashboard } from "./find-dashboard.ts";
import { DEFAULT_LIMITS, type ServerLimits } from "./limits.ts";
import { startMaintenance } from "./maintenance.ts";
import { openBatch } from "./open-batch.ts";
import { openCost } from "./open-cost.ts";
import { openLogs } from "./open-logs.ts";
import { createSystemView, readVersion } from "./system.ts";
import { createWatchFolder, placeWatchFolder, requireWatchable, type WatchPlace } from "./watch-folder.ts";

/** What the command line says; what it leaves out, the environment says. */
export interface UpOptions {
  readonly data?: string | undefined;
  /** A folder; false: none is watched. */
  readonly watch?: string | false | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** What `runUp` needs of the world. */
export interface UpContext {
  readonly environment: Environment;
  readonly clock: Clock;
  /** Ends the server. */
  readonly signal: AbortSignal;
  readonly writeOutput: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** The server's name among the processes that work with a home. */
const OWNER = "server";

/**
 * Runs server, workers and watch folder until the signal is given; then lets go of everything in order. Throws CONFIG_INVALID,
 * FEATURE_MISSING, USAGE, DATA_FOLDER_IN_USE, STORE_UNAVAILABLE, NO_SPACE, ADDRESS_UNUSABLE.
 */
export async function runUp(options: UpOptions, context: UpContext): Promise<void> {
  const { environment, clock, signal } = context;
  const config = loadConfig(environment);
  await requireNamedFfmpeg(config, environment["PATH"] ?? "");
  const host = options.host ?? config.server.host;
  requireKeyBeyondLoopback(host, config);
  requireWebhooks(config);
  requireKeyFolder(config);
  const prices = loadPrices(config.priceFile);
  const dataFolder = resolve(options.data ?? config.server.dataFolder);
  const place = placeWatch(options, config, dataFolder);
  if (place !== undefined) await requireWatchable(place, options.watch || undefined);
  const home = homeOf(config, environment, dataFolder, place);
  requireDataFolder(dataFolder, options.data);
  const logs = openJobLogs(dataFolder);
  const log = createLogger({
    format: config.logFormat,
    level: config.logLevel,
    write: context.writeError,
    writeJson: logs.write,
  });
  const { writeOutput: write } = context;
  const telemetry = await openTelemetry({ metrics: config.metrics, environment, write, log, clock });
  // The answer to a creation is a promise that a power cut must not break.
  const parts = await openParts(home, { owner: OWNER, durability: "full", clock, log });
  let lock: FolderLock | undefined;
  let sharing: LogSharing | undefined;
  try {
    requirePipelines(home, environment, parts);
    await parts.requireStores();
    lock = lockFolder(dataFolder);
    await removeWorkFolders(parts.workRoot, OWNER);
    await sweepTemporary(parts, log);
    sharing = shareLogs({ home, logs, objects: parts.objects, dataFolder, isServer: true, clock, log });
    const pool = await startWorkers({ home, parts, config, environment, clock, log });
    try {
      await serve({
        config,
        prices,
        host,
        port: options.port ?? config.server.port,
        dataFolder,
        settings: explainConfig(environment, describeOptions(options)),
        place,
        home,
        parts,
        logs,
        pool,
        log,
        telemetry,
        context,
      });
      log.info("Ending: what is being worked at goes back to its queue.", { reason: String(signal.reason) });
    } finally {
      await pool.stop();
    }
  } finally {
    // Workers log until they have ended.
    await sharing?.stop();
    parts.close();
    lock?.release();
    await telemetry.flush();
  }
}

/** A watch folder's files are objects of the machine that has it; the cloud gets them by the batch API. */
function placeWatch({ watch }: UpOptions, config: Config, dataFolder: string): WatchPlace | undefined {
  if (watch === false) return undefined;
  if (config.server.backend === "local") return placeWatchFolder(config, watch, dataFolder);
  if (watch === undefined && config.watch.root === undefined) return undefined;
  throw new ReelmillError(
    "CONFIG_INVALID",
    "REELMILL_BACKEND is aws, but a watch folder needs the backend local: leave out --watch and HOST_SMB_ROOT.",
    {
      advice: "Run a second server with the backend local at the folder, with AWS_REPAIR_API_BASE_URL naming this one.",
    },
  );
}

function homeOf({ server }: Config, environment: Environment, data: string, place: WatchPlace | undefined): Home {
  if (server.backend === "aws") return readAwsHome(environment, server, data);
  return { backend: "local", data, mounts: place?.mounts ?? {} };
}

/** Names of pipelines that are mistyped are named before any store is asked; a server's own workers take the tasks of all. */
function requirePipelines(home: Home, environment: Environment, { pipelines }: Parts): void {
  if (home.backend === "aws") readTaskQueues(environment, home, pipelines.all);
}

/** Everybody who can reach a port can use it: beyond this machine that takes a key. */
function requireKeyBeyondLoopback(host: string, { server }: Config): void {
  const isLoopback = host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
  if (isLoopback || server.apiKeyHashes.length > 0) return;
  throw new ReelmillError(
    "CONFIG_INVALID",
    `The server is to listen at ${host}, which others can reach, but REELMILL_API_KEY_SHA256 sets no API key. Set one, or listen at 127.0.0.1.`,
  );
}

/** All that a running server is made of. */
interface Running {
  readonly config: Config;
  readonly prices: PriceTable;
  readonly host: string;
  readonly port: number;
  readonly dataFolder: string;
  readonly settings: ReturnType<typeof explainConfig>;
  readonly place: WatchPlace | undefined;
  readonly home: Home;
  readonly parts: Parts;
  readonly logs: JobLogs;
  readonly pool: WorkerPool;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  readonly context: UpContext;
}

async function serve(running: Running): Promise<void> {
  const { config, parts, logs, pool, log, context } = running;
  const { clock } = context;
  const { tracer } = running.telemetry;
  const ending = new AbortController();
  const lookForFfmpeg = () => findFfmpegFault(config, context.environment["PATH"] ?? "");
  const ffmpegFault = await lookForFfmpeg();
  if (ffmpegFault !== undefined) log.warn(ffmpegFault);
  const requireWebhook = (url: string): void => {
    parseWebhookUrl(url, { allowPrivateNetworks: config.server.allowsPrivateWebhooks });
  };
  const service = createJobService({ ...parts, clock, onWork: pool.notify, requireWebhook, tracer });
  const watch = createWatch(running, service);
  const post = createWebhookSender({
    secrets: webhookSecrets(running),
    allowPrivateNetworks: config.server.allowsPrivateWebhooks,
    clock,
  });
  const deliveries = createNewsLoop({
    ...{ parts, post, clock, log, signal: ending.signal },
    webhooks: config.server.webhooks,
  });
  const batch = await openBatch(running);
  const jobLogs = openLogs(running.home, { own: logs, objects: parts.objects });
  try {
    const server = createServer({
      version: readVersion(),
      service,
      store: parts.store,
      queue: parts.queue,
      objects: parts.objects,
      pipelines: parts.pipelines,
      uploadFolder: parts.uploadFolder,
      deliveries: parts.deliveries,
      log,
      clock,
      tracer,
      apiKeyHashes: config.server.apiKeyHashes,
      limits: limitsOf(config),
      cost: openCost({ ...running, environment: context.environment, signal: ending.signal }),
      workers: pool,
      countContainers: parts.countContainers,
      system: describeSystem(running),
      checkPlace: () => checkPlace(running.home, parts, clock),
      ffmpegFault: lookForFfmpeg,
      logs: jobLogs,
      batch,
      watch,
      dashboard: findDashboard(async () => undefined),
      signal: ending.signal,
    });
    await listenUntilTold(running, { server, deliveries, watch, ending });
  } finally {
    ending.abort();
    await jobLogs.close();
    await batch.close();
  }
}

/** What runs while the server listens. */
interface Serving {
  readonly server: ReturnType<typeof createServer>;
  readonly deliveries: DeliveryLoop;
  readonly watch: ReturnType<typeof createWatch>;
  readonly ending: AbortController;
}

/** Listens until the signal is given. Nothing of it goes on afterwards, whatever fails at the end. */
async function listenUntilTold(running: Running, { server, deliveries, watch, ending }: Serving): Promise<void> {
  const { config, host, port, parts, logs, log, context } = running;
  const { clock, signal } = context;
  await listen(server, host, port);
  const delivering = deliveries.run();
  const maintenance = startMaintenance({ ...parts, logs, clock, log }, config.server.retentionMs);
  watch?.start();
  announce(running, server.server.address());
  await untilAborted(signal);
  ending.abort();
  const ends = await Promise.allSettled([maintenance.stop(), watch?.close(), server.close(), delivering]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

function limitsOf({ server: { maxUploadBytes, writesPerMinute } }: Config): ServerLimits {
  return { ...DEFAULT_LIMITS, uploadBytes: maxUploadBytes, writesPerMinute };
}

/** Without a secret that somebody chose there is one of this server's own: no webhook goes out unsigned. */
function webhookSecrets({ config, dataFolder }: Running): readonly string[] {
  const { webhookSecrets: chosen } = config.server;
  return chosen.length > 0 ? chosen : [keepSecret(join(dataFolder, "webhook-secret"), createWebhookSecret)];
}

function createWatch(
  { place, config, dataFolder, parts, log, context }: Running,
  service: ReturnType<typeof createJobService>,
): ReturnType<typeof createWatchFolder> | undefined {
  if (place === undefined) return undefined;
  const { environment, clock } = context;
  return createWatchFolder({
    ...parts,
    service,
    mounts: place.mounts,
    place,
    config,
    dataFolder,
    environment,
    clock,
    log,
  });
}

/** The options by the variables that they override. */
function describeOptions({ data, watch, host, port }: UpOptions): Readonly<Record<string, string | undefined>> {
  return {
    REELMILL_DATA: data === undefined ? undefined : resolve(data),
    HOST_SMB_ROOT: watch === false ? "no watch folder" : watch === undefined ? undefined : resolve(watch),
    REELMILL_HOST: host,
    REELMILL_PORT: port?.toString(),
  };
}

function describeSystem({ config, dataFolder, settings, context }: Running) {
  const look = createSystemView(config, context.environment["PATH"] ?? "", dataFolder);
  const shown = settings.map(({ name, value, source }) => ({ name, value, source }));
  return async () => ({ ...(await look()), settings: shown });
}

/** Why nobody can listen at an address, by what the system says. */
const NO_LISTENING: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "another program listens there"],
  ["EACCES", "this user may not listen at so low a port"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["ENOTFOUND", "there is no host of that name"],
]);

async function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const reason = NO_LISTENING.get(systemCodeOf(error) ?? "");
    if (reason === undefined) throw error;
    throw new ReelmillError("ADDRESS_UNUSABLE", `The server cannot listen at ${host}, port ${port}: ${reason}.`, {
      cause: error,
    });
  }
}

function announce({ home, place, dataFolder, context }: Running, address: ReturnType<Server["address"]>): void {
  if (address === null || typeof address === "string") return;
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  const lines = [`Reelmill is up: http://${host}:${address.port}`, `  data     ${dataFolder}`];
  if (home.backend === "aws") lines.push(`  bucket   ${home.bucket}`, `  table    ${home.table}`);
  if (place !== undefined) {
    lines.push(`  drop     ${place.settings.readyFolder}`, `  collect  ${place.settings.exportFolder}`);
  }
  context.writeOutput(`${lines.join("\n")}\n`);
}
