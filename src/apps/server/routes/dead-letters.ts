import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ReelmillError } from "../../../base/errors.ts";
import { queryNumber, type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import type { EventHub } from "../event-hub.ts";
import { VIEWS } from "../view-schemas.ts";
import { toDeadLetterView } from "../views.ts";
import { requireQueue } from "./queues.ts";

const TAG = "dead letters";
const ID = z.strictObject({
  id: z
    .string()
    .regex(/^\d{1,15}$/, "must be a whole number")
    .transform(Number),
});
const QUEUE = z.string().max(100).optional();
const PAGE = 500;

/** What is served of dead letters. */
export const DEAD_LETTER_ROUTES = {
  list: {
    method: "GET",
    path: "/v1/dead-letters",
    tag: TAG,
    summary: "Messages that were given up, oldest first, without taking them",
    query: z.strictObject({ queue: QUEUE, limit: queryNumber(1, PAGE, PAGE) }),
    answers: { 200: { description: "The dead letters.", schema: VIEWS.deadLetters } },
    errors: ["QUEUE_UNKNOWN"],
  },
  replayAll: {
    method: "POST",
    path: "/v1/dead-letters/replay",
    tag: TAG,
    summary: "Put all of them, or those of one queue, back to work; those that are not wanted any more stay",
    body: z.strictObject({ queue: QUEUE }).optional(),
    answers: { 200: { description: "How many.", schema: VIEWS.replayed } },
    errors: ["QUEUE_UNKNOWN"],
  },
  replay: {
    method: "POST",
    path: "/v1/dead-letters/{id}/replay",
    tag: TAG,
    summary: "Put one back to work",
    params: ID,
    answers: { 200: { description: "One.", schema: VIEWS.replayed } },
    errors: ["DEAD_LETTER_NOT_FOUND", "JOB_STATE"],
  },
  discard: {
    method: "DELETE",
    path: "/v1/dead-letters/{id}",
    tag: TAG,
    summary: "Forget one",
    params: ID,
    answers: { 204: { description: "It is gone." } },
    errors: ["DEAD_LETTER_NOT_FOUND"],
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Serves `DEAD_LETTER_ROUTES`. */
export function addDeadLetterRoutes(app: FastifyInstance, deps: ServerDependencies, hub: EventHub): void {
  const { queue, service } = deps;
  serve(app, DEAD_LETTER_ROUTES.list, async ({ query }) => {
    const letters = await queue.listDead({ queue: query.queue, limit: query.limit });
    if (letters.length === 0) await requireKnown(deps, query.queue);
    return { deadLetters: letters.map(toDeadLetterView) };
  });
  serve(app, DEAD_LETTER_ROUTES.replayAll, async ({ body }) => {
    const replayed = await replayAll(deps, body?.queue);
    if (replayed === 0) await requireKnown(deps, body?.queue);
    hub.nudge();
    return { replayed };
  });
  serve(app, DEAD_LETTER_ROUTES.replay, async ({ params }) => {
    await service.replayDeadLetter(params.id);
    hub.nudge();
    return { replayed: 1 };
  });
  serve(app, DEAD_LETTER_ROUTES.discard, async ({ params, reply }) => {
    await service.discardDeadLetter(params.id);
    return reply.code(204).send();
  });
}

/** A queue that has nothing may be mistyped. Throws QUEUE_UNKNOWN. */
async function requireKnown(deps: ServerDependencies, name: string | undefined): Promise<void> {
  // To ask for all queues is to read all their messages.
  if (name === undefined || deps.pipelines.all.some((pipeline) => pipeline.name === name)) return;
  await requireQueue(deps, name);
}

async function replayAll({ queue, service }: ServerDependencies, name: string | undefined): Promise<number> {
  // Each is tried once: those that stay must not be met again.
  const tried = new Set<number>();
  let replayed = 0;
  for (;;) {
    const letters = await queue.listDead({ queue: name, limit: PAGE + tried.size });
    const fresh = letters.filter(({ id }) => !tried.has(id));
    if (fresh.length === 0) return replayed;
    for (const { id } of fresh) {
      tried.add(id);
      if (await wasReplayed(() => service.replayDeadLetter(id))) replayed += 1;
    }
  }
}

/** False where the task is not wanted any more, or somebody else was quicker. */
async function wasReplayed(replay: () => Promise<void>): Promise<boolean> {
  try {
    await replay();
    return true;
  } catch (error) {
    const isLeft =
      error instanceof ReelmillError && ["JOB_STATE", "JOB_NOT_FOUND", "DEAD_LETTER_NOT_FOUND"].includes(error.code);
    if (isLeft) return false;
    throw error;
  }
}
