import { ApiError } from "./api-error.ts";
import type { SendRequest } from "./client.ts";
import { baseName, objectUrl } from "./object-urls.ts";
import type {
  DeadLetterView,
  DeliveryView,
  EstimateView,
  EventView,
  JobPage,
  JobStatus,
  JobView,
  LentView,
  LogLine,
  MultipartView,
  NewJob,
  ObjectView,
  PipelineView,
  QueueView,
  StatsView,
  SystemView,
  TaskView,
  WatchView,
} from "./types.ts";

/** Which jobs to list. */
export interface JobFilter {
  readonly pipeline?: string | undefined;
  readonly statuses?: readonly JobStatus[] | undefined;
  readonly cursor?: string | undefined;
}

/** What can be asked of the server; every call throws an ApiError where it fails. */
export interface Api {
  readonly openSession: (apiKey: string) => Promise<void>;
  readonly closeSession: () => Promise<void>;
  readonly listJobs: (filter: JobFilter, signal?: AbortSignal) => Promise<JobPage>;
  readonly getJob: (id: string, signal?: AbortSignal) => Promise<JobView>;
  /** What a job would cost on AWS; makes none. */
  readonly estimateCost: (job: Pick<NewJob, "pipeline" | "params">, signal?: AbortSignal) => Promise<EstimateView>;
  readonly createJob: (job: NewJob, idempotencyKey: string) => Promise<JobView>;
  readonly changeJob: (id: string, change: "cancel" | "retry" | "replay") => Promise<JobView>;
  readonly listTasks: (id: string, signal?: AbortSignal) => Promise<readonly TaskView[]>;
  readonly listEvents: (id: string, signal?: AbortSignal) => Promise<readonly EventView[]>;
  readonly listLogs: (id: string, signal?: AbortSignal) => Promise<readonly LogLine[]>;
  readonly listPipelines: (signal?: AbortSignal) => Promise<readonly PipelineView[]>;
  /** How files get to the server: in parts, or to its store by links of `lendUpload`. */
  readonly findUploadWay: () => Promise<"parts" | "link">;
  /** Whether it is there or not. */
  readonly removeObject: (key: string) => Promise<void>;
  /** A link to write one object below `uploads/` by, and what the request has to carry; or an upload in parts that was begun. */
  readonly lendUpload: (key: string, bytes: number, signal?: AbortSignal) => Promise<LentView | MultipartView>;
  /** A link to write one part by, whose number is from 1. */
  readonly lendPart: (
    part: UploadInParts & { readonly part_number: number },
    signal?: AbortSignal,
  ) => Promise<LentView>;
  readonly completeUpload: (
    parts: UploadInParts & { readonly etags: readonly string[] },
    signal?: AbortSignal,
  ) => Promise<void>;
  readonly abortUpload: (upload: Omit<UploadInParts, "size_bytes">) => Promise<void>;
  readonly listQueues: (signal?: AbortSignal) => Promise<readonly QueueView[]>;
  readonly changeQueue: (queue: string, change: "pause" | "resume") => Promise<void>;
  readonly listDeadLetters: (signal?: AbortSignal) => Promise<readonly DeadLetterView[]>;
  readonly replayDeadLetter: (id: number) => Promise<void>;
  /** Of one queue, or of all; how many were put back. */
  readonly replayDeadLetters: (queue: string | null) => Promise<number>;
  readonly discardDeadLetter: (id: number) => Promise<void>;
  readonly getStats: (signal?: AbortSignal) => Promise<StatsView>;
  readonly getSystem: (signal?: AbortSignal) => Promise<SystemView>;
  readonly getWatch: (signal?: AbortSignal) => Promise<WatchView>;
  readonly scanNow: () => Promise<void>;
  readonly repairWatched: (file: string) => Promise<void>;
  readonly listDeliveries: (jobId: string, signal?: AbortSignal) => Promise<readonly DeliveryView[]>;
  readonly redeliver: (id: string) => Promise<void>;
  /** Length of a stored object in bytes; null where it is gone or the server does not tell. */
  readonly findObjectBytes: (key: string, signal?: AbortSignal) => Promise<number | null>;
  /** A stored object as text; refuses with TOO_LARGE what nobody writes by hand or for a player. */
  readonly readObjectText: (key: string, signal?: AbortSignal) => Promise<string>;
}

/** An upload in parts, as the server names it. */
interface UploadInParts {
  readonly key: string;
  readonly upload_id: string;
  readonly size_bytes: number;
}

const LOG_LINES = 500;
const PAGE_JOBS = 25;
const MAX_TEXT_BYTES = 8_000_000;

/** The calls of the API over a way to send requests. */
export function createApi(send: SendRequest): Api {
  const read = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
    (await (await send("GET", path, { signal })).json()) as T;
  const post = (path: string, body?: unknown): Promise<Response> =>
    send("POST", path, body === undefined ? {} : { body });
  return { ...createJobCalls(send, read, post), ...createServerCalls(send, read, post) };
}

type Read = <T>(path: string, signal?: AbortSignal) => Promise<T>;
type Post = (path: string, body?: unknown) => Promise<Response>;
type JobCalls = Pick<
  Api,
  | "openSession"
  | "closeSession"
  | "listJobs"
  | "getJob"
  | "estimateCost"
  | "createJob"
  | "changeJob"
  | "listTasks"
  | "listEvents"
  | "listLogs"
  | "listPipelines"
  | "findUploadWay"
  | "lendUpload"
  | "lendPart"
  | "completeUpload"
  | "abortUpload"
  | "removeObject"
  | "listDeliveries"
  | "redeliver"
  | "findObjectBytes"
  | "readObjectText"
>;

function createJobCalls(send: SendRequest, read: Read, post: Post): JobCalls {
  const jobPath = (id: string): string => `/v1/jobs/${encodeURIComponent(id)}`;
  return {
    openSession: async (apiKey) => void (await post("/v1/session", { apiKey })),
    closeSession: async () => void (await send("DELETE", "/v1/session")),
    listJobs: (filter, signal) => read(`/v1/jobs?${jobQuery(filter)}`, signal),
    getJob: (id, signal) => read(jobPath(id), signal),
    estimateCost: async (job, signal) =>
      (await (await send("POST", "/v1/estimates", { body: job, signal })).json()) as EstimateView,
    createJob: async (job, idempotencyKey) => {
      const headers = { "Idempotency-Key": idempotencyKey };
      return (await (await send("POST", "/v1/jobs", { body: job, headers })).json()) as JobView;
    },
    changeJob: async (id, change) => (await (await post(`${jobPath(id)}/${change}`)).json()) as JobView,
    listTasks: async (id, signal) => (await read<{ tasks: TaskView[] }>(`${jobPath(id)}/tasks`, signal)).tasks,
    listEvents: async (id, signal) => (await read<{ events: EventView[] }>(`${jobPath(id)}/events`, signal)).events,
    listLogs: async (id, signal) =>
      (await read<{ lines: LogLine[] }>(`${jobPath(id)}/logs?limit=${LOG_LINES}`, signal)).lines,
    // Servers that say nothing of it take parts.
    findUploadWay: async () =>
      (await read<{ uploads?: { by: "parts" | "link" } }>("/v1/pipelines")).uploads?.by ?? "parts",
    removeObject: async (key) => {
      try {
        await send("DELETE", objectUrl(key));
      } catch (error) {
        if (!(error instanceof ApiError && error.code === "OBJECT_NOT_FOUND")) throw error;
      }
    },
    lendUpload: async (key, bytes, signal) => {
      const body = { key, size_bytes: bytes, multipart: true };
      return (await (await send("POST", "/upload-url", { body, signal })).json()) as LentView | MultipartView;
    },
    lendPart: async (body, signal) =>
      (await (await send("POST", "/upload-part-url", { body, signal })).json()) as LentView,
    completeUpload: async (body, signal) => void (await send("POST", "/complete-upload", { body, signal })),
    abortUpload: async (body) => void (await send("POST", "/abort-upload", { body })),
    listPipelines: async (signal) => (await read<{ pipelines: PipelineView[] }>("/v1/pipelines", signal)).pipelines,
    listDeliveries: async (jobId, signal) => {
      const path = `/v1/webhooks/deliveries?jobId=${encodeURIComponent(jobId)}`;
      return (await read<{ deliveries: DeliveryView[] }>(path, signal)).deliveries;
    },
    redeliver: async (id) => void (await post(`/v1/webhooks/deliveries/${encodeURIComponent(id)}/redeliver`)),
    findObjectBytes: async (key, signal) => {
      // Not by HEAD: a function's answer has the length of its own body, which is none.
      const path = `/v1/objects?limit=1&prefix=${encodeURIComponent(key)}`;
      const [found] = (await read<{ objects: readonly ObjectView[] }>(path, signal)).objects;
      return found?.key === key ? found.bytes : null;
    },
    readObjectText: async (key, signal) => {
      const response = await send("GET", objectUrl(key), { signal, headers: { accept: "*/*" }, isOfObject: true });
      const bytes = Number(response.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
      if (bytes <= MAX_TEXT_BYTES) return await response.text();
      await response.body?.cancel();
      throw new ApiError("TOO_LARGE", response.status, `${baseName(key)} is too large to be shown.`);
    },
  };
}

function createServerCalls(send: SendRequest, read: Read, post: Post): Omit<Api, keyof JobCalls> {
  return {
    listQueues: async (signal) => (await read<{ queues: QueueView[] }>("/v1/queues", signal)).queues,
    changeQueue: async (queue, change) => void (await post(`/v1/queues/${encodeURIComponent(queue)}/${change}`)),
    listDeadLetters: async (signal) =>
      (await read<{ deadLetters: DeadLetterView[] }>("/v1/dead-letters", signal)).deadLetters,
    replayDeadLetter: async (id) => void (await post(`/v1/dead-letters/${id}/replay`)),
    replayDeadLetters: async (queue) => {
      const response = await post("/v1/dead-letters/replay", queue === null ? {} : { queue });
      return ((await response.json()) as { replayed: number }).replayed;
    },
    discardDeadLetter: async (id) => void (await send("DELETE", `/v1/dead-letters/${id}`)),
    getStats: (signal) => read("/v1/stats", signal),
    getSystem: (signal) => read("/v1/system", signal),
    getWatch: (signal) => read("/v1/watch", signal),
    scanNow: async () => void (await post("/scan-now")),
    repairWatched: async (file) => void (await post("/repair", { file })),
  };
}

function jobQuery({ pipeline, statuses, cursor }: JobFilter): URLSearchParams {
  const query = new URLSearchParams({ limit: String(PAGE_JOBS) });
  if (pipeline !== undefined) query.set("pipeline", pipeline);
  if (statuses !== undefined && statuses.length > 0) query.set("status", statuses.join(","));
  if (cursor !== undefined) query.set("cursor", cursor);
  return query;
}
