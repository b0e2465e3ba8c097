import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import dynalite from "dynalite";
import { buildApp } from "fauxqs";
import { type Bucket, createS3Client } from "../../src/adapters/aws/bucket.ts";
import { type AwsPlace, clientSettings } from "../../src/adapters/aws/connection.ts";
import { createTableClient, type Table } from "../../src/adapters/aws/table.ts";
import { createTable } from "../../src/adapters/aws/table-layout.ts";
import { endpointUnderTest } from "./endpoints.ts";

/** What the tests of the AWS adapters talk to. */
export interface AwsUnderTest {
  readonly place: AwsPlace;
  stop(): Promise<void>;
}

/** S3, and what lies beside it. */
export interface StorageUnderTest extends AwsUnderTest {
  /** SQS. */
  readonly queues: AwsPlace;
  /** SNS. */
  readonly topics: AwsPlace;
  /** SQS as that SNS reaches it: an emulator gives news to queues of its own alone. */
  readonly subscribers: AwsPlace;
}

/** Whether objects lie in the emulator of this repository, which checks no signature. */
export const isEmulated = endpointUnderTest("s3") === undefined;

const REGION = process.env["AWS_REGION"] || "eu-central-1";

/** The emulators ask for some; what is set wins. */
export function setCredentials(): void {
  process.env["AWS_ACCESS_KEY_ID"] ??= "test";
  process.env["AWS_SECRET_ACCESS_KEY"] ??= "test";
}

/**
 * S3, SQS and SNS on a port of loopback, or each at the endpoint that the environment names; on wish pages of others may ask the emulator, as the bucket's
 * rules say.
 */
export async function startStorage({ takesPages = false } = {}): Promise<StorageUnderTest> {
  setCredentials();
  const [s3, sqs, sns] = [endpointUnderTest("s3"), endpointUnderTest("sqs"), endpointUnderTest("sns")];
  const isWanted = [s3, sqs, sns].includes(undefined);
  const emulator = isWanted ? await startEmulator(takesPages) : { endpoint: undefined, stop: async () => undefined };
  const at = (endpoint = emulator.endpoint): AwsPlace => ({ region: REGION, endpoint });
  const subscribers = sns === undefined ? at() : at(sqs);
  return { place: at(s3), queues: at(sqs), topics: at(sns), subscribers, stop: emulator.stop };
}

async function startEmulator(takesPages: boolean) {
  // Not `startFauxqs`, which listens at every address.
  const app = buildApp({ logger: false, defaultRegion: REGION });
  if (takesPages) {
    app.addHook("onRequest", (request, reply, done) => {
      reply.headers({ "access-control-allow-origin": "*", "access-control-expose-headers": "ETag" });
      if (request.method !== "OPTIONS") return done();
      reply.headers({ "access-control-allow-methods": "GET, HEAD, PUT", "access-control-allow-headers": "*" });
      reply.code(204).send();
    });
  }
  const restoreOrder = sortByBytes();
  const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
  const stop = async (): Promise<void> => {
    restoreOrder();
    // It would wait for connections that clients keep.
    app.server.closeAllConnections();
    await app.close();
  };
  return { endpoint, stop };
}

/** The emulator lists keys as people of this machine's country sort, S3 by their bytes; nothing else of the tests asks for the former. */
function sortByBytes(): () => void {
  const { localeCompare } = String.prototype;
  String.prototype.localeCompare = function byBytes(this: string, that: string): number {
    return Buffer.compare(Buffer.from(String(this)), Buffer.from(that));
  };
  return () => {
    String.prototype.localeCompare = localeCompare;
  };
}

/** DynamoDB on a port of loopback, or at the endpoint that the environment names. */
export async function startTables(): Promise<AwsUnderTest> {
  setCredentials();
  const named = endpointUnderTest("dynamodb");
  if (named !== undefined) return { place: { region: REGION, endpoint: named }, stop: async () => undefined };
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { place: { region: REGION, endpoint }, stop };
}

/** A table of its own, empty, with the client that reaches it. */
export async function makeTable(place: AwsPlace): Promise<Table & { remove(): Promise<void> }> {
  const maker = new DynamoDBClient(clientSettings(place));
  const client = createTableClient(place);
  const name = uniqueName();
  await createTable(maker, name);
  const remove = async (): Promise<void> => {
    await maker.send(new DeleteTableCommand({ TableName: name }));
    maker.destroy();
    client.destroy();
  };
  return { client, name, remove };
}

/** A bucket of its own, empty, with the client that reaches it. */
export async function makeBucket(place: AwsPlace): Promise<Bucket & { remove(): Promise<void> }> {
  const client = createS3Client(place);
  const name = uniqueName();
  await client.send(new CreateBucketCommand({ Bucket: name }));
  const remove = async (): Promise<void> => {
    for (;;) {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: name }));
      if (Contents.length === 0) break;
      for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket: name, Key }));
    }
    await client.send(new DeleteBucketCommand({ Bucket: name }));
    client.destroy();
  };
  return { client, name, remove };
}

/** Uploads in parts that were begun and neither completed nor taken back. Not by a list: emulators lack that. */
export function watchUploads({ client }: Bucket): ReadonlySet<string> {
  const open = new Set<string>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const id = (value: unknown): string => String((value as { readonly UploadId?: string }).UploadId);
      const { commandName } = context;
      if (commandName === CreateMultipartUploadCommand.name) open.add(id(result.output));
      const isEnd = [AbortMultipartUploadCommand.name, CompleteMultipartUploadCommand.name].includes(`${commandName}`);
      if (isEnd) open.delete(id(args.input));
      return result;
    },
    { step: "initialize" },
  );
  return open;
}

/** A name that no other test has. */
export function uniqueName(): string {
  return `reelmill-test-${process.pid}-${process.hrtime.bigint()}`;
}

/** A folder that goes with `remove`. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "reelmill-aws-"));
  return { path, remove: () => rm(path, { recursive: true }) };
}

/** Where a test's objects and rows lie. */
export interface Stores {
  readonly storage: StorageUnderTest;
  readonly tables: AwsUnderTest;
  readonly bucket: Bucket;
  readonly table: Table;
  /** Removes what is in them, and stops the emulators. */
  close(): Promise<void>;
}

/** A bucket and a table of a test file's own. */
export async function openStores(): Promise<Stores> {
  const [tables, storage] = await Promise.all([startTables(), startStorage()]);
  const [bucket, table] = await Promise.all([makeBucket(storage.place), makeTable(tables.place)]);
  const close = async (): Promise<void> => {
    await Promise.all([bucket.remove(), table.remove()]);
    await Promise.all([tables.stop(), storage.stop()]);
  };
  return { storage, tables, bucket, table, close };
}

/** What a process is told of the stores under test, in its environment. */
export function environmentOf(
  stores: Readonly<Record<"storage" | "tables", AwsUnderTest> & Record<"bucket" | "table", { readonly name: string }>>,
): Readonly<Record<string, string>> {
  const { storage, tables, bucket, table } = stores;
  return {
    REELMILL_BACKEND: "aws",
    REELMILL_S3_ENDPOINT: storage.place.endpoint ?? "",
    REELMILL_DYNAMODB_ENDPOINT: tables.place.endpoint ?? "",
    AWS_REGION: storage.place.region,
    S3_BUCKET: bucket.name,
    DYNAMODB_TABLE: table.name,
  };
}
