import type { MessagePort } from "node:worker_threads";
import { ReelmillError } from "../../../base/errors.ts";
import type { ObjectInfo, ObjectStore } from "../../../jobs/object-store.ts";
import { BLOCK_BYTES, type BlockFailure, carryError, type SharedBlocks, SLOT } from "./protocol.ts";

/** Brings blocks of objects to a thread that waits for them. */
export interface BlockServer {
  /** Never throws: what goes wrong is told to the thread. */
  fetch(key: string, block: number, slot: number): Promise<void>;
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
    fetch: async (key, block, slot) => {
      pending.add(slot);
      try {
        if (isStopped) throw stopped();
        const info = infos.get(key);
        if (info === undefined) throw new ReelmillError("INTERNAL", `${key} was not announced.`);
        const target = new Uint8Array(shared.data, slot * BLOCK_BYTES, BLOCK_BYTES);
        await fill(read, info, block * BLOCK_BYTES, target);
        if (pending.has(slot)) settle(slot, SLOT.ready);
      } catch (error) {
        fail(slot, error);
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

/** Reads from an offset on until the target is full, or the object ends. */
async function fill(
  read: ObjectStore["read"],
  { key, bytes, tag }: ObjectInfo,
  start: number,
  target: Uint8Array,
): Promise<void> {
  const end = Math.min(start + target.length, bytes);
  let at = start;
  for await (const chunk of await read(key, { start, end }, tag)) {
    target.set(chunk, at - start);
    at += chunk.length;
  }
  if (at !== end) throw new ReelmillError("STORE_UNAVAILABLE", `${key} has ${at - start} bytes where more should be.`);
}
