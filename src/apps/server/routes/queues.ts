import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ReelmillError } from "../../../base/errors.ts";
import type { QueueDepth } from "../../../jobs/ports.ts";
import { type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import type { EventHub } from "../event-hub.ts";
import { VIEWS } from "../view-schemas.ts";
import { toQueueView } from "../views.ts";

const NAME = z.strictObject({ queue: z.string().max(100) });
const ANSWER = { description: "The queue.", schema: VIEWS.queue };

/** What is served of queues and pipelines. */
export const QUEUE_ROUTES = {
  pipelines: {
    method: "GET",
    path: "/v1/pipelines",
    tag: "pipelines",
    summary: "The pipelines, with the JSON Schemas of their params and results, and how files come to them",
    answers: { 200: { description: "The pipelines.", schema: VIEWS.pipelines } },
    errors: [],
  },
  list: {
    method: "GET",
    path: "/v1/queues",
    tag: "queues",
    summary: "How full the queues are",
    answers: { 200: { description: "The queues by name.", schema: VIEWS.queues } },
    errors: [],
  },
  pause: {
    method: "POST",
    path: "/v1/queues/{queue}/pause",
    tag: "queues",
    summary: "Give out nothing more of a queue; what is under way goes on",
    params: NAME,
    answers: { 200: ANSWER },
    errors: ["QUEUE_UNKNOWN"],
  },
  resume: {
    method: "POST",
    path: "/v1/queues/{queue}/resume",
    tag: "queues",
    summary: "Give out a paused queue again",
    params: NAME,
    answers: { 200: ANSWER },
    errors: ["QUEUE_UNKNOWN"],
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Every queue there is; those that never held anything are empty. */
export async function readQueues({ queue, pipelines }: ServerDependencies): Promise<readonly QueueDepth[]> {
  const depths = await queue.depths();
  const known = new Set(depths.map(({ queue: name }) => name));
  const unused = pipelines.all.filter(({ name }) => !known.has(name));
  const empty = { waiting: 0, inFlight: 0, dead: 0, isPaused: false, oldestSentAtMs: null, oldestDueAtMs: null };
  const all = [...depths, ...unused.map(({ name }) => ({ queue: name, ...empty }))];
  return all.sort((a, b) => (a.queue < b.queue ? -1 : 1));
}

/** A queue by its name. Throws QUEUE_UNKNOWN naming those there are. */
export async function requireQueue(deps: ServerDependencies, name: string): Promise<QueueDepth> {
  const queues = await readQueues(deps);
  const found = queues.find(({ queue }) => queue === name);
  if (found !== undefined) return found;
  const known = queues.map(({ queue }) => queue).join(", ");
  throw new ReelmillError("QUEUE_UNKNOWN", `There is no queue "${name}". Queues: ${known}.`);
}

/** Serves `QUEUE_ROUTES`. */
export function addQueueRoutes(app: FastifyInstance, deps: ServerDependencies, hub: EventHub): void {
  const { pipelines, queue } = deps;
  serve(app, QUEUE_ROUTES.pipelines, async () => {
    const paused = new Set((await queue.depths()).filter(({ isPaused }) => isPaused).map(({ queue: name }) => name));
    return {
      uploads: describeUploads(deps),
      pipelines: pipelines.all.map(({ name, description, paramsSchema, resultSchema, maxConcurrentTasks }) => ({
        name,
        description,
        paramsSchema,
        resultSchema,
        maxConcurrentTasks,
        isPaused: paused.has(name),
      })),
    };
  });
  serve(app, QUEUE_ROUTES.list, async () => ({ queues: (await readQueues(deps)).map(toQueueView) }));
  for (const [contract, isPaused] of [
    [QUEUE_ROUTES.pause, true],
    [QUEUE_ROUTES.resume, false],
  ] as const) {
    serve(app, contract, async ({ params }) => {
      await requireQueue(deps, params.queue);
      await queue.setPaused(params.queue, isPaused);
      hub.nudge();
      return toQueueView(await requireQueue(deps, params.queue));
    });
  }
}

function describeUploads({ limits: { takesParts, uploadBytes }, batch: { lender } }: ServerDependencies) {
  if (takesParts) return { by: "parts" as const, maxBytes: uploadBytes };
  return { by: "link" as const, maxBytes: Math.min(uploadBytes, lender.maxBytes ?? uploadBytes) };
}
