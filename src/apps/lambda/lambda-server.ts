import type { FastifyInstance } from "fastify";
import { explainConfig } from "../../base/config.ts";
import { ReelmillError } from "../../base/errors.ts";
import type { ObjectLender } from "../../jobs/object-lender.ts";
import { checkAws } from "../aws-checks.ts";
import { loadPrices } from "../cost/price-file.ts";
import { createServer } from "../server/create-server.ts";
import { findFfmpegFault } from "../server/ffmpeg-check.ts";
import { findDashboard } from "../server/find-dashboard.ts";
import { DEFAULT_LIMITS } from "../server/limits.ts";
import { openBatch } from "../server/open-batch.ts";
import { openCost } from "../server/open-cost.ts";
import { openLogs } from "../server/open-logs.ts";
import { createSystemView, readVersion } from "../server/system.ts";
import { MAX_ANSWER_BYTES } from "./max-answer.ts";
import type { World } from "./open.ts";

/** Nothing is asked of the store, so it may be of any key. */
const ANY_LOAN = { method: "GET", key: "uploads/any", forMs: 1000 } as const;

/**
 * A function has 29 s for a request, API Gateway 30: what is left of that lists the batch before and makes its job, and has a container started, behind. A
 * request that runs out of time would do so again at each try.
 */
const REFERENCE_SEARCH_MS = 15_000;

/** How long requests may take. */
export interface RequestBounds {
  /** Of the call that is under way: aborted shortly before its time is over. */
  readonly findSignal: () => AbortSignal | undefined;
  /** For how long a reference for a batch is looked for. */
  readonly referenceSearchMs?: number;
}

/**
 * The app that a server runs, without what a function has not that is frozen between calls: workers, a watch folder, streams that stay open. Throws
 * CONFIG_INVALID where no API key is set.
 */
export async function createLambdaServer(
  world: World,
  { findSignal, referenceSearchMs = REFERENCE_SEARCH_MS }: RequestBounds,
): Promise<FastifyInstance> {
  const { config, home, parts, service, environment, clock, log, telemetry } = world;
  const { signal } = new AbortController();
  const { apiKeyHashes, maxUploadBytes } = config.server;
  if (apiKeyHashes.length === 0) {
    const message = "REELMILL_API_KEY_SHA256 is not set, but everybody can reach the function.";
    throw new ReelmillError("CONFIG_INVALID", message);
  }
  const searchPath = environment["PATH"] ?? "";
  const settings = explainConfig(environment, {}).map(({ name, value, source }) => ({ name, value, source }));
  const batch = await openBatch({ home, parts, config, dataFolder: home.data, context: { environment, clock } });
  const look = createSystemView(config, searchPath, home.data);
  const givePatience = (): AbortSignal => {
    const late = new AbortController();
    // Not `AbortSignal.timeout`: joined with another, nothing would hold it until its time has come.
    setTimeout(() => late.abort(), referenceSearchMs).unref();
    return AbortSignal.any([late.signal, findSignal() ?? signal]);
  };
  return createServer({
    ...parts,
    version: readVersion(),
    ...{ service, log, clock, apiKeyHashes, tracer: telemetry.tracer },
    // Requests are counted by API Gateway, and by instance they would tell little.
    limits: {
      ...DEFAULT_LIMITS,
      ...{ uploadBytes: maxUploadBytes, takesParts: false, sentBytes: MAX_ANSWER_BYTES, livesOn: false },
    },
    workers: { stats: () => ({ desired: 0, running: 0, busy: 0, max: 0 }) },
    system: async () => ({ ...(await look()), settings }),
    checkPlace: () => checkAws(home, clock),
    ffmpegFault: () => findFfmpegFault(config, searchPath),
    logs: openLogs(home, { own: undefined, objects: parts.objects }),
    cost: openCost({ home, parts, prices: loadPrices(config.priceFile), environment, signal }),
    batch: { ...batch, givePatience },
    watch: undefined,
    dashboard: findDashboard(() => findStore(batch.lender)),
    signal,
  });
}

/** Where the links into the store lead. */
async function findStore(lender: ObjectLender): Promise<string> {
  return new URL((await lender.lend(ANY_LOAN)).url).origin;
}
