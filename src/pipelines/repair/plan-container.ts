import { fitFargateSize } from "../../base/fargate-sizes.ts";
import { runPool } from "../../base/run-pool.ts";
import type { ContainerPlan } from "../../jobs/container-starter.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
import { sizeBatch } from "./batch-resources.ts";
import type { Params } from "./schemas.ts";

const LOOKS_AT_ONCE = 16;

/**
 * Sizes the container of a job: that of a batch as its submission was told, any other by what its recordings come to. One that is not there counts for
 * nothing: the job itself tells that it is missing. Throws what the store does.
 */
export async function planContainer(
  { batch, inputs, engine }: Params,
  objects: Pick<ObjectStore, "head">,
): Promise<ContainerPlan> {
  const name = batch === undefined ? {} : { name: batch.id };
  if (batch?.vcpu !== undefined && batch.memoryMb !== undefined) {
    const { vcpu, memoryMb, storageGb } = batch;
    return { ...name, ...fitFargateSize({ vcpu, memoryMb }), storageGb };
  }
  let [totalBytes, largestBytes] = [0, 0];
  await runPool([...new Set(inputs)], LOOKS_AT_ONCE, new AbortController().signal, async (key) => {
    const bytes = (await objects.head(key))?.bytes ?? 0;
    totalBytes += bytes;
    largestBytes = Math.max(largestBytes, bytes);
  });
  const { vcpu, memoryMb, storageGb } = sizeBatch({ totalBytes, largestBytes, usesUntrunc: engine === "untrunc" });
  return { ...name, vcpu, memoryMb, storageGb };
}
