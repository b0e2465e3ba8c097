/**
 * A repair of 2 GB on an emulated S3, in a process of its own, next to the same one of a file: `npm run bench:ranged -- [bytes]`. The
 * emulator, which keeps all objects in memory, takes about three times as much of it.
 */
import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { buildApp } from "fauxqs";
import { createS3Client } from "../../src/adapters/aws/bucket.ts";
import { createS3ObjectStore } from "../../src/adapters/aws/object-store.ts";
import type { MovedBytes } from "../../src/jobs/object-store.ts";
import { watchNodePeak } from "../measuring/node-peak.ts";
import { launcher, quoteForShell, runMeasured } from "../measuring/run.ts";
import { makeLongRecording } from "../repair/long-recording.ts";

const MAX_UPLOADED_SHARE = 0.01;
const MAX_WORKER_BYTES = 256 * 1024 * 1024;
const MEGABYTE = 1e6;
const TIMEOUT_SECONDS = 900;
const KEYS = { input: "uploads/damaged.mp4", reference: "uploads/reference.mp4", output: "outputs/repaired.mp4" };
const BUCKET = "reelmill-bench";

const ROOT = new URL("../../", import.meta.url);
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
  const storage = await startStorage();
  const client = createS3Client({ region: "eu-central-1", endpoint: storage.endpoint });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const objects = createS3ObjectStore({ bucket: { client, name: BUCKET }, workFolder: at("lent") });
  await objects.putFile(KEYS.input, at("damaged.mp4"));
  await objects.putFile(KEYS.reference, at("reference.mp4"));
  const before = storage.receivedBytes();
  const peak = watchNodePeak();
  // As the launcher starts it.
  process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("node_modules/.reelmill/compile-cache", ROOT));
  const job = fileURLToPath(new URL("test/support/work-on-s3.ts", ROOT));
  const words = [process.execPath, "--max-semi-space-size=2", job, storage.endpoint, BUCKET];
  const command = [...words, at("worker"), KEYS.input, KEYS.reference, KEYS.output].map(quoteForShell).join(" ");
  const onS3 = await runMeasured(command, at("log"), TIMEOUT_SECONDS, peak.sample);
  const sentBytes = storage.receivedBytes() - before;
  const said = readFileSync(at("log"), "utf8").trim();
  if (onS3.exitCode !== 0) throw new Error(`The job failed: ${said}`);
  const { moved } = JSON.parse(said.split("\n").at(-1) ?? "") as { readonly moved: MovedBytes };
  const isIdentical = (await digest(await objects.read(KEYS.output))) === expected;
  client.destroy();
  await storage.stop();
  return report({ payloadBytes, sentBytes, moved, isIdentical, peakBytes: peak.peakBytes(), onS3, onFiles });
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
