import type { Clock } from "../../base/clock.ts";
import type { Config } from "../../base/config-defaults.ts";
import type { Examiner } from "../edge/index.ts";
import type { Home } from "../parts.ts";
import type { BatchDependencies } from "./dependencies.ts";
import { createLocalBatch } from "./local-batch.ts";

/** Whose batch API it is. */
export interface BatchOpening {
  readonly home: Home;
  readonly config: Config;
  readonly dataFolder: string;
  readonly context: { readonly clock: Clock };
}

/** The batch API's part of a server, with what it holds. */
export interface OpenBatch extends BatchDependencies {
  close(): Promise<void>;
}

/** Opens the batch API's part of a server; nothing is asked of a store elsewhere. Throws STORE_UNAVAILABLE. */
export async function openBatch(
  { home, config, dataFolder, context: { clock } }: BatchOpening,
  { examine, close }: Examiner,
): Promise<OpenBatch> {
  const { server } = config;
  if (home.backend === "local") return { ...createLocalBatch({ config: server, dataFolder, clock, examine }), close };
  const { openAwsLender, openAwsStarter } = await import("../aws-wiring.ts");
  const lender = openAwsLender(home);
  const starter = await openAwsStarter(home);
  return {
    // With s3:// in front and the key behind, they name the object.
    inputBucket: `${home.bucket}/uploads`,
    outputBucket: `${home.bucket}/outputs`,
    referencePrefix: server.referencePrefix,
    publicUrl: server.publicUrl,
    lender,
    requireLent: undefined,
    starter,
    examine,
    close: async () => {
      lender.close();
      starter?.close();
      await close();
    },
  };
}
