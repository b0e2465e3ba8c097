import type { ObjectStore } from "../jobs/object-store.ts";
import { lendFiles, withKeys } from "./object-files.ts";
import { putJson, readJson } from "./object-json.ts";

/** So many objects are listed at a time. */
const PAGE = 100;

/** Parts stay below the job's outputs until it is done: a job that is taken up again goes on with those it has. */
export function partKey(jobId: string, name: string): string {
  return `outputs/${jobId}/parts/${name}`;
}

/** Keeps a job's plan among its parts; it must be JSON. Throws NO_SPACE, STORE_UNAVAILABLE. */
export async function putPlan(objects: ObjectStore, jobId: string, plan: unknown): Promise<void> {
  await putJson(objects, partKey(jobId, "plan.json"), plan);
}

/** The plan that `putPlan` kept. Throws OBJECT_NOT_FOUND, STORE_UNAVAILABLE, INTERNAL. */
export async function readPlan<Plan>(objects: ObjectStore, jobId: string): Promise<Plan> {
  return await readJson<Plan>(objects, partKey(jobId, "plan.json"));
}

/** Removes a job's parts, its plan among them. Throws STORE_UNAVAILABLE. */
export async function removeParts(objects: ObjectStore, jobId: string): Promise<void> {
  await removeBelow(objects, partKey(jobId, ""));
}

/** Removes what an attempt left below `prefix` that was cut short, all but the job's parts. Throws STORE_UNAVAILABLE. */
export async function removeOutputs(objects: ObjectStore, jobId: string, prefix: string): Promise<void> {
  await removeBelow(objects, prefix, (key) => key.startsWith(partKey(jobId, "")));
}

async function removeBelow(
  objects: ObjectStore,
  prefix: string,
  isKept: (key: string) => boolean = () => false,
): Promise<void> {
  for (let afterKey = ""; ; ) {
    const page = await objects.list(prefix, { limit: PAGE, afterKey });
    for (const { key } of page) if (!isKept(key)) await objects.delete(key);
    const last = page.at(-1);
    if (last === undefined) return;
    afterKey = last.key;
  }
}

/** Lends a job's input as a file; errors tell of its key. Throws OBJECT_NOT_FOUND, STORE_UNAVAILABLE, and what `use` throws. */
export async function lendInput<T>(objects: ObjectStore, key: string, use: (path: string) => Promise<T>): Promise<T> {
  return await lendFiles(objects, [key], (paths) => withKeys(paths, () => use(paths[0]?.path ?? "")));
}
