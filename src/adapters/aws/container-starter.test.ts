import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { type BatchStarter, createBatchStarter } from "./container-starter.ts";

const WISH = {
  jobId: "0190a1b2-0000-7000-8000-000000000000",
  pipeline: "repair",
  name: "untrunc-0123456789ab",
  size: { vcpu: 8, memoryMb: 32_768 },
};
const TAKEN = { jobArn: "arn:aws:batch:x", jobName: WISH.name, jobId: "12345678-1234-1234-1234-123456789012" };

let server: Server;
let starter: BatchStarter;
let seen: { readonly request: IncomingMessage; readonly body: unknown }[];
let answers: (readonly [status: number, body: object])[];

beforeAll(() => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
});
afterAll(() => {
  vi.unstubAllEnvs();
});

beforeEach(async () => {
  seen = [];
  answers = [];
  server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    seen.push({ request, body: JSON.parse(text) });
    const [status, body] = answers.shift() ?? [200, TAKEN];
    const type = status === 200 ? {} : { "x-amzn-errortype": status < 500 ? "ClientException" : "ServerException" };
    response.writeHead(status, { "content-type": "application/json", ...type }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const target = {
    jobQueue: "arn:aws:batch:eu-central-1:1:job-queue/q",
    jobDefinitions: { repair: "repair:3", convert: "convert:4" },
    diskDefinitions: {
      repair: [
        { storageGb: 200, jobDefinition: "repair-200:1" },
        { storageGb: 30, jobDefinition: "repair-30:1" },
        { storageGb: 60, jobDefinition: "repair-60:1" },
      ],
    },
  };
  starter = createBatchStarter({ region: "eu-central-1", endpoint }, target);
});
afterEach(async () => {
  starter.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

it("asks AWS Batch for a container of the job's own size that works at the job", async () => {
  expect(await starter.start(WISH)).toBe(TAKEN.jobId);
  expect(seen.map(({ request: { method, url } }) => `${method} ${url}`)).toEqual(["POST /v1/submitjob"]);
  expect(seen[0]?.body).toEqual({
    jobName: "untrunc-0123456789ab",
    jobQueue: "arn:aws:batch:eu-central-1:1:job-queue/q",
    jobDefinition: "repair:3",
    containerOverrides: {
      command: ["worker", "--job", WISH.jobId],
      resourceRequirements: [
        { type: "VCPU", value: "8" },
        { type: "MEMORY", value: "32768" },
      ],
      environment: [{ name: "REELMILL_MAX_WORKERS", value: "8" }],
    },
  });
  expect(seen[0]?.request.headers.authorization).toContain("/eu-central-1/batch/aws4_request");
});

it("chooses the definition by the least disk that is enough, or else the most", async () => {
  for (const storageGb of [21, 30, 31, 70, 300, undefined]) {
    await starter.start({ ...WISH, size: { ...WISH.size, storageGb } });
  }
  await starter.start({ ...WISH, pipeline: "convert", size: { ...WISH.size, storageGb: 200 } });
  const chosen = seen.map(({ body }) => (body as { readonly jobDefinition: string }).jobDefinition);
  expect(chosen).toEqual([
    ...["repair-30:1", "repair-30:1", "repair-60:1", "repair-200:1", "repair-200:1"],
    ...["repair:3", "convert:4"],
  ]);
});

it("asks again what failed for a while, and tells what is refused", async () => {
  answers.push([500, { message: "busy" }]);
  expect(await starter.start(WISH)).toBe(TAKEN.jobId);
  expect(seen).toHaveLength(2);
  answers.push([400, { message: "no such queue" }]);
  await expect(starter.start(WISH)).rejects.toMatchObject({ code: "STORE_REFUSED" });
  expect(seen).toHaveLength(3);
  answers.push([200, {}]);
  await expect(starter.start(WISH)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
});

it("leaves the size to the definition where none is wished, and starts nothing that has none", async () => {
  await starter.start({ ...WISH, pipeline: "convert", size: undefined });
  expect(seen[0]?.body).toMatchObject({ jobDefinition: "convert:4" });
  expect(seen[0]?.body).toHaveProperty("containerOverrides", { command: ["worker", "--job", WISH.jobId] });
  await expect(starter.start({ ...WISH, pipeline: "hls" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  expect(seen).toHaveLength(1);
});

it("tells how containers are, a hundred at a time, and nothing of those that are not known", async () => {
  const statuses = ["RUNNABLE", "RUNNING", "SUCCEEDED", "FAILED"];
  const jobs = statuses.map((status) => ({ jobId: status, status, statusReason: "Host terminated" }));
  answers.push([200, { jobs }], [200, {}]);
  const states = await starter.look([...statuses, ...Array.from({ length: 97 }, (_, index) => `gone-${index}`)]);
  expect([...states].map(([id, { hasEnded }]) => [id, hasEnded])).toEqual([
    ["RUNNABLE", false],
    ["RUNNING", false],
    ["SUCCEEDED", true],
    ["FAILED", true],
  ]);
  expect(states.get("FAILED")?.reason).toBe("Host terminated");
  expect(seen.map(({ request, body }) => [request.url, (body as { jobs: unknown[] }).jobs.length])).toEqual([
    ["/v1/describejobs", 100],
    ["/v1/describejobs", 1],
  ]);
});
