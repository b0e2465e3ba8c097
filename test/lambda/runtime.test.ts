import { afterAll, beforeAll, expect, it } from "vitest";
import { type AwsUnderTest, makeTable, startTables, temporaryFolder } from "../support/aws.ts";
import { runFunction } from "./runtime.fixture.ts";

let tables: AwsUnderTest;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  [tables, folder] = await Promise.all([startTables(), temporaryFolder()]);
});

afterAll(async () => {
  await tables.stop();
  await folder.remove();
});

function run(name: string, events: readonly unknown[], environment: Readonly<Record<string, string>>) {
  return runFunction(name, events, {
    AWS_REGION: tables.place.region,
    REELMILL_DATA: folder.path,
    REELMILL_DYNAMODB_ENDPOINT: tables.place.endpoint ?? "",
    ...environment,
  });
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
