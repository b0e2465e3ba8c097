import type { MessagePort } from "node:worker_threads";
import { ReelmillError } from "../../../base/errors.ts";
import type { ObjectInfo, ObjectStore } from "../../../jobs/object-store.ts";
import { BLOCK_BYTES, type BlockFailure, carryError, type SharedBlocks, SLOT } from "./protocol.ts";

/** Brings blocks of objects to a thread that waits for them. */
export interface BlockServer {
  /** Never throws: what goes wrong is told to the thread. */
  fetch(key: string, firstBlock: number, slots: readonly number[]): Promise<void>;
  /** Lets whoever waits wait no longer: it hears ABORTED. */
  stop(): void;
}

/** A server of the objects that are named, each as long as it has the same content. */
export function createBlockServer(
  read: ObjectStore["read"],
  objects: readonly ObjectInfo[],
  shared: SharedBlocks,
  failures: MessagePort,
): BlockServer {
  const states = new Int32Array(shared.states);
  const data = new Uint8Array(shared.data);
  const infos = new Map(objects.map((info) => [info.key, info]));
  const pending = new Set<number>();
  let isStopped = false;
  const settle = (slot: number, state: (typeof SLOT)[keyof typeof SLOT]): void => {
    pending.delete(slot);
    Atomics.store(states, slot, state);
    Atomics.notify(states, slot);
  };
  const fail = (slot: number, error: unknown): void => {
    // Settled already, the slot may hold another block by now.
    if (!pending.has(slot)) return;
    // Before the state changes, so that whoever sees the change finds the reason.
    failures.postMessage({ slot, failure: carryError(error) } satisfies BlockFailure);
    settle(slot, SLOT.failed);
  };
  return {
    fetch: async (key, firstBlock, slots) => {
      for (const slot of slots) pending.add(slot);
      try {
        if (isStopped) throw stopped();
        const info = infos.get(key);
        if (info === undefined) throw new ReelmillError("INTERNAL", `${key} was not announced.`);
        await fill(read, info, firstBlock * BLOCK_BYTES, slots, data, (slot) => {
          if (pending.has(slot)) settle(slot, SLOT.ready);
        });
      } catch (error) {
        for (const slot of slots) fail(slot, error);
      }
    },
    stop: () => {
      isStopped = true;
      for (const slot of pending) fail(slot, stopped());
    },
  };
}

function stopped(): ReelmillError {
  return new ReelmillError("ABORTED", "The repair was cancelled; nothing half done was left behind.");
}

/** Reads from an offset on until the slots are full, or the object ends; `onFull` hears of each. */
async function fill(
  read: ObjectStore["read"],
  { key, bytes, tag }: ObjectInfo,
  start: number,
  slots: readonly number[],
  data: Uint8Array,
  onFull: (slot: number) => void,
): Promise<void> {
  const end = Math.min(start + slots.length * BLOCK_BYTES, bytes);
  let at = start;
  for await (const chunk of await read(key, { start, end }, tag)) {
    for (let rest = chunk; rest.length > 0; ) {
      const slot = slots[Math.floor((at - start) / BLOCK_BYTES)];
      if (slot === undefined) throw new ReelmillError("STORE_UNAVAILABLE", `${key} gives more than was asked for.`);
      const within = (at - start) % BLOCK_BYTES;
      const taken = rest.subarray(0, BLOCK_BYTES - within);
      data.set(taken, slot * BLOCK_BYTES + within);
      at += taken.length;
      rest = rest.subarray(taken.length);
      if (within + taken.length === BLOCK_BYTES || at === end) onFull(slot);
    }
  }
  if (at !== end) throw new ReelmillError("STORE_UNAVAILABLE", `${key} has ${at - start} bytes where more should be.`);
}
