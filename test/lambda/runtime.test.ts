import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AwsUnderTest, makeTable, startTables, temporaryFolder } from "../support/aws.ts";
import { ROOT } from "../support/documentation.ts";

/** What a function told Lambda. */
interface Told {
  readonly path: string;
  readonly body: unknown;
}

let tables: AwsUnderTest;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  [tables, folder] = await Promise.all([startTables(), temporaryFolder()]);
});

afterAll(async () => {
  await tables.stop();
  await folder.remove();
});

/** Lambda's side of its Runtime API: hands out the events given, then none any more, and hears what is told. */
async function startLambda(events: readonly unknown[]): Promise<{ server: Server; told: Told[] }> {
  const told: Told[] = [];
  let given = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === "GET") {
      // The last question is left open, as while nobody calls.
      if (given === events.length) return;
      const headers = {
        "lambda-runtime-aws-request-id": `request-${given}`,
        "lambda-runtime-deadline-ms": String(Date.now() + 60_000),
      };
      response.writeHead(200, headers).end(JSON.stringify(events[given++]));
      return;
    }
    let body = "";
    for await (const piece of request) body += String(piece);
    told.push({ path: request.url ?? "", body: JSON.parse(body) });
    response.writeHead(202).end();
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, told };
}

async function run(name: string, events: readonly unknown[], environment: Readonly<Record<string, string>>) {
  const { server, told } = await startLambda(events);
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [join(ROOT, "src/apps/lambda/main.ts"), name], {
    env: {
      ...{ PATH, NODE_COMPILE_CACHE },
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: tables.place.region,
      REELMILL_DATA: folder.path,
      REELMILL_DYNAMODB_ENDPOINT: tables.place.endpoint ?? "",
      ...environment,
    },
    stdio: "ignore",
  });
  const ended = once(child, "exit");
  await Promise.race([ended, expect.poll(() => told.length).toBeGreaterThanOrEqual(Math.max(1, events.length))]);
  child.kill();
  await ended;
  server.closeAllConnections();
  server.close();
  return told;
}

it("answers Lambda call by call, failures by the code of what failed, and goes on behind them", async () => {
  const table = await makeTable(tables.place);
  const job = { jobId: "01990000-0000-7000-8000-000000000000", stage: "plan", index: 0 };
  const failure = { jobId: job.jobId, failure: { Error: "States.Timeout" } };
  const told = await run("state", [job, {}, failure], {
    ...{ REELMILL_BACKEND: "aws", S3_BUCKET: "bucket", DYNAMODB_TABLE: table.name },
  });
  expect(told).toMatchObject([
    { path: "/2018-06-01/runtime/invocation/request-0/error", body: { errorType: "JOB_NOT_FOUND" } },
    { path: "/2018-06-01/runtime/invocation/request-1/error", body: { errorType: "REQUEST_INVALID" } },
    { path: "/2018-06-01/runtime/invocation/request-2/response", body: { jobId: job.jobId } },
  ]);
  await table.remove();
});

it("tells Lambda why it cannot begin", async () => {
  expect(await run("state", [], {})).toMatchObject([
    { path: "/2018-06-01/runtime/init/error", body: { errorType: "CONFIG_INVALID" } },
  ]);
  expect(await run("unknown", [], {})).toMatchObject([{ body: { errorType: "USAGE" } }]);
});
