import type { DeadLetterView, JobView, NewJob, QueueView, WatchView } from "../src/api/types.ts";
import {
  createDeliveries,
  createEvents,
  createJob,
  createJobs,
  createLogs,
  createTasks,
  DAMAGED_BYTES,
} from "./mock-data.ts";
import {
  createDeadLetters,
  createPipelines,
  createQueues,
  createStats,
  createSystem,
  createWatch,
} from "./mock-machine.ts";

/** An answer with a JSON body, or none. */
export interface MockReply {
  readonly status: number;
  readonly body?: unknown;
}

/** What the mock server knows; a test reads and changes it. */
export interface MockApi {
  readonly jobs: Map<string, JobView>;
  readonly objectBytes: Map<string, number>;
  /** Every request that changes something: method and path. */
  readonly changes: string[];
  letters: readonly DeadLetterView[];
  queues: readonly QueueView[];
  watch: WatchView;
  /** Answers a request for JSON. */
  readonly reply: (method: string, url: string, body: string) => MockReply;
}

type Handler = (parts: readonly string[], body: string, query: URLSearchParams) => MockReply;

const NOT_FOUND: MockReply = {
  status: 404,
  body: { title: "Not found", status: 404, detail: "There is no such thing here.", code: "NOT_FOUND" },
};

/** Creates the canned data as of a time. */
export function createMockApi(nowMs: number): MockApi {
  const handlers = new Map<string, Handler>();
  const api: MockApi = {
    jobs: new Map(createJobs(nowMs).map((job) => [job.id, job])),
    objectBytes: new Map([["uploads/u5/interview-take-3.mp4", DAMAGED_BYTES]]),
    changes: [],
    letters: createDeadLetters(nowMs),
    queues: createQueues(nowMs, 2),
    watch: createWatch(),
    reply: (method, url, body) => {
      const { pathname, searchParams } = new URL(url, "http://mock");
      const parts = pathname.split("/").slice(1).map(decodeURIComponent);
      if (method !== "GET" && pathname !== "/v1/estimates") api.changes.push(`${method} ${pathname}`);
      // Third parts are names, except where they are words of the contract.
      const shape = parts.map((part, index) => (index === 2 && !/^(deliveries|replay)$/.test(part) ? "*" : part));
      return handlers.get(`${method} ${shape.join("/")}`)?.(parts, body, searchParams) ?? NOT_FOUND;
    },
  };
  addJobHandlers(api, handlers, nowMs);
  addServerHandlers(api, handlers);
  return api;
}

function addJobHandlers(api: MockApi, handlers: Map<string, Handler>, nowMs: number): void {
  const withJob =
    (answer: (job: JobView) => MockReply): Handler =>
    ([, , id = ""]) => {
      const job = api.jobs.get(id);
      return job === undefined ? NOT_FOUND : answer(job);
    };
  handlers.set("GET v1/jobs", (_parts, _body, query) => ({ status: 200, body: listJobs(api, query) }));
  handlers.set("POST v1/estimates", () => ({ status: 200, body: { estimate: null, reason: "Nobody asked." } }));
  handlers.set("POST v1/jobs", (_parts, body) => {
    const { pipeline, params } = JSON.parse(body) as NewJob;
    const job = createJob(nowMs, { id: `created-${api.jobs.size}`, pipeline, params });
    api.jobs.set(job.id, job);
    return { status: 201, body: job };
  });
  handlers.set(
    "GET v1/jobs/*",
    withJob((job) => ({ status: 200, body: job })),
  );
  handlers.set(
    "GET v1/jobs/*/tasks",
    withJob((job) => ({ status: 200, body: { tasks: createTasks(job, nowMs) } })),
  );
  handlers.set(
    "GET v1/jobs/*/events",
    withJob((job) => ({ status: 200, body: { events: createEvents(job) } })),
  );
  handlers.set(
    "GET v1/jobs/*/logs",
    withJob((job) => ({ status: 200, body: { lines: createLogs(job) } })),
  );
  handlers.set("GET v1/webhooks/deliveries", (_parts, _body, query) => {
    const job = api.jobs.get(query.get("jobId") ?? "");
    return { status: 200, body: { deliveries: job === undefined ? [] : createDeliveries(job, nowMs) } };
  });
  handlers.set("POST v1/webhooks/deliveries/w1/redeliver", () => ({ status: 202, body: {} }));
}

const PAGE_JOBS = 25;

function listJobs(api: MockApi, query: URLSearchParams): unknown {
  const statuses = query.get("status")?.split(",");
  const offset = Number(query.get("cursor") ?? 0);
  const jobs = [...api.jobs.values()]
    .filter(({ status }) => statuses === undefined || statuses.includes(status))
    .toSorted((one, other) => other.createdAt.localeCompare(one.createdAt));
  const end = offset + PAGE_JOBS;
  return { jobs: jobs.slice(offset, end), nextCursor: end < jobs.length ? String(end) : null };
}

function addServerHandlers(api: MockApi, handlers: Map<string, Handler>): void {
  const ok = (body: unknown): MockReply => ({ status: 200, body });
  const keepLetters = (letters: readonly DeadLetterView[]): number => {
    const taken = api.letters.length - letters.length;
    api.letters = letters;
    api.queues = api.queues.map((queue) => ({ ...queue, dead: letters.length, waiting: queue.waiting + taken }));
    return taken;
  };
  handlers.set("GET v1/pipelines", () => ok({ pipelines: createPipelines() }));
  handlers.set("GET v1/objects", (_parts, _body, query) => {
    const key = query.get("prefix") ?? "";
    const bytes = api.objectBytes.get(key);
    return ok({ objects: bytes === undefined ? [] : [{ key, bytes }], nextAfter: null });
  });
  handlers.set("GET v1/queues", () => ok({ queues: api.queues }));
  handlers.set("GET v1/dead-letters", () => ok({ deadLetters: api.letters }));
  handlers.set("POST v1/dead-letters/replay", () => ok({ replayed: keepLetters([]) }));
  handlers.set("GET v1/stats", () => ok(createStats(api.jobs.values())));
  handlers.set("GET v1/system", () => ok(createSystem()));
  handlers.set("GET v1/watch", () => ok(api.watch));
  handlers.set("POST scan-now", () => ({ status: 202, body: {} }));
  handlers.set("POST repair", () => ({ status: 202, body: {} }));
}
