import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createLocalObjectLender } from "../../adapters/local/object-lender.ts";
import { keepSecret } from "../../adapters/local/secret-file.ts";
import type { Clock } from "../../base/clock.ts";
import type { ServerConfig } from "../../base/config-defaults.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import type { Examiner } from "../edge/index.ts";
import type { BatchDependencies } from "./dependencies.ts";
import { LENT_PATH } from "./routes/lent.ts";

/** What the batch API on one machine is made of. */
export interface LocalBatchPorts {
  readonly config: ServerConfig;
  readonly dataFolder: string;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly examine: Examiner["examine"];
}

const SECRET_BYTES = 32;

/** The batch API's part of a server on one machine, whose buckets are two folders of its store. Throws STORE_UNAVAILABLE. */
export function createLocalBatch(ports: LocalBatchPorts): BatchDependencies {
  const { config, dataFolder, objects, clock, examine } = ports;
  const secret = keepSecret(join(dataFolder, "link-secret"), () => randomBytes(SECRET_BYTES).toString("hex"));
  const lender = createLocalObjectLender({ path: LENT_PATH, secret, clock });
  return {
    inputBucket: "uploads",
    outputBucket: "outputs",
    referencePrefix: config.referencePrefix,
    publicUrl: config.publicUrl,
    lender,
    requireLent: lender.requireLent,
    startContainer: undefined,
    findHealthy: async (candidates, signal) => {
      // Loaded with the first question, because most requests are others.
      const { findHealthy } = await import("../../pipelines/repair/examine.ts");
      return await findHealthy(candidates, ({ key }) => objects.withLocalFile(key, (path) => examine(path, signal)));
    },
  };
}
