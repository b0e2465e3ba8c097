import { createS3ObjectLender } from "../../src/adapters/aws/object-lender.ts";
import { createS3ObjectStore } from "../../src/adapters/aws/object-store.ts";
import { isEmulated, makeBucket, startStorage, temporaryFolder } from "../support/aws.ts";
import { describeObjectLender } from "./object-lender-contract.ts";

/** S3 takes no smaller part but the last. */
const SMALLEST_PART = 5 * 1024 ** 2;

describeObjectLender("S3", async () => {
  const storage = await startStorage();
  const bucket = await makeBucket(storage.place);
  const work = await temporaryFolder();
  const lender = createS3ObjectLender(storage.place, bucket.name, {
    partBytes: SMALLEST_PART,
    aboveBytes: SMALLEST_PART,
  });
  return {
    store: createS3ObjectStore({ bucket, workFolder: work.path }),
    lender,
    base: "http://127.0.0.1",
    isChecked: !isEmulated,
    stop: async () => {
      lender.close();
      await bucket.remove();
      await work.remove();
      await storage.stop();
    },
  };
});
