import type { Clock } from "../../base/clock.ts";
import type { Config, Environment } from "../../base/config-defaults.ts";
import { createExaminer } from "../edge/examiner.ts";
import type { Home, Parts } from "../parts.ts";
import type { BatchDependencies } from "./dependencies.ts";
import { createLocalBatch } from "./local-batch.ts";

/** Whose batch API it is. */
export interface BatchOpening {
  readonly home: Home;
  readonly parts: Pick<Parts, "objects" | "startContainer">;
  readonly config: Config;
  readonly dataFolder: string;
  readonly context: { readonly environment: Environment; readonly clock: Clock };
}

/** The batch API's part of a server, with what it holds. */
export interface OpenBatch extends BatchDependencies {
  close(): Promise<void>;
}

/** Opens the batch API's part of a server; nothing is asked of a store elsewhere. Throws STORE_UNAVAILABLE. */
export async function openBatch(opening: BatchOpening): Promise<OpenBatch> {
  const { home, parts, config, dataFolder, context } = opening;
  const { objects } = parts;
  const { environment, clock } = context;
  const { server } = config;
  if (home.backend === "local") {
    const { examine, close } = createExaminer(environment);
    return { ...createLocalBatch({ config: server, dataFolder, objects, clock, examine }), close };
  }
  const { openAwsLender } = await import("../aws-wiring.ts");
  const lender = openAwsLender(home);
  return {
    // With s3:// in front and the key behind, they name the object.
    inputBucket: `${home.bucket}/uploads`,
    outputBucket: `${home.bucket}/outputs`,
    referencePrefix: server.referencePrefix,
    publicUrl: server.publicUrl,
    lender,
    requireLent: undefined,
    startContainer: parts.startContainer,
    findHealthy: async (candidates, signal) => {
      // Loaded with the first question, because most requests are others.
      const { findHealthyObject } = await import("../../pipelines/repair/ranged/find-healthy-object.ts");
      return await findHealthyObject(candidates, { objects, environment, signal });
    },
    close: async () => lender.close(),
  };
}
