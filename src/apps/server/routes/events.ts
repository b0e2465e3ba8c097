import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { queryNumber, type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import type { EventHub } from "../event-hub.ts";
import { newsOfAll, newsOfJob } from "../event-news.ts";
import { SECURITY_HEADERS } from "../headers.ts";
import { VIEWS } from "../view-schemas.ts";
import { toEventView } from "../views.ts";
import { requireJob } from "./jobs.ts";

const MAX_SEQ = 1e14;
const STREAM = "text/event-stream";
const STREAM_HEADERS = {
  "content-type": `${STREAM}; charset=utf-8`,
  "cache-control": "no-store",
  // Proxies would wait for more.
  "x-accel-buffering": "no",
};
const RESUMES = { "last-event-id": "Goes on behind this event, when a stream is opened again." };

/** What is served of events. */
export const EVENT_ROUTES = {
  ofJob: {
    method: "GET",
    path: "/v1/jobs/{id}/events",
    tag: "events",
    summary:
      "A job's events: as a list, or as a stream (Accept: text/event-stream) that also tells each change of the job; from a function, one that ends and is to be asked for again",
    params: z.strictObject({ id: z.string().max(100) }),
    query: z.strictObject({ after: queryNumber(0, MAX_SEQ, 0), limit: queryNumber(1, 10_000, 1000) }),
    headers: RESUMES,
    answers: { 200: { description: "The events, or a stream of `job` and `event`.", schema: VIEWS.events } },
    errors: ["JOB_NOT_FOUND", "RATE_LIMITED"],
    isStream: true,
  },
  ofAll: {
    method: "GET",
    path: "/v1/events",
    tag: "events",
    summary: "A stream of changes: `job` for each job that changes, `watch` when the watch folder does",
    headers: RESUMES,
    answers: {
      200: {
        description: "A stream that does not end; from a function what is new, and when to come again.",
        mediaType: STREAM,
      },
    },
    errors: ["RATE_LIMITED"],
    isStream: true,
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `EVENT_ROUTES`. */
export function addEventRoutes(app: FastifyInstance, deps: ServerDependencies, hub: EventHub): void {
  const { store, limits } = deps;
  serve(app, EVENT_ROUTES.ofJob, async ({ params, query, request, reply }) => {
    const job = await requireJob(store, params.id);
    const { id } = job;
    if (!acceptsStream(request)) {
      const events = await store.listEvents({ jobId: id, afterSeq: query.after, limit: query.limit });
      return { events: events.map(toEventView) };
    }
    const afterSeq = lastEventId(request) ?? query.after;
    if (!limits.livesOn) return reply.headers(STREAM_HEADERS).send(await newsOfJob(deps, job, afterSeq));
    hub.requireRoom();
    hub.listenToJob(beginStream(reply), id, afterSeq);
    return reply;
  });
  serve(app, EVENT_ROUTES.ofAll, async ({ request, reply }) => {
    if (limits.livesOn) hub.requireRoom();
    const change = await hub.placeOf(lastEventId(request));
    if (!limits.livesOn) return reply.headers(STREAM_HEADERS).send(await newsOfAll(deps, change));
    hub.listenToAll(beginStream(reply), change);
    return reply;
  });
}

function acceptsStream({ headers }: FastifyRequest): boolean {
  return headers.accept?.toLowerCase().includes(STREAM) === true;
}

function lastEventId({ headers }: FastifyRequest): number | undefined {
  const id = headers["last-event-id"];
  return typeof id === "string" && /^\d{1,14}$/.test(id) ? Number(id) : undefined;
}

function beginStream(reply: FastifyReply): FastifyReply["raw"] {
  reply.hijack();
  reply.raw.writeHead(200, { ...SECURITY_HEADERS, ...STREAM_HEADERS });
  return reply.raw;
}
