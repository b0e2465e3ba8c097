/**
 * A job of `repair` on 2 GB in an emulated S3, by the worker that a container of AWS Batch runs (`reelmill worker --job`), next to the same repair of
 * a file: `npm run bench:ranged -- [bytes]`. The emulator, which keeps all objects in memory, takes about three times as much of it.
 */
import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { buildApp } from "fauxqs";
import { createS3Client } from "../../src/adapters/aws/bucket.ts";
import { openWorld } from "../../src/apps/lambda/open.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import type { MovedBytes } from "../../src/jobs/object-store.ts";
import { makeTable, startTables } from "../../test/support/aws.ts";
import { watchNodePeak } from "../measuring/node-peak.ts";
import { launcher, quoteForShell, runMeasured } from "../measuring/run.ts";
import { makeLongRecording } from "../repair/long-recording.ts";

const MAX_UPLOADED_SHARE = 0.01;
const MAX_WORKER_BYTES = 256 * 1024 * 1024;
const MEGABYTE = 1e6;
const TIMEOUT_SECONDS = 900;
const KEYS = { input: "uploads/damaged.mp4", reference: "uploads/reference.mp4" };
const BUCKET = "reelmill-bench";
const REGION = "eu-central-1";

const wantedBytes = Number(process.argv[2] ?? 2e9);
const folder = mkdtempSync(join(process.env["REELMILL_BENCH_FOLDER"] ?? tmpdir(), "reelmill-ranged-"));
const at = (name: string): string => join(folder, name);
process.env["AWS_ACCESS_KEY_ID"] ??= "bench";
process.env["AWS_SECRET_ACCESS_KEY"] ??= "bench";

async function digest(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of content) hash.update(chunk);
  return hash.digest("hex");
}

/** The emulator, and what was sent to it: counted at the door, whatever the worker says. */
async function startStorage() {
  const app = buildApp({ logger: false });
  let receivedBytes = 0;
  app.server.on("request", ({ headers }) => {
    receivedBytes += Number(headers["content-length"] ?? 0);
  });
  const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
  const stop = async (): Promise<void> => {
    app.server.closeAllConnections();
    await app.close();
  };
  return { endpoint, receivedBytes: () => receivedBytes, stop };
}

async function measure(): Promise<boolean> {
  makeLongRecording(folder, wantedBytes);
  const payloadBytes = statSync(at("damaged.mp4")).size;
  const local = [launcher(), "repair", at("damaged.mp4"), "-r", at("reference.mp4"), "-o", at("local.mp4")];
  const onFiles = await runMeasured(local.join(" "), at("log"), TIMEOUT_SECONDS);
  const expected = await digest(createReadStream(at("local.mp4")));
  rmSync(at("local.mp4"));
  const [storage, tables] = await Promise.all([startStorage(), startTables()]);
  const client = createS3Client({ region: REGION, endpoint: storage.endpoint });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
  const table = await makeTable(tables.place);
  const environment = {
    REELMILL_BACKEND: "aws",
    ...{ REELMILL_S3_ENDPOINT: storage.endpoint, REELMILL_DYNAMODB_ENDPOINT: tables.place.endpoint ?? "" },
    ...{ AWS_REGION: REGION, S3_BUCKET: BUCKET, DYNAMODB_TABLE: table.name, REELMILL_DATA: at("worker") },
  };
  const { parts, service } = openWorld({ ...process.env, ...environment }, systemClock, () => undefined);
  await parts.objects.putFile(KEYS.input, at("damaged.mp4"));
  await parts.objects.putFile(KEYS.reference, at("reference.mp4"));
  const params = { inputs: [KEYS.input], references: [KEYS.reference] };
  const { job } = await service.submit({ pipeline: "repair", params });
  const before = storage.receivedBytes();
  const peak = watchNodePeak();
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const command = ["env", ...settings.map(quoteForShell), launcher(), "worker", "--job", job.id].join(" ");
  const onS3 = await runMeasured(command, at("log"), TIMEOUT_SECONDS, { watch: peak.sample });
  const sentBytes = storage.receivedBytes() - before;
  if (onS3.exitCode !== 0) throw new Error(`The job failed: ${readFileSync(at("log"), "utf8").trim()}`);
  const [task] = await parts.store.listTasks(job.id, "work");
  const { moved, output } = repaired(task?.output ?? null);
  const isIdentical = (await digest(await parts.objects.read(output))) === expected;
  parts.close();
  await table.remove();
  await Promise.all([storage.stop(), tables.stop()]);
  return report({ payloadBytes, sentBytes, moved, isIdentical, peakBytes: peak.peakBytes(), onS3, onFiles });
}

/** Of what the pipeline gives for a file. */
function repaired(output: Json): { readonly moved: MovedBytes; readonly output: string } {
  return output as unknown as { readonly moved: MovedBytes; readonly output: string };
}

interface Figures {
  readonly payloadBytes: number;
  readonly sentBytes: number;
  readonly moved: MovedBytes;
  readonly isIdentical: boolean;
  readonly peakBytes: number;
  readonly onS3: { readonly wallSeconds: number };
  readonly onFiles: { readonly wallSeconds: number };
}

function report({ payloadBytes, sentBytes, moved, isIdentical, peakBytes, onS3, onFiles }: Figures): boolean {
  const megabytes = (bytes: number): string => `${(bytes / MEGABYTE).toFixed(1)} MB`;
  const share = (bytes: number): string => `${megabytes(bytes)} (${((bytes / payloadBytes) * 100).toFixed(2)} %)`;
  console.log(`damaged object                ${megabytes(payloadBytes)}`);
  console.log(`bodies that reached the store ${share(sentBytes)}`);
  console.log(`uploaded, by the report       ${share(moved.uploadedBytes)}`);
  console.log(`copied by the store           ${share(moved.copiedBytes)}`);
  console.log(`downloaded in ranges          ${share(moved.downloadedBytes)}`);
  console.log(`peak of the worker            ${(peakBytes / 2 ** 20).toFixed(0)} MiB`);
  console.log(
    `time                          ${onS3.wallSeconds.toFixed(1)} s (on files ${onFiles.wallSeconds.toFixed(1)} s)`,
  );
  console.log(`output                        ${isIdentical ? "the same as on files" : "ANOTHER than on files"}`);
  return isIdentical && sentBytes <= MAX_UPLOADED_SHARE * payloadBytes && peakBytes <= MAX_WORKER_BYTES;
}

try {
  process.exitCode = (await measure()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
