import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { environmentOf, makeBucket, makeTable, startStorage, startTables } from "../support/aws.ts";
import { readPage } from "../support/documentation.ts";
import { makeRecordings, type Recordings } from "./recordings.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";
import { startWorker, type WorkerCommand } from "./worker-command.fixture.ts";
import { countPackets, hashOf } from "./workplace.fixture.ts";

const KEY = "the-key-of-the-cloud";
const WITH_KEY = { "x-api-key": KEY };
const CLOUD = { REELMILL_API_KEY_SHA256: createHash("sha256").update(KEY).digest("hex") };
const NAME = "Zürich 1.mp4";
/** The edge looks at its folder every second. */
const WAIT = { timeout: 60_000, interval: 200 };

let root: string;
let recordings: Recordings;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "reelmill-batch-"));
  recordings = makeRecordings(join(root, "recordings"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A server with a store, and what it takes besides. */
interface Cloud {
  readonly server: RunningServer;
  readonly buckets: readonly [input: string, output: string];
  stop(): Promise<unknown>;
}

async function startOnOneMachine(): Promise<Cloud> {
  const server = await startServer(join(root, "machine"), await findFreePort(), CLOUD, null);
  return { server, buckets: ["uploads", "outputs"], stop: server.stop };
}

/** What AWS Batch does with what it is asked for, without the container: runs the command, with the settings of the job definition. */
async function startContainers(definition: Readonly<Record<string, string>>) {
  const workers: WorkerCommand[] = [];
  const service = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    const asked = JSON.parse(text) as { containerOverrides: { command: readonly string[] } };
    const [, ...args] = asked.containerOverrides.command;
    const data = join(root, `container-${workers.length}`);
    workers.push(startWorker({ ...definition, REELMILL_DATA: data }, args));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jobName: "a", jobId: `container-${workers.length}` }));
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  return {
    environment: {
      REELMILL_BATCH_ENDPOINT: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
      BATCH_JOB_QUEUE: "reelmill",
      BATCH_JOB_DEFINITION_REPAIR: "repair:1",
    },
    stop: async (): Promise<void> => {
      expect(workers.length).toBe(2);
      for (const worker of workers) expect((await worker.ended()).status).toBe(0);
      service.closeAllConnections();
      await new Promise((resolve) => service.close(resolve));
    },
  };
}

async function startOnAws(): Promise<Cloud> {
  const [storage, tables] = await Promise.all([startStorage(), startTables()]);
  const [bucket, table] = await Promise.all([makeBucket(storage.place), makeTable(tables.place)]);
  const home = {
    AWS_ACCESS_KEY_ID: "test-key-id",
    AWS_SECRET_ACCESS_KEY: "test-s3cret",
    ...environmentOf({ storage, tables, bucket, table }),
  };
  const containers = await startContainers(home);
  const server = await startServer(
    join(root, "aws"),
    await findFreePort(),
    // All work is left to containers.
    { ...CLOUD, ...home, ...containers.environment, REELMILL_MAX_WORKERS: "0" },
    null,
  );
  const stop = async (): Promise<void> => {
    await server.stop();
    await containers.stop();
    await Promise.all([bucket.remove(), table.remove()]);
    await Promise.all([storage.stop(), tables.stop()]);
  };
  return { server, buckets: [`${bucket.name}/uploads`, `${bucket.name}/outputs`], stop };
}

describe.each([
  ["on one machine", "machine", startOnOneMachine],
  ["on the services of AWS", "aws", startOnAws],
])("a cloud %s", (_what, name, startCloud) => {
  let cloud: Cloud;
  let edge: RunningServer;
  const folder = join("edge of", name);

  beforeAll(async () => {
    mkdirSync(join(root, name));
    mkdirSync(join(root, folder), { recursive: true });
    cloud = await startCloud();
    edge = await startServer(join(root, folder), await findFreePort(), {
      AWS_REPAIR_API_BASE_URL: `${cloud.server.url}/`,
      AWS_API_KEY: KEY,
      SCAN_INTERVAL_SECONDS: "1",
      MIN_FILE_AGE_SECONDS: "0",
    });
  });
  afterAll(async () => {
    await edge?.stop();
    await cloud?.stop();
  });

  it("is used as the guide shows it", async () => {
    const client = join(root, folder, "client");
    mkdirSync(client);
    copyFileSync(recordings.reference, join(client, "healthy.mp4"));
    copyFileSync(recordings.damaged, join(client, "broken.mp4"));
    const blocks = [...readPage("docs/guide/batch-api.md").matchAll(/^```bash\n(.*?)^```$/gms)].map(([, text]) => text);
    expect(blocks.length).toBe(2);
    const env = { ...process.env, SERVER: cloud.server.url, KEY };
    await promisify(execFile)("bash", ["-euo", "pipefail", "-c", blocks.join("\n")], { cwd: client, env });
    expect(countPackets(join(client, "mended.mp4"))).toBeGreaterThan(50);
  });

  it("mends what the edge has no fitting reference for, and the edge brings it home", async () => {
    const good = { method: "PUT", headers: WITH_KEY, body: readFileSync(recordings.reference) };
    expect((await fetch(`${cloud.server.url}/v1/objects/references/camera/good.mp4`, good)).status).toBe(201);
    const share = join(root, folder, "watch");
    // It plays, so that it is offered as a reference; but it is of another camera.
    copyFileSync(recordings.foreign, join(share, "ready", "other camera.mov"));
    copyFileSync(recordings.damaged, join(share, "ready", NAME));
    const reportPath = join(share, "originals", `${NAME}.report.json`);
    await vi.waitFor(() => expect(existsSync(reportPath), edge.errors()).toBe(true), WAIT);
    // On its way a file has a second name.
    await vi.waitFor(() => expect(readdirSync(join(share, "export"))).toEqual([NAME]), WAIT);
    expect(readdirSync(join(share, "ready"))).toEqual(["other camera.mov"]);
    expect(readdirSync(join(share, "quarantine"))).toEqual([]);
    expect(hashOf(join(share, "originals", NAME))).toBe(hashOf(recordings.damaged));
    expect(countPackets(join(share, "export", NAME))).toBeGreaterThan(50);
    const report = JSON.parse(readFileSync(reportPath, "utf8"));
    expect(report).toMatchObject({ outcome: "repaired", repairedBy: "cloud", cloud: { status: "COMPLETED" } });
    const state = await fetch(`${cloud.server.url}/jobs/${report.cloud.job_id}`, { headers: WITH_KEY });
    const [input_bucket, output_bucket] = cloud.buckets;
    expect(await state.json()).toMatchObject({
      ...{ status: "COMPLETED", input_bucket, output_bucket },
      input_prefix: report.cloud.input_prefix,
      reference_file: expect.stringMatching(/^references\//),
      ...{ success_count: 1, failure_count: 0 },
    });
    const written = [edge.errors(), cloud.server.errors(), JSON.stringify(report)].join();
    expect(written).toContain(report.cloud.job_id);
    expect(written).not.toContain(KEY);
    expect(written).not.toMatch(/signature=/i);
  });
});
