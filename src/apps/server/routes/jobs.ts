import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ReelmillError } from "../../../base/errors.ts";
import { JOB_STATUSES, type Job, type JobStatus } from "../../../jobs/job.ts";
import type { JobStore } from "../../../jobs/ports.ts";
import { queryNumber, type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import type { EventHub } from "../event-hub.ts";
import { VIEWS } from "../view-schemas.ts";
import { toJobView, toMessageView, toTaskView } from "../views.ts";

const ID = z.strictObject({ id: z.string().max(100) });
const TAG = "jobs";
/** Of idempotency keys; those that pipelines make of names in their params are longer than those that clients may give. */
const MAX_KEY_LENGTH = 300;
const ANSWER = { description: "The job.", schema: VIEWS.job };

const STATUS_LIST = z
  .string()
  .max(100)
  .regex(/^\w+(,\w+)*$/, `must be one or more of ${JOB_STATUSES.join(", ")}, with commas between them`)
  .transform((text) => text.split(","))
  .pipe(z.array(z.enum(JOB_STATUSES)));

const SUBMISSION = z.strictObject({
  pipeline: z.string().min(1).max(100),
  params: z.record(z.string(), z.unknown()),
  priority: z.int().min(-100).max(100).optional(),
  webhook: z
    .strictObject({
      url: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }).max(2048),
      format: z.enum(["standard", "slack"]).default("standard"),
    })
    .optional(),
});

/** What is served about jobs. */
export const JOB_ROUTES = {
  create: {
    method: "POST",
    path: "/v1/jobs",
    tag: TAG,
    summary: "Submit a job",
    headers: { "idempotency-key": "1 to 255 visible ASCII characters. The same key with the same body makes one job." },
    body: SUBMISSION,
    answers: {
      201: { description: "The job was made; Location names it.", schema: VIEWS.job },
      200: { description: "The job that this idempotency key made before.", schema: VIEWS.job },
    },
    errors: ["PIPELINE_UNKNOWN", "PARAMS_INVALID", "OBJECT_KEY_INVALID", "WEBHOOK_REFUSED", "IDEMPOTENCY_CONFLICT"],
  },
  list: {
    method: "GET",
    path: "/v1/jobs",
    tag: TAG,
    summary: "List jobs, newest first",
    query: z.strictObject({
      pipeline: z.string().max(100).optional(),
      status: STATUS_LIST.optional(),
      parent: z.string().max(100).optional(),
      idempotencyKey: z
        .string()
        .min(1)
        .max(MAX_KEY_LENGTH)
        .optional()
        .describe("The job that a submission with this key would give, while the key is known."),
      limit: queryNumber(1, 500, 50),
      cursor: z.string().max(100).optional(),
    }),
    answers: { 200: { description: "A page of jobs.", schema: VIEWS.jobPage } },
    errors: ["CURSOR_INVALID", "PIPELINE_UNKNOWN"],
  },
  get: {
    method: "GET",
    path: "/v1/jobs/{id}",
    tag: TAG,
    summary: "One job",
    params: ID,
    answers: { 200: ANSWER },
    errors: ["JOB_NOT_FOUND"],
  },
  tasks: {
    method: "GET",
    path: "/v1/jobs/{id}/tasks",
    tag: TAG,
    summary: "A job's tasks, by stage and index",
    params: ID,
    answers: { 200: { description: "The tasks.", schema: VIEWS.tasks } },
    errors: ["JOB_NOT_FOUND"],
  },
  messages: {
    method: "GET",
    path: "/v1/jobs/{id}/messages",
    tag: TAG,
    summary: "Where the messages of a job's open tasks stand; looks through the whole queue",
    params: ID,
    answers: { 200: { description: "The messages.", schema: VIEWS.messages } },
    errors: ["JOB_NOT_FOUND"],
  },
  logs: {
    method: "GET",
    path: "/v1/jobs/{id}/logs",
    tag: TAG,
    summary: "A job's last log lines over all components, in the order of time",
    params: ID,
    query: z.strictObject({
      limit: queryNumber(1, 10_000, 500),
      after: z.iso.datetime().optional().meta({ description: "Those written then or later alone; RFC 3339, UTC." }),
    }),
    answers: { 200: { description: "The lines.", schema: VIEWS.logLines } },
    errors: ["JOB_NOT_FOUND", "STORE_UNAVAILABLE", "STORE_REFUSED"],
  },
  cancel: {
    method: "POST",
    path: "/v1/jobs/{id}/cancel",
    tag: TAG,
    summary: "Stop a job that has not ended",
    params: ID,
    answers: { 200: ANSWER },
    errors: ["JOB_NOT_FOUND", "JOB_STATE"],
  },
  retry: {
    method: "POST",
    path: "/v1/jobs/{id}/retry",
    tag: TAG,
    summary: "Try again what failed or was cancelled",
    params: ID,
    answers: { 200: ANSWER },
    errors: ["JOB_NOT_FOUND", "JOB_STATE"],
  },
  replay: {
    method: "POST",
    path: "/v1/jobs/{id}/replay",
    tag: TAG,
    summary: "Make a new job with the same params",
    params: ID,
    answers: { 201: { description: "The new job; Location names it.", schema: VIEWS.job } },
    errors: ["JOB_NOT_FOUND"],
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** Machines whose clocks are further apart than that have other troubles. */
const CLOCKS_APART_MS = 60_000;
/** What is still said about a job after its end, such as how its news went out, is looked for so long in places where looking has its price. */
const AFTERMATH_MS = 15 * 60_000;

/** Serves `JOB_ROUTES`. */
export function addJobRoutes(app: FastifyInstance, deps: ServerDependencies, hub: EventHub): void {
  const { store, queue, service, clock, logs, pipelines } = deps;
  const view = (job: Job) => toJobView(job, clock.nowMs());
  serve(app, JOB_ROUTES.create, async ({ body, request, reply }) => {
    const idempotencyKey = readIdempotencyKey(request.headers["idempotency-key"]);
    const { job, isNew } = await service.submit({ ...body, idempotencyKey });
    if (isNew) hub.nudge();
    return reply
      .code(isNew ? 201 : 200)
      .header("location", `/v1/jobs/${job.id}`)
      .send(view(job));
  });
  serve(app, JOB_ROUTES.list, async ({ query }) => {
    const { pipeline, parent, idempotencyKey, limit, cursor } = query;
    const statuses = query.status as readonly JobStatus[] | undefined;
    const page = await store.list({ pipeline, statuses, parentJobId: parent, idempotencyKey, limit, cursor });
    // Jobs of a pipeline that is not there any more are shown; a name that has none may be mistyped.
    const isNarrow = [statuses, parent, idempotencyKey, cursor].some((filter) => filter !== undefined);
    if (pipeline !== undefined && page.jobs.length === 0 && !isNarrow) pipelines.get(pipeline);
    return { jobs: page.jobs.map(view), nextCursor: page.nextCursor ?? null };
  });
  serve(app, JOB_ROUTES.get, async ({ params }) => view(await requireJob(store, params.id)));
  serve(app, JOB_ROUTES.tasks, async ({ params }) => {
    const { id } = await requireJob(store, params.id);
    return { tasks: (await store.listTasks(id)).map(toTaskView) };
  });
  serve(app, JOB_ROUTES.messages, async ({ params }) => {
    const { id, pipeline } = await requireJob(store, params.id);
    const messages = await queue.listOfJob(pipeline, id);
    return { messages: messages.map((message) => toMessageView(message, clock.nowMs())) };
  });
  serve(app, JOB_ROUTES.logs, async ({ params, query }) => {
    const { id, createdAtMs, finishedAtMs } = await requireJob(store, params.id);
    const { limit, after } = query;
    const fromMs = after === undefined ? createdAtMs - CLOCKS_APART_MS : Date.parse(after);
    const untilMs = finishedAtMs === null ? undefined : finishedAtMs + AFTERMATH_MS;
    return { lines: await logs.read({ jobId: id, limit, fromMs, untilMs }), delayMs: logs.delayMs };
  });
  for (const [contract, change] of [
    [JOB_ROUTES.cancel, service.cancel],
    [JOB_ROUTES.retry, service.retry],
  ] as const) {
    serve(app, contract, async ({ params }) => {
      const job = await change(params.id);
      hub.nudge();
      return view(job);
    });
  }
  serve(app, JOB_ROUTES.replay, async ({ params, reply }) => {
    const job = await service.replay(params.id);
    hub.nudge();
    return reply.code(201).header("location", `/v1/jobs/${job.id}`).send(view(job));
  });
}

/** The header Idempotency-Key; undefined where it is left out. Throws REQUEST_INVALID. */
export function readIdempotencyKey(given: string | readonly string[] | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (typeof given === "string" && /^[\x21-\x7e]{1,255}$/.test(given)) return given;
  throw new ReelmillError(
    "REQUEST_INVALID",
    "The header Idempotency-Key has to be 1 to 255 visible ASCII characters, and be there once.",
  );
}

/** The job, or JOB_NOT_FOUND. */
export async function requireJob(store: JobStore, id: string): Promise<Job> {
  const job = await store.get(id);
  if (job === undefined) throw new ReelmillError("JOB_NOT_FOUND", `There is no job ${id}.`);
  return job;
}
