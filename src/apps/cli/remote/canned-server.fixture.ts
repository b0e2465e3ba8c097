import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CliContext } from "../cli-context.ts";
import { runProgram } from "../program.ts";
import { createRecordingContext, type RecordingContext } from "../recording-context.fixture.ts";

/** A request as it came. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Answers a request: with JSON, or by hand where it gives undefined. */
type Handler = (request: SeenRequest, response: ServerResponse) => unknown;

/** A server that answers as a test wants. */
export interface CannedServer {
  readonly address: string;
  readonly requests: SeenRequest[];
  close(): Promise<void>;
}

/** Starts a server on the loopback; routes are `METHOD /path` without the query, `*` for one part of a path. */
export async function startCannedServer(routes: Readonly<Record<string, Handler>>): Promise<CannedServer> {
  const requests: SeenRequest[] = [];
  const find = (method: string, path: string): Handler | undefined =>
    Object.entries(routes).find(([route]) => {
      const pattern = route.replaceAll(/[.]/g, "\\.").replaceAll("*", "[^/]+");
      return new RegExp(`^${pattern}$`).test(`${method} ${path}`);
    })?.[1];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk);
    } catch {
      return;
    }
    const { method = "", url = "", headers } = incoming;
    const request = { method, url, headers, body: Buffer.concat(chunks) };
    requests.push(request);
    const handler = find(method, url.split("?")[0] ?? "");
    if (handler === undefined) return sendProblem(response, 404, "NOT_FOUND", `Nothing at ${method} ${url}.`);
    const answer = handler(request, response);
    if (answer !== undefined) sendJson(response, 200, answer);
  });
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((settle) => server.close(settle));
    },
  };
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** Answers with a problem document. */
export function sendProblem(response: ServerResponse, status: number, code: string, detail: string): void {
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify({ type: `/docs/errors#${code}`, title: code, status, detail, code }));
}

/** How a command ended and what it wrote. */
export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
  readonly error: string;
  readonly context: RecordingContext;
}

/** Runs a command against a server. */
export async function runAgainst(
  server: Pick<CannedServer, "address">,
  args: readonly string[],
  overrides: Partial<CliContext> = {},
): Promise<Outcome> {
  const context = createRecordingContext({
    isErrorTerminal: false,
    ...overrides,
    environment: { REELMILL_SERVER: server.address, ...overrides.environment },
  });
  const exitCode = await runProgram(args, "0.0.0", context);
  return { exitCode, output: context.written.output, error: context.written.error, context };
}

/** A job as the server tells of it. */
export function cannedJob(changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    id: "01920000-0000-7000-8000-000000000001",
    pipeline: "repair",
    params: { inputs: ["uploads/1/a.mp4"] },
    status: "running",
    stage: "work",
    progress: 0.5,
    tasks: { total: 2, succeeded: 1, failed: 0 },
    priority: 0,
    idempotencyKey: null,
    parentJobId: null,
    attempt: 1,
    createdAt: "2026-01-31T12:00:00.000Z",
    startedAt: "2026-01-31T12:00:01.000Z",
    finishedAt: null,
    updatedAt: "2026-01-31T12:00:02.000Z",
    etaSeconds: 90,
    error: null,
    result: null,
    webhook: null,
    ...changes,
  };
}

/** A task of that job. */
export function cannedTask(changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    stage: "work",
    index: 0,
    label: "a.mp4",
    status: "succeeded",
    attempt: 1,
    failures: 0,
    input: null,
    output: null,
    error: null,
    progress: 1,
    phase: "",
    weight: 1,
    startedAt: null,
    finishedAt: null,
    ...changes,
  };
}

/** The message of that task. */
export function cannedMessage(changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const sentAt = "2026-01-31T12:00:00.000Z";
  return { stage: "work", index: 0, state: "due", until: null, holder: null, receiveCount: 1, sentAt, ...changes };
}

/** A queue as the server tells of it. */
export function cannedQueue(changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { queue: "repair", waiting: 3, inFlight: 1, dead: 2, isPaused: false, oldestSentAt: null, ...changes };
}

/** A dead letter as the server tells of it. */
export function cannedLetter(id: number): Readonly<Record<string, unknown>> {
  return {
    id,
    queue: "repair",
    jobId: "01920000-0000-7000-8000-000000000001",
    stage: "work",
    index: 1,
    receiveCount: 3,
    sentAt: "2026-01-31T12:00:00.000Z",
    deadAt: "2026-01-31T12:10:00.000Z",
    reason: { code: "WORKER_LOST", message: "Gone\u001b[31m." },
  };
}
