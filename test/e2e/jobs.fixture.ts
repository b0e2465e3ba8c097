import { setTimeout as delay } from "node:timers/promises";
import type { RunningServer } from "./server.fixture.ts";

/** What every job tells. */
interface AnyJob {
  readonly id: string;
  readonly status: string;
}

/** How often a job is asked after. */
const INTERVAL_MS = 50;

/** Puts objects and runs jobs on the server that `server` gives once it runs; `Job` is what a test reads of a job. */
export function createJobsClient<Job extends AnyJob>(server: () => Pick<RunningServer, "url">) {
  const at = (path: string): string => `${server().url}/v1/${path}`;
  const get = async <T>(path: string): Promise<T> => (await (await fetch(at(path))).json()) as T;
  const post = async <T>(path: string, body: object): Promise<{ readonly status: number; readonly body: T }> => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(at(path), { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.status, body: (await answer.json()) as T };
  };
  const submit = async (pipeline: string, params: object): Promise<Job> =>
    (await post<Job>("jobs", { pipeline, params })).body;
  const ended = async (id: string): Promise<Job> => {
    for (;;) {
      const job = await get<Job>(`jobs/${id}`);
      if (job.status !== "queued" && job.status !== "running") return job;
      await delay(INTERVAL_MS);
    }
  };
  return {
    get,
    post,
    submit,
    ended,
    /** Throws where the object is not taken. */
    put: async (key: string, body: Buffer): Promise<void> => {
      const { status } = await fetch(at(`objects/${key}`), { method: "PUT", body });
      if (status !== 201) throw new Error(`${key} was answered with ${status}.`);
    },
    /** The bytes of an object. */
    bytes: async (key: string): Promise<Buffer> => Buffer.from(await (await fetch(at(`objects/${key}`))).arrayBuffer()),
    run: async (pipeline: string, params: object): Promise<Job> => await ended((await submit(pipeline, params)).id),
    /** Up to a thousand. */
    listKeys: async (prefix: string): Promise<readonly string[]> => {
      const { objects } = await get<{ objects: readonly { key: string }[] }>(`objects?limit=1000&prefix=${prefix}`);
      return objects.map(({ key }) => key);
    },
  };
}
