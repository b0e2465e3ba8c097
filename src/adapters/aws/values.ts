import { randomUUID } from "node:crypto";
import type { Json } from "../../base/json.ts";
import { deleteItem, type ItemKey, LAST, putItem, queryItems, sortable, type Table } from "./table.ts";

/*
 * What pipelines keep may take megabytes, an item no more than 400 KB. Values that are not small are cut into items of their own, beside
 * the one that refers to them, and go with all that is the job's.
 */

/** Longer values are kept apart; reading and writing an item costs by its size. */
const MAX_INLINE_BYTES = 4096;
const CHUNK_BYTES = 350 * 1024;

/** A value as an attribute: its JSON, or where that lies. */
export type StoredValue = string | { readonly apart: string; readonly chunks: number };

function chunkKey(pk: string, apart: string, chunk: number): ItemKey {
  return { pk, sk: `value#${apart}#${sortable(chunk)}` };
}

/** Keeps a value, before whatever is to refer to it is written. `name` makes writing it again harmless. */
export async function storeValue(
  table: Table,
  pk: string,
  value: Json | undefined,
  name: string = randomUUID(),
): Promise<StoredValue> {
  const json = JSON.stringify(value ?? null);
  const bytes = Buffer.from(json);
  if (bytes.length <= MAX_INLINE_BYTES) return json;
  const chunks = Math.ceil(bytes.length / CHUNK_BYTES);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const content = bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
    await putItem(table, { ...chunkKey(pk, name, chunk), content });
  }
  return { apart: name, chunks };
}

/** The value; undefined where it was kept apart and is gone. An attribute that is not there is null. */
export async function loadValue(table: Table, pk: string, stored: unknown): Promise<Json | undefined> {
  if (stored === undefined || stored === null) return null;
  if (typeof stored === "string") return JSON.parse(stored) as Json;
  const { apart, chunks } = stored as Exclude<StoredValue, string>;
  const pieces: Uint8Array[] = [];
  const range = { pk, from: chunkKey(pk, apart, 0).sk, to: `value#${apart}#${LAST}` };
  for await (const item of queryItems(table, range)) pieces.push(item["content"] as Uint8Array);
  if (pieces.length < chunks) return undefined;
  return JSON.parse(Buffer.concat(pieces).toString()) as Json;
}

/** Removes a value that nothing refers to any more. */
export async function removeValue(table: Table, pk: string, stored: unknown): Promise<void> {
  if (typeof stored !== "object" || stored === null) return;
  const { apart, chunks } = stored as Exclude<StoredValue, string>;
  for (let chunk = 0; chunk < chunks; chunk++) await deleteItem(table, chunkKey(pk, apart, chunk));
}
