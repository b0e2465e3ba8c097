import { ReelmillError } from "../../../base/errors.ts";
import { runPool } from "../../../base/run-pool.ts";
import type { ObjectInfo, ObjectPart } from "../../../jobs/object-store.ts";
import type { FileResult } from "../result.ts";
import { meterReads } from "./metered-reads.ts";
import { type RangedJob, revealError } from "./protocol.ts";
import { runThread, type Surroundings, toObjectPart } from "./run-thread.ts";

const MAX_HEADS_AT_ONCE = 16;

/** How a repair of an object ended. */
export interface RangedRepair {
  /** Undefined where another program has to do the work, which needs files. */
  readonly result: FileResult | undefined;
  /** Whether that program uses the references. */
  readonly usesReferences: boolean;
  /** What the output is to be made of, checked as the job has it; undefined where there is none. */
  readonly parts: readonly ObjectPart[] | undefined;
  readonly downloadedBytes: number;
}

/**
 * Repairs an object without a file of it: the engine reads ranges as it goes, and the checks read the output as it would be. Nothing is
 * written. Names in the result are keys. Throws OBJECT_NOT_FOUND, what the store's reads throw, ABORTED.
 */
export async function repairRanged(wanted: RangedJob, surroundings: Surroundings): Promise<RangedRepair> {
  const { objects, signal } = surroundings;
  if (signal.aborted) throw new ReelmillError("ABORTED", "The repair was cancelled before it began.");
  const { infos, job } = await findObjects(wanted, objects, signal);
  const reads = meterReads(objects);
  const ending = await runThread({ kind: "repair", job }, infos, reads, surroundings);
  if (ending.kind === "failed") throw revealError(ending.failure);
  if (ending.kind === "found") throw new ReelmillError("INTERNAL", "The repair ended as a search.");
  const downloadedBytes = reads.downloadedBytes();
  if (ending.kind === "files-needed") {
    const { usesReferences } = ending;
    return { result: undefined, usesReferences, parts: undefined, downloadedBytes };
  }
  // A check that makes do without bytes proves nothing of them.
  reads.requireNoFailure();
  const [damaged] = infos;
  return {
    result: ending.result,
    usesReferences: true,
    parts: damaged && ending.parts?.map((part) => toObjectPart(part, damaged)),
    downloadedBytes,
  };
}

/** What is known of the job's objects, in their order; neighbours, which only may serve, are left out where they are gone. */
async function findObjects(
  job: RangedJob,
  objects: Surroundings["objects"],
  signal: AbortSignal,
): Promise<{ readonly infos: readonly ObjectInfo[]; readonly job: RangedJob }> {
  const needed = [job.input, ...job.references];
  const found: (ObjectInfo | undefined)[] = [];
  await runPool([...[...needed, ...job.neighbours].entries()], MAX_HEADS_AT_ONCE, signal, async ([index, key]) => {
    const info = await objects.head(key);
    if (info === undefined && index < needed.length) {
      throw new ReelmillError("OBJECT_NOT_FOUND", `There is no object ${key}.`);
    }
    found[index] = info;
  });
  const infos = found.filter((info) => info !== undefined);
  return { infos, job: { ...job, neighbours: infos.slice(needed.length).map(({ key }) => key) } };
}
