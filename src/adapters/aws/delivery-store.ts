import { createHash, randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import type {
  ClaimedDelivery,
  Delivery,
  DeliveryAttempt,
  DeliveryNext,
  DeliveryState,
  DeliveryStore,
  NewDelivery,
} from "../../jobs/deliveries.ts";
import { MAX_RETRY_DELAY_MS, RETRY_FOR_MS } from "../../jobs/delivery-schedule.ts";
import type { JobWebhook } from "../../jobs/job.ts";
import {
  deleteItem,
  getItem,
  getItems,
  type Item,
  type ItemKey,
  LAST,
  type Path,
  putItem,
  queryItems,
  sortable,
  type Table,
  updateItem,
} from "./table.ts";
import { loadValue, removeValue, storeValue } from "./values.ts";

/**
 * Deliveries in a table, one item each. Those that are due, and those that are settled, are found by the second index, which may be a moment
 * behind; whether one may be claimed is told by its own item.
 */
export function createDeliveryStore(table: Table, clock: Clock): DeliveryStore {
  return {
    position: async () => Number((await getItem(table, POSITION))?.["seq"] ?? 0),
    enqueue: async (deliveries, position) => {
      let added = 0;
      for (const delivery of deliveries) if (await add(table, delivery, clock.nowMs())) added += 1;
      // Only behind all of them: where this one is cut short they are gone through again, and those that are there left out.
      await advance(table, position);
      return added;
    },
    claim: (options) => claim(table, clock.nowMs(), options),
    record: (claimed, attempt, next) => record(table, clock.nowMs(), claimed, { attempt, next }),
    release: async ({ delivery, receipt }) =>
      (await updateItem(table, keyOf(delivery.id), { remove: LEASE, where: [isHeldBy(receipt)] })) !== undefined,
    get: (id) => read(table, id),
    list: (options) => list(table, options),
    redeliver: async (id) => {
      const nowMs = clock.nowMs();
      const due: Partial<Stored> = { state: "pending", nextAttemptAtMs: nowMs, retryUntilMs: nowMs + RETRY_FOR_MS };
      const set = fieldsOf({ ...due, failures: 0, settledAtMs: null, ...indexOf(id, nowMs, null) });
      // What is being sent at the time goes on: its outcome counts, as that of any other attempt.
      const changed = await updateItem(table, keyOf(id), { set, where: [{ path: ["pk"], is: "there" }] });
      return changed && (await parseDelivery(table, changed));
    },
    sweep: (settledBeforeMs) => sweep(table, settledBeforeMs),
  };
}

const POSITION: ItemKey = { pk: "deliveries", sk: "position" };

/** What an item holds besides its keys. */
type Stored = Omit<Delivery, "payload" | "attempts"> & { readonly settledAtMs: number | null };

const LEASE: readonly Path[] = [["receipt"], ["leaseUntilMs"], ["leaseMs"]];

function isHeldBy(receipt: string) {
  return { path: ["receipt"], is: "=", value: receipt } as const;
}

function keyOf(id: string): ItemKey {
  return { pk: `delivery#${id}`, sk: "delivery" };
}

/** Where what is told of a job's end to one URL is found, so that it is told once. */
function onceKey({ jobId, jobAttempt, url }: Pick<Delivery, "jobId" | "jobAttempt" | "url">): ItemKey {
  const digest = createHash("sha256").update(url).digest("hex");
  return { pk: `deliveries-of#${jobId}`, sk: `${sortable(jobAttempt)}#${digest}` };
}

/** In the second index, by when it is due or was settled. */
function indexOf(id: string, nextAttemptAtMs: number | null, settledAtMs: number | null) {
  return nextAttemptAtMs === null
    ? { GSI2PK: "settled-deliveries", GSI2SK: `${sortable(settledAtMs ?? 0)}#${id}` }
    : { GSI2PK: "due-deliveries", GSI2SK: `${sortable(nextAttemptAtMs)}#${id}` };
}

function fieldsOf(fields: Readonly<Record<string, unknown>>): readonly (readonly [Path, unknown])[] {
  return Object.entries(fields).map(([name, value]) => [[name], value]);
}

async function advance(table: Table, position: number): Promise<void> {
  const set = [[["seq"], position]] as const;
  const isFirst = await putItem(table, { ...POSITION, seq: position }, [{ path: ["pk"], is: "absent" }]);
  if (!isFirst) await updateItem(table, POSITION, { set, where: [{ path: ["seq"], is: "<", value: position }] });
}

/** False where the same news is there already. */
async function add(table: Table, delivery: NewDelivery, nowMs: number): Promise<boolean> {
  const { payload, ...rest } = delivery;
  const once = onceKey(delivery);
  await putItem(table, { ...once, id: delivery.id }, [{ path: ["pk"], is: "absent" }]);
  // Where somebody died between the two writes, this one does the second.
  const id = String((await getItem(table, once))?.["id"] ?? delivery.id);
  const key = keyOf(id);
  const times = { createdAtMs: nowMs, nextAttemptAtMs: nowMs, retryUntilMs: nowMs + RETRY_FOR_MS, settledAtMs: null };
  const stored: Stored = { ...rest, id, ...times, failures: 0, state: "pending" };
  const values = { payload: await storeValue(table, key.pk, payload, "payload"), attempts: "[]" };
  const listed = { GSI1PK: "deliveries", GSI1SK: id, ...indexOf(id, nowMs, null) };
  return await putItem(table, { ...key, ...stored, ...values, ...listed }, [{ path: ["pk"], is: "absent" }]);
}

/** Times further ahead than any that is ever set are of a clock that was put back since: what they are of is due, or free, now. */
async function claim(
  table: Table,
  nowMs: number,
  { leaseMs, exceptUrls }: { readonly leaseMs: number; readonly exceptUrls: readonly string[] },
): Promise<ClaimedDelivery | undefined> {
  const due = { pk: "due-deliveries", index: "GSI2" } as const;
  const ranges = [{ to: `${sortable(nowMs)}#${LAST}` }, { from: sortable(nowMs + MAX_RETRY_DELAY_MS + 1) }];
  for (const range of ranges) {
    for await (const { pk } of queryItems(table, { ...due, ...range, only: ["pk"] })) {
      const item = await getItem(table, { pk: String(pk), sk: "delivery" });
      if (item === undefined || exceptUrls.includes(String(item["url"])) || !isFree(item, nowMs)) continue;
      const claimed = await take(table, item, nowMs, leaseMs);
      if (claimed !== undefined) return claimed;
    }
  }
  return undefined;
}

function isFree(item: Item, nowMs: number): boolean {
  const nextAtMs = item["nextAttemptAtMs"];
  if (typeof nextAtMs !== "number" || (nextAtMs > nowMs && nextAtMs <= nowMs + MAX_RETRY_DELAY_MS)) return false;
  const [untilMs, leaseMs] = [Number(item["leaseUntilMs"] ?? 0), Number(item["leaseMs"] ?? 0)];
  return untilMs <= nowMs || untilMs > nowMs + leaseMs;
}

async function take(table: Table, item: Item, nowMs: number, leaseMs: number): Promise<ClaimedDelivery | undefined> {
  const receipt = randomUUID();
  const before = item["receipt"];
  const taken = await updateItem(table, keyOf(String(item["id"])), {
    set: fieldsOf({ receipt, leaseUntilMs: nowMs + leaseMs, leaseMs }),
    where: [
      typeof before === "string" ? isHeldBy(before) : { path: ["receipt"], is: "absent" },
      { path: ["nextAttemptAtMs"], is: "=", value: item["nextAttemptAtMs"] },
    ],
  });
  const delivery = taken && (await parseDelivery(table, taken));
  return delivery && { delivery, receipt };
}

async function record(
  table: Table,
  nowMs: number,
  { delivery, receipt }: ClaimedDelivery,
  { attempt, next }: { readonly attempt: DeliveryAttempt; readonly next: DeliveryNext },
): Promise<boolean> {
  const key = keyOf(delivery.id);
  const item = await getItem(table, key);
  if (item?.["receipt"] !== receipt) return false;
  // Whoever holds the claim alone adds to them.
  const attempts = [...attemptsOf(item), attempt];
  const nextAttemptAtMs = next.state === "pending" ? next.nextAttemptAtMs : null;
  const settledAtMs = nextAttemptAtMs === null ? nowMs : null;
  const index = indexOf(delivery.id, nextAttemptAtMs, settledAtMs);
  const state = { state: next.state, nextAttemptAtMs, settledAtMs, attempts: JSON.stringify(attempts) };
  const recorded = await updateItem(table, key, {
    set: fieldsOf({ ...state, ...index }),
    add: [[["failures"], attempt.error === null ? 0 : 1]],
    remove: LEASE,
    where: [isHeldBy(receipt)],
  });
  return recorded !== undefined;
}

function attemptsOf(item: Item): readonly DeliveryAttempt[] {
  return JSON.parse(item["attempts"] as string) as readonly DeliveryAttempt[];
}

async function read(table: Table, id: string): Promise<Delivery | undefined> {
  const item = await getItem(table, keyOf(id));
  return item && (await parseDelivery(table, item));
}

/** Undefined where it was forgotten while its payload was read. */
async function parseDelivery(table: Table, item: Item): Promise<Delivery | undefined> {
  const payload: Json | undefined = await loadValue(table, String(item["pk"]), item["payload"]);
  if (payload === undefined) return undefined;
  // What this adapter wrote.
  return {
    id: item["id"] as string,
    jobId: item["jobId"] as string,
    jobAttempt: item["jobAttempt"] as number,
    url: item["url"] as string,
    format: item["format"] as JobWebhook["format"],
    payload,
    createdAtMs: item["createdAtMs"] as number,
    nextAttemptAtMs: item["nextAttemptAtMs"] as number | null,
    retryUntilMs: item["retryUntilMs"] as number,
    failures: item["failures"] as number,
    attempts: attemptsOf(item),
    state: item["state"] as DeliveryState,
  };
}

const PAGE = 50;

async function list(table: Table, options: Parameters<DeliveryStore["list"]>[0]): Promise<readonly Delivery[]> {
  const { jobId, state, beforeId, limit } = options;
  const found: Delivery[] = [];
  const take = async (ids: readonly string[]): Promise<void> => {
    const items = new Map((await getItems(table, ids.map(keyOf))).map((item) => [item["id"], item]));
    for (const id of ids) {
      const item = items.get(id);
      const isWanted =
        (jobId === undefined || item?.["jobId"] === jobId) && (state === undefined || item?.["state"] === state);
      const delivery = item !== undefined && isWanted ? await parseDelivery(table, item) : undefined;
      if (delivery !== undefined && found.length < limit) found.push(delivery);
    }
  };
  let ids: string[] = [];
  const range = beforeId === undefined ? {} : { to: beforeId };
  const listed = { pk: "deliveries", index: "GSI1", isDescending: true, pageSize: PAGE, only: ["GSI1SK"] } as const;
  for await (const { GSI1SK } of queryItems(table, { ...listed, ...range })) {
    if (GSI1SK !== beforeId) ids.push(String(GSI1SK));
    if (ids.length < PAGE) continue;
    await take(ids);
    ids = [];
    if (found.length >= limit) return found;
  }
  await take(ids);
  return found;
}

async function sweep(table: Table, settledBeforeMs: number): Promise<number> {
  let forgotten = 0;
  const settled = { pk: "settled-deliveries", index: "GSI2", to: sortable(Math.max(0, settledBeforeMs)) } as const;
  for await (const { pk } of queryItems(table, { ...settled, only: ["pk"] })) {
    const key = { pk: String(pk), sk: "delivery" };
    // One that is to be sent again meanwhile stays.
    const item = await deleteItem(table, key, [{ path: ["settledAtMs"], is: "<", value: settledBeforeMs }]);
    if (item === undefined) continue;
    await removeValue(table, key.pk, item["payload"]);
    const [jobId, jobAttempt, url] = [String(item["jobId"]), Number(item["jobAttempt"]), String(item["url"])];
    await deleteItem(table, onceKey({ jobId, jobAttempt, url }));
    forgotten += 1;
  }
  return forgotten;
}
