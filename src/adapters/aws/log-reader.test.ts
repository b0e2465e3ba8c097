import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { type CloudLogReader, createCloudLogReader } from "./log-reader.ts";

const JOB = "0190a1b2-0000-7000-8000-000000000000";
const T0 = Date.parse("2026-01-31T12:00:00.000Z");

/** What is asked of CloudWatch Logs. */
interface Question {
  readonly logGroupName: string;
  readonly filterPattern: string;
  readonly startTime: number;
  readonly endTime?: number;
  readonly startFromHead: boolean;
  readonly limit: number;
  readonly nextToken?: string;
}

let server: Server;
let reader: CloudLogReader;
let questions: Question[];
let targets: (string | undefined)[];
/** What the groups hold, by name; a page has two. */
let groups: Record<string, readonly string[]>;

beforeAll(() => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
});
afterAll(() => {
  vi.unstubAllEnvs();
});

function line(second: number, message: string, fields: object = {}): string {
  const timestamp = new Date(T0 + second * 1000).toISOString();
  return JSON.stringify({ level: "info", timestamp, job_id: JOB, ...fields, message });
}

/** As the service answers: the pattern compares one field of lines that are JSON, the last come first, some pages are empty. */
function answer(question: Question): object | undefined {
  const lines = groups[question.logGroupName];
  if (lines === undefined) return undefined;
  const wanted = /^\{ \$\.job_id = "([^"]*)" \}$/.exec(question.filterPattern)?.[1];
  const events = lines
    .map((message) => ({ message, timestamp: Date.parse(JSON.parse(message).timestamp) }))
    .filter(({ message }) => JSON.parse(message).job_id === wanted)
    .filter(({ timestamp }) => timestamp >= question.startTime && timestamp <= (question.endTime ?? timestamp))
    .sort((a, b) => (question.startFromHead ? 1 : -1) * (a.timestamp - b.timestamp));
  const [start, isEmpty] = question.nextToken === undefined ? [0, true] : [Number(question.nextToken), false];
  const end = isEmpty ? 0 : start + Math.min(2, question.limit);
  return { events: events.slice(start, end), ...(end < events.length ? { nextToken: String(end) } : {}) };
}

beforeEach(async () => {
  [questions, targets, groups] = [[], [], {}];
  server = createServer(async (request: IncomingMessage, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    const question = JSON.parse(text) as Question;
    questions.push(question);
    targets.push(String(request.headers["x-amz-target"]));
    const body = answer(question);
    const [status, sent] =
      body === undefined ? [400, { __type: "ResourceNotFoundException", message: "no such group" }] : [200, body];
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(sent));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  reader = createCloudLogReader({ region: "eu-central-1", endpoint }, ["/workers", "/api"]);
});
afterEach(async () => {
  reader.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function messages(lines: readonly unknown[]): readonly unknown[] {
  return lines.map((each) => (each as { readonly message: unknown }).message);
}

it("gives the job's lines of all groups in the order of time, page by page", async () => {
  groups["/workers"] = [1, 3, 5, 7, 9].map((second) => line(second, `w${second}`));
  groups["/api"] = [line(0, "a0"), line(4, "another job's", { job_id: "other" }), line(6, "a6")];
  const lines = await reader.read({ jobId: JOB, limit: 100, fromMs: T0, untilMs: undefined });
  expect(messages(lines)).toEqual(["a0", "w1", "w3", "w5", "a6", "w7", "w9"]);
  expect(lines[1]).toEqual(JSON.parse(line(1, "w1")));
  expect(new Set(targets)).toEqual(new Set(["Logs_20140328.FilterLogEvents"]));
});

it("asks for the last lines of the time that is wanted, and for no more than are", async () => {
  groups["/workers"] = [1, 3, 5, 7, 9].map((second) => line(second, `w${second}`));
  groups["/api"] = [];
  const query = { jobId: JOB, fromMs: T0 + 2000, untilMs: T0 + 8000 };
  expect(messages(await reader.read({ ...query, limit: 100 }))).toEqual(["w3", "w5", "w7"]);
  questions.length = 0;
  expect(messages(await reader.read({ ...query, limit: 2 }))).toEqual(["w5", "w7"]);
  const asked = questions.filter(({ logGroupName }) => logGroupName === "/workers");
  expect(asked.map(({ limit, startFromHead, nextToken }) => [limit, startFromHead, nextToken])).toEqual([
    [2, false, undefined],
    [2, false, "0"],
  ]);
});

it("ends where a group is too large, and says so", async () => {
  groups["/workers"] = Array.from({ length: 200 }, (_, second) => line(second, `w${second}`));
  groups["/api"] = [];
  const lines = await reader.read({ jobId: JOB, limit: 1000, fromMs: T0, untilMs: undefined });
  expect(questions.filter(({ logGroupName }) => logGroupName === "/workers")).toHaveLength(40);
  expect(lines).toHaveLength(79);
  expect(lines[0]).toMatchObject({ level: "warn", message: expect.stringContaining("/workers"), job_id: JOB });
  expect(messages(lines.slice(1, 3))).toEqual(["w122", "w123"]);
});

it("gives what is no line of Reelmill's the fields that every line has", async () => {
  groups["/workers"] = [JSON.stringify({ job_id: JOB, timestamp: new Date(T0 + 1000).toISOString(), note: 1 })];
  groups["/api"] = [];
  const [given] = await reader.read({ jobId: JOB, limit: 10, fromMs: T0, untilMs: undefined });
  expect(given).toMatchObject({ timestamp: "2026-01-31T12:00:01.000Z", level: "info", note: 1, job_id: JOB });
});

it("names the group that is not there, and asks nothing about what is no id", async () => {
  groups["/workers"] = [];
  const asking = reader.read({ jobId: JOB, limit: 10, fromMs: T0, untilMs: undefined });
  await expect(asking).rejects.toMatchObject({ code: "STORE_REFUSED", message: expect.stringContaining('"/api"') });
  questions.length = 0;
  expect(await reader.read({ jobId: 'a" || $.x = "', limit: 10, fromMs: T0, untilMs: undefined })).toEqual([]);
  expect(questions).toEqual([]);
});
