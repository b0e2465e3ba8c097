import { z } from "zod";
import type { StageContext } from "../../jobs/pipeline.ts";
import type { PlannedEncoder } from "./conversion.ts";
import type { Trial, TrialMemory } from "./search.ts";

const KEPT = z.array(
  z.strictObject({
    encoder: z.string(),
    trial: z.strictObject({ quality: z.number(), score: z.number().nullable(), bytes: z.int(), seconds: z.number() }),
  }),
);

/**
 * Trials in a task's checkpoint: an attempt that comes after one that was cut short goes on with them, as far as it would encode the same
 * way. What another version kept is not understood, and left.
 */
export function createTrialMemory({
  checkpoint,
  saveCheckpoint,
}: Pick<StageContext, "checkpoint" | "saveCheckpoint">): TrialMemory {
  const kept = KEPT.safeParse(checkpoint).data ?? [];
  return {
    find: (encoder) => kept.find((entry) => entry.encoder === nameOf(encoder))?.trial,
    keep: async (encoder, { quality, score, bytes, seconds }: Trial) => {
      kept.push({ encoder: nameOf(encoder), trial: { quality, score, bytes, seconds } });
      await saveCheckpoint(kept);
    },
  };
}

/** All that a trial hangs on besides the recording and the aim, which are the job's. */
function nameOf({ name, arguments: options }: PlannedEncoder): string {
  return [name, ...options].join(" ");
}
