import { createS3Client } from "../../src/adapters/aws/bucket.ts";
import { createS3ObjectStore } from "../../src/adapters/aws/object-store.ts";
import { systemClock } from "../../src/base/clock.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import { createLogger } from "../../src/base/log.ts";
import { repairPipeline } from "../../src/pipelines/repair/pipeline.ts";

/*
 * Works one job of the repair pipeline on S3, alone in its process, so that it can be measured and killed. Takes endpoint, bucket, work
 * folder, and the keys of damaged recording, reference and output; prints the outcome as JSON.
 */
const [endpoint = "", bucket = "", workFolder = "", input = "", reference = "", output = ""] = process.argv.slice(2);
const client = createS3Client({ region: "eu-central-1", endpoint });
const params = repairPipeline.parseParams({ inputs: [input], references: [reference] });
const outcome = await repairPipeline.work(
  params,
  { input, output },
  {
    jobId: "j",
    objects: createS3ObjectStore({ bucket: { client, name: bucket }, workFolder }),
    workFolder: () => Promise.reject(new ReelmillError("INTERNAL", "No folder is needed.")),
    log: createLogger({ format: "json", level: "warn", write: (line) => process.stderr.write(line) }),
    signal: new AbortController().signal,
    environment: process.env,
    clock: systemClock,
    onProgress: () => undefined,
    checkpoint: null,
    saveCheckpoint: async () => undefined,
  },
);
client.destroy();
process.stdout.write(`${JSON.stringify(outcome)}\n`);
