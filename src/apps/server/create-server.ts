import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { ReelmillError } from "../../base/errors.ts";
import { type Access, createAccess } from "./access.ts";
import { answerBrokenRequest } from "./broken-request.ts";
import type { ServerDependencies } from "./dependencies.ts";
import { createEventHub, type EventHub } from "./event-hub.ts";
import { SECURITY_HEADERS } from "./headers.ts";
import { parseJsonBody } from "./json-body.ts";
import { createMetrics, type ServerMetrics } from "./metrics.ts";
import { buildOpenApi } from "./openapi.ts";
import { isFault, PROBLEM_TYPE, toProblem, translateError } from "./problem.ts";
import { ALL_ROUTES } from "./routes/all-routes.ts";
import { addBatchRoutes } from "./routes/batch.ts";
import { addCostRoutes } from "./routes/cost.ts";
import { addDeadLetterRoutes } from "./routes/dead-letters.ts";
import { addDocsRoutes } from "./routes/docs.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addJobRoutes } from "./routes/jobs.ts";
import { addLentRoutes } from "./routes/lent.ts";
import { addObjectRoutes, OBJECT_PREFIX } from "./routes/objects.ts";
import { addQueueRoutes } from "./routes/queues.ts";
import { addSessionRoutes } from "./routes/session.ts";
import { addStatusRoutes } from "./routes/status.ts";
import { addUploadPartRoutes, UPLOAD_PART_ROUTES } from "./routes/upload-parts.ts";
import { addUploadRoutes } from "./routes/uploads.ts";
import { addWatchRoutes } from "./routes/watch.ts";
import { addWebRoutes } from "./routes/web.ts";
import { addWebhookRoutes } from "./routes/webhooks.ts";
import { createCarriedSessions, createSessions } from "./sessions.ts";
import { hasBody } from "./streams.ts";
import { traceRequests } from "./trace-requests.ts";
import { answerUnknownPath } from "./unknown-path.ts";
import { toWatchView } from "./views.ts";

const MINUTE_MS = 60_000;
/** Enough for the longest object key, percent-encoded. */
const MAX_PARAM_LENGTH = 4096;

/**
 * The server, not yet listening. `close()` ends the streams to listeners and waits a while for requests under way. Without API keys, it
 * must only be bound to loopback. Throws CONFIG_INVALID for a hash that is none.
 */
export function createServer(deps: ServerDependencies): FastifyInstance {
  const { limits, clock, log, store, signal } = deps;
  const hub = createEventHub({
    store,
    clock,
    log,
    readWatch: () => JSON.stringify(toWatchView(deps.watch)),
    maxListeners: limits.listeners,
    stallMs: limits.listenerStallMs,
  });
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headerTimeoutMs,
      // Node looks no more often than this.
      connectionsCheckingInterval: limits.headerTimeoutMs / 4,
      requestTimeout: 0,
    },
    // Bodies have bounds of their own, because an upload may take hours.
    requestTimeout: 0,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => void answerError(deps, explainBadUrl(error, request), request, reply),
  });
  if (deps.tracer !== undefined) traceRequests(app, deps.tracer);
  const metrics = createMetrics(deps, () => hub.listenerCount);
  const access = createAccess({
    ...deps,
    createSessions: (isKey) => (limits.livesOn ? createSessions(clock) : createCarriedSessions(isKey)),
  });
  addChecks(app, deps, access, metrics);
  if (limits.writesPerMinute !== null) addRateLimit(app, limits.writesPerMinute);
  app.register(async (scope) => addRoutes(scope, deps, { hub, access, metrics }));
  const end = (): void => hub.close();
  signal.addEventListener("abort", end, { once: true });
  app.addHook("preClose", async () => {
    signal.removeEventListener("abort", end);
    end();
    // A paused player holds its request for as long as it likes; downloads and uploads go on where they broke off.
    setTimeout(() => app.server.closeAllConnections(), limits.closeGraceMs).unref();
  });
  return app;
}

/** What routes share, made once for each server. */
interface RouteParts {
  readonly hub: EventHub;
  readonly access: Access;
  readonly metrics: ServerMetrics;
}

function addRoutes(app: FastifyInstance, deps: ServerDependencies, { hub, access, metrics }: RouteParts): void {
  addJobRoutes(app, deps, hub);
  addCostRoutes(app, deps);
  addEventRoutes(app, deps, hub);
  addBatchRoutes(app, deps, hub);
  addUploadPartRoutes(app, deps);
  addQueueRoutes(app, deps, hub);
  addDeadLetterRoutes(app, deps, hub);
  addWatchRoutes(app, deps, hub);
  addWebhookRoutes(app, deps);
  addStatusRoutes(app, deps, metrics);
  // API Gateway, in front of what does not live on, takes nothing but TLS.
  addSessionRoutes(app, access, { isTlsOnly: !deps.limits.livesOn });
  addDocsRoutes(app, () => buildOpenApi(deps.version, ALL_ROUTES));
  app.register(async (scope) => {
    // Any type, as it comes: the handlers read the bodies themselves.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    addObjectRoutes(scope, deps);
    addLentRoutes(scope, deps);
    addUploadRoutes(scope, deps);
  });
  if (deps.dashboard !== undefined) addWebRoutes(app, deps.dashboard);
}

function addChecks(app: FastifyInstance, deps: ServerDependencies, access: Access, metrics: ServerMetrics): void {
  const { limits } = deps;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, parseJsonBody);
  app.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply));
  app.setNotFoundHandler((request, reply) => answerUnknownPath(deps.dashboard, request, reply));
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    try {
      requireUrl(request.raw.url ?? "", limits.urlLength);
      access.check(request);
      boundBody(request, reply, limits.bodyTimeoutMs);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook("onResponse", (request, reply, done) => {
    const { config, url = "unknown" } = request.routeOptions;
    if (config.isStream !== true && config.isRaw !== true) {
      metrics.observe({ method: request.method, route: url, status: reply.statusCode, ms: reply.elapsedTime });
    }
    done();
  });
}

function requireUrl(url: string, maxLength: number): void {
  if (url.length > maxLength) {
    throw new ReelmillError("URL_TOO_LONG", `The URL has ${url.length} characters; ${maxLength} are allowed.`);
  }
  if (!url.startsWith("/")) {
    throw new ReelmillError("REQUEST_INVALID", "The request's target has to be a path.");
  }
}

/** The router refuses what is no percent-encoded UTF-8 before any handler could. */
function explainBadUrl(error: unknown, { raw: { url = "" } }: FastifyRequest): unknown {
  if (!url.startsWith(OBJECT_PREFIX)) return error;
  return new ReelmillError("OBJECT_KEY_INVALID", "The object key is not percent-encoded UTF-8.", { cause: error });
}

/** Bodies that a handler reads by itself aside, a body has to be there in time. */
function boundBody(request: FastifyRequest, reply: FastifyReply, timeoutMs: number): void {
  const { raw } = request;
  if (!hasBody(raw) || request.routeOptions.config.isRaw === true) return;
  const timer = setTimeout(() => {
    reply.raw.once("finish", () => raw.destroy());
    reply.send(new ReelmillError("REQUEST_TIMEOUT", `The body was not there within ${timeoutMs / 1000} s.`));
  }, timeoutMs);
  raw.once("end", () => clearTimeout(timer));
  raw.once("close", () => clearTimeout(timer));
}

function answerError(
  deps: ServerDependencies,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const known = translateError(error);
  const told = known ?? new ReelmillError("INTERNAL", "Something went wrong.", { cause: error });
  const isGone = request.raw.destroyed && !request.raw.complete;
  if (isFault(told) && !isGone) {
    deps.log.error("A request failed.", { method: request.method, route: request.routeOptions.url, error });
  }
  // The rest of the body is not worth reading.
  if (!request.raw.complete) reply.header("connection", "close");
  if (told.code === "UNAUTHORIZED") reply.header("www-authenticate", "Bearer");
  const problem = toProblem(told, request.raw.url ?? "");
  return reply
    .headers({ ...SECURITY_HEADERS, "cache-control": "no-store" })
    .removeHeader("content-length")
    .removeHeader("content-disposition")
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem));
}

function addRateLimit(app: FastifyInstance, max: number): void {
  app.register(rateLimit, {
    max,
    timeWindow: MINUTE_MS,
    // An address of IPv6 is whatever its owner likes.
    ipv6Subnet: 64,
    // An upload's parts are bounded by its bytes.
    allowList: ({ method, url }) =>
      ["GET", "HEAD", "OPTIONS", "PATCH"].includes(method) || url === UPLOAD_PART_ROUTES.lend.path,
    errorResponseBuilder: (_request, { after }) =>
      new ReelmillError("RATE_LIMITED", `There were more than ${max} requests within a minute; try again in ${after}.`),
  });
}
