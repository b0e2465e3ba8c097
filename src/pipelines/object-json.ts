import { ReelmillError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import type { ObjectStore } from "../jobs/object-store.ts";

/** Keeps a value, which must be JSON, as an object. Throws NO_SPACE, STORE_UNAVAILABLE. */
export async function putJson(objects: ObjectStore, key: string, value: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(value as Json));
  await objects.put(
    key,
    (async function* () {
      yield bytes;
    })(),
  );
}

/** What `putJson` kept. Throws OBJECT_NOT_FOUND, STORE_UNAVAILABLE, INTERNAL. */
export async function readJson<Value>(objects: ObjectStore, key: string): Promise<Value> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await objects.read(key)) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8")) as Value;
  } catch (error) {
    throw new ReelmillError("INTERNAL", `The object ${key} is no JSON.`, { cause: error });
  }
}
