import { readdir } from "node:fs/promises";
import { afterAll, beforeAll } from "vitest";
import { createS3ObjectStore } from "../../src/adapters/aws/object-store.ts";
import { type AwsUnderTest, makeBucket, startStorage, temporaryFolder, watchUploads } from "../support/aws.ts";
import { describeObjectStore } from "./object-store-contract.ts";

let storage: AwsUnderTest;

beforeAll(async () => {
  storage = await startStorage();
});

afterAll(() => storage.stop());

describeObjectStore("S3", async () => {
  const bucket = await makeBucket(storage.place);
  const scratch = await temporaryFolder();
  const work = await temporaryFolder();
  const open = watchUploads(bucket);
  return {
    store: createS3ObjectStore({ bucket, workFolder: work.path }),
    scratch: scratch.path,
    root: undefined,
    leftovers: async () => [...(await readdir(work.path)), ...open],
    stop: async () => {
      await bucket.remove();
      await scratch.remove();
      await work.remove();
    },
  };
});
