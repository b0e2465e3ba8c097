import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { type AwsContainerCounter, createContainerCounter } from "./container-counter.ts";

/** Of the job queue, by state, in pages. */
let jobs: Readonly<Record<string, readonly number[]>>;
let refuses: boolean;
let server: Server;
let endpoint: string;
let counter: AwsContainerCounter;

beforeAll(() => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const SERVICES = {
  gpu: { desiredCount: 3, runningCount: 1, pendingCount: 2 },
  chunks: { desiredCount: 1, runningCount: 1, pendingCount: 0 },
};

/** Batch and ECS as far as they are asked. */
function answer(target: string | undefined, body: Readonly<Record<string, unknown>>): object {
  if (target?.endsWith("DescribeServices")) {
    const [name = ""] = body["services"] as string[];
    return {
      services: name in SERVICES && body["cluster"] === "mill" ? [SERVICES[name as keyof typeof SERVICES]] : [],
    };
  }
  const page = Number(body["nextToken"] ?? 0);
  const pages = jobs[String(body["jobStatus"])] ?? [];
  const jobSummaryList = Array.from({ length: pages[page] ?? 0 }, () => ({ jobId: "a", jobName: "b" }));
  return { jobSummaryList, ...(page + 1 < pages.length ? { nextToken: String(page + 1) } : {}) };
}

beforeEach(async () => {
  jobs = {};
  refuses = false;
  server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    response.setHeader("content-type", "application/json");
    if (refuses) response.writeHead(403, { "x-amzn-errortype": "AccessDeniedException" }).end("{}");
    else response.end(JSON.stringify(answer(request.headers["x-amz-target"]?.toString(), JSON.parse(text))));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  counter = create("q", ["gpu", "chunks"]);
});
function create(jobQueue: string | undefined, names: readonly string[]): AwsContainerCounter {
  const place = { region: "eu-central-1", batchEndpoint: endpoint, ecsEndpoint: endpoint };
  return createContainerCounter(place, { jobQueue, services: names.map((service) => ({ cluster: "mill", service })) });
}

const { signal } = new AbortController();

afterEach(async () => {
  counter.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

it("adds up jobs of the queue, over all pages and states that are not over, and the services", async () => {
  jobs = {
    RUNNING: [100, 20],
    RUNNABLE: [5],
    STARTING: [1],
    SUBMITTED: [2],
    PENDING: [],
    SUCCEEDED: [40],
    FAILED: [3],
  };
  expect(await counter.count(signal)).toEqual({ desired: 4 + 128, running: 2 + 120, pending: 2 + 8 });
});

it("counts nothing where nothing is", async () => {
  const none = create(undefined, []);
  expect(await none.count(signal)).toEqual({ desired: 0, running: 0, pending: 0 });
  none.close();
});

it("names a service that is not there", async () => {
  const wrong = create("q", ["gpu", "gone"]);
  await expect(wrong.count(signal)).rejects.toMatchObject({ code: "STORE_REFUSED", message: /mill\/gone/ });
  wrong.close();
});

it("gives up when it is told to", async () => {
  await expect(counter.count(AbortSignal.abort())).rejects.toThrow();
});

it("says where it may not ask", async () => {
  refuses = true;
  await expect(counter.count(signal)).rejects.toMatchObject({ code: "STORE_REFUSED" });
});
