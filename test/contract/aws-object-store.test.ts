import { readdir } from "node:fs/promises";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll } from "vitest";
import { createS3Client } from "../../src/adapters/aws/bucket.ts";
import { createS3ObjectStore } from "../../src/adapters/aws/object-store.ts";
import { type AwsUnderTest, startStorage, temporaryFolder, uniqueName } from "../support/aws.ts";
import { describeObjectStore, type ObjectStoreFixture } from "./object-store-contract.ts";

let storage: AwsUnderTest;

beforeAll(async () => {
  storage = await startStorage();
});

afterAll(() => storage.stop());

/** Uploads in parts that were begun and neither completed nor taken back. Not by a list: emulators lack that. */
function watchUploads(client: S3Client): ReadonlySet<string> {
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

async function empty(client: S3Client, bucket: string): Promise<void> {
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    if (Contents.length === 0) break;
    for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
  }
  await client.send(new DeleteBucketCommand({ Bucket: bucket }));
}

async function createFixture(): Promise<ObjectStoreFixture> {
  const client = createS3Client(storage.place);
  const name = uniqueName();
  await client.send(new CreateBucketCommand({ Bucket: name }));
  const scratch = await temporaryFolder();
  const work = await temporaryFolder();
  const open = watchUploads(client);
  return {
    store: createS3ObjectStore({ bucket: { client, name }, workFolder: work.path }),
    scratch: scratch.path,
    root: undefined,
    leftovers: async () => [...(await readdir(work.path)), ...open],
    stop: async () => {
      await empty(client, name);
      client.destroy();
      await scratch.remove();
      await work.remove();
    },
  };
}

describeObjectStore("S3", createFixture);
