import { ReelmillError } from "../../../base/errors.ts";
import type { ObjectInfo } from "../../../jobs/object-store.ts";
import { meterReads } from "./metered-reads.ts";
import { revealError } from "./protocol.ts";
import { runThread, type Surroundings } from "./run-thread.ts";

/**
 * The first of the candidates that plays and may teach others, as `examineRecording` has it; a few ranges of each are read. One that would take more
 * than some hundred megabytes to examine is passed over. Throws what the store's reads throw for a while, and ABORTED.
 */
export async function findHealthyObject(
  candidates: readonly ObjectInfo[],
  { objects, environment, signal }: Omit<Surroundings, "onProgress">,
): Promise<ObjectInfo | undefined> {
  if (signal.aborted) throw new ReelmillError("ABORTED", "The search for a reference was cancelled before it began.");
  if (candidates.length === 0) return undefined;
  const reads = meterReads(objects);
  const work = { kind: "find-healthy", keys: candidates.map(({ key }) => key) } as const;
  const onProgress = (): void => undefined;
  const ending = await runThread(work, candidates, reads, { objects, environment, signal, onProgress });
  if (ending.kind === "failed") throw revealError(ending.failure);
  // A program that is not given the bytes takes what is sound for damaged.
  reads.requireNoPassingFailure();
  if (ending.kind !== "found") throw new ReelmillError("INTERNAL", "The search for a reference ended as a repair.");
  return candidates.find(({ key }) => key === ending.key);
}
