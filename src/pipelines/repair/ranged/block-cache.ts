import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { ReelmillError } from "../../../base/errors.ts";
import type { ObjectInfo } from "../../../jobs/object-store.ts";
import type { Recording } from "../recordings.ts";
import { BLOCK_BYTES, type BlockFailure, revealError, type SharedBlocks, SLOT, SLOT_COUNT } from "./protocol.ts";

/** Blocks that are asked for before they are wanted, at most, where an object is read from front to back. */
const MAX_AHEAD = 8;
/** Above all numbers of blocks. */
const BLOCKS_PER_OBJECT = 2 ** 32;

/** Asks the other thread to bring a block into a slot, whose state it then changes. */
type Fetch = (key: string, block: number, slot: number) => void;

/** The last blocks that were read of any object; the least recently read ones make room. */
export interface BlockCache {
  /** Opens an object. Reading waits for bytes that are not there, and throws what keeps them from coming. Throws INPUT_EMPTY. */
  open(info: ObjectInfo): Recording;
}

/** A cache in memory that both threads share, to be used by the one that may wait. */
export function createBlockCache(shared: SharedBlocks, failures: MessagePort, fetch: Fetch): BlockCache {
  const slots = createSlots(new Int32Array(shared.states), failures);
  const data = new Uint8Array(shared.data);
  const numbers = new Map<string, number>();
  /** Slots by block, the least recently read first. */
  const held = new Map<number, number>();
  const free = Array.from({ length: SLOT_COUNT }, (_, slot) => slot);
  const makeRoom = (): number => {
    const [oldest] = held;
    if (oldest === undefined) throw new ReelmillError("INTERNAL", "There are no slots for blocks.");
    const [block, slot] = [...held].find(([, candidate]) => !slots.isPending(candidate)) ?? oldest;
    slots.wait(slot);
    held.delete(block);
    return slot;
  };
  const request = (number: number, key: string, block: number): number => {
    const id = number * BLOCKS_PER_OBJECT + block;
    const found = held.get(id);
    const slot = found ?? free.pop() ?? makeRoom();
    held.delete(id);
    held.set(id, slot);
    if (found !== undefined) return slot;
    slots.expect(slot);
    fetch(key, block, slot);
    return slot;
  };
  return {
    open: ({ key, bytes }) => {
      if (bytes === 0) throw new ReelmillError("INPUT_EMPTY", `${key} is empty: there is nothing to recover.`);
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      const lastBlock = Math.ceil(bytes / BLOCK_BYTES) - 1;
      const readAhead = createReadAhead((block) => {
        if (block <= lastBlock) request(number, key, block);
      });
      const give = (block: number): number => {
        const slot = request(number, key, block);
        readAhead(block);
        slots.wait(slot);
        slots.requireReady(slot, () => held.delete(number * BLOCKS_PER_OBJECT + block));
        return slot * BLOCK_BYTES;
      };
      const read = (offset: number, target: Uint8Array): number => {
        const wanted = Math.max(0, Math.min(target.length, bytes - offset));
        for (let done = 0; done < wanted; ) {
          const block = Math.floor((offset + done) / BLOCK_BYTES);
          const within = offset + done - block * BLOCK_BYTES;
          const length = Math.min(wanted - done, BLOCK_BYTES - within);
          const start = give(block) + within;
          target.set(data.subarray(start, start + length), done);
          done += length;
        }
        return wanted;
      };
      return { path: key, sizeBytes: bytes, read, close: () => undefined };
    },
  };
}

/** Hears which blocks are read; where one follows on another it asks for the next ones, twice as many each time. */
function createReadAhead(request: (block: number) => void): (block: number) => void {
  let last = Number.NaN;
  let ahead = 1;
  return (block) => {
    if (block === last) return;
    ahead = block === last + 1 ? Math.min(ahead * 2, MAX_AHEAD) : 1;
    last = block;
    if (ahead > 1) for (let next = block + 1; next <= block + ahead; next++) request(next);
  };
}

/** What is known of the slots. */
function createSlots(states: Int32Array, failures: MessagePort) {
  const reasons = new Map<number, BlockFailure>();
  const isPending = (slot: number): boolean => Atomics.load(states, slot) === SLOT.pending;
  return {
    isPending,
    expect: (slot: number): void => void Atomics.store(states, slot, SLOT.pending),
    wait: (slot: number): void => {
      while (isPending(slot)) Atomics.wait(states, slot, SLOT.pending);
    },
    /** Throws why there is no content. */
    requireReady: (slot: number, onFailure: () => void): void => {
      if (Atomics.load(states, slot) === SLOT.ready) return;
      onFailure();
      for (;;) {
        const received = receiveMessageOnPort(failures);
        if (received === undefined) break;
        const reason = received.message as BlockFailure;
        reasons.set(reason.slot, reason);
      }
      const reason = reasons.get(slot);
      throw reason ? revealError(reason.failure) : new ReelmillError("INTERNAL", "A block failed without a reason.");
    },
  };
}
