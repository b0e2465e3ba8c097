import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { ReelmillError } from "../../../base/errors.ts";
import type { ObjectInfo } from "../../../jobs/object-store.ts";
import type { Recording } from "../recordings.ts";
import { BLOCK_BYTES, type BlockFailure, revealError, type SharedBlocks, SLOT, SLOT_COUNT } from "./protocol.ts";

/** Blocks that are asked for before they are wanted, at most, where an object is read from front to back. */
const MAX_AHEAD = 8;
/** Above all numbers of blocks. */
const BLOCKS_PER_OBJECT = 2 ** 32;

/** Asks the other thread to bring blocks, one behind the other, into a slot each, whose states it then changes. */
type Fetch = (key: string, firstBlock: number, slots: readonly number[]) => void;

/** The last blocks that were read of any object; the least recently read ones make room. */
export interface BlockCache {
  /** Opens an object. Reading waits for bytes that are not there, and throws what keeps them from coming. Throws INPUT_EMPTY. */
  open(info: ObjectInfo): Recording;
}

/** A cache in memory that both threads share, to be used by the one that may wait. */
export function createBlockCache(shared: SharedBlocks, failures: MessagePort, fetch: Fetch): BlockCache {
  const slots = createSlots(new Int32Array(shared.states), failures);
  const holder = createHolder(slots);
  const data = new Uint8Array(shared.data);
  const numbers = new Map<string, number>();
  /** Asks for those of the blocks that are not held: one behind the other, at once. */
  const request = (key: string, firstId: number, firstBlock: number, count: number): void => {
    let wanted: number[] = [];
    for (let index = 0; index <= count; index++) {
      if (index < count && !holder.touch(firstId + index)) wanted.push(holder.take(firstId + index));
      else if (wanted.length > 0) {
        fetch(key, firstBlock + index - wanted.length, wanted);
        wanted = [];
      }
    }
  };
  return {
    open: ({ key, bytes }) => {
      if (bytes === 0) throw new ReelmillError("INPUT_EMPTY", `${key} is empty: there is nothing to recover.`);
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      const firstId = number * BLOCKS_PER_OBJECT;
      const blockCount = Math.ceil(bytes / BLOCK_BYTES);
      const readAhead = createReadAhead((block, count) => {
        request(key, firstId + block, block, Math.min(count, blockCount - block));
      });
      /** Where a block begins in the memory. */
      const load = (block: number): number => {
        request(key, firstId + block, block, 1);
        const slot = holder.read(firstId + block);
        slots.wait(slot);
        slots.requireReady(slot, () => holder.forget(firstId + block));
        return slot * BLOCK_BYTES;
      };
      const read = (offset: number, target: Uint8Array): number => {
        const wanted = Math.max(0, Math.min(target.length, bytes - offset));
        for (let done = 0; done < wanted; ) {
          const block = Math.floor((offset + done) / BLOCK_BYTES);
          const within = offset + done - block * BLOCK_BYTES;
          const length = Math.min(wanted - done, BLOCK_BYTES - within);
          const start = load(block) + within;
          target.set(data.subarray(start, start + length), done);
          done += length;
          // Not before its bytes are taken: what is asked for may take its place.
          readAhead(block);
        }
        return wanted;
      };
      return { path: key, sizeBytes: bytes, read, close: () => undefined };
    },
  };
}

/** Which slot holds which block, or is to. */
function createHolder(slots: ReturnType<typeof createSlots>) {
  /** Slots by block, the least recently wanted first. */
  const held = new Map<number, number>();
  /** Those of them that were asked for ahead, and not read yet. */
  const unread = new Set<number>();
  const free = Array.from({ length: SLOT_COUNT }, (_, slot) => slot);
  const makeRoom = (): number => {
    const all = [...held];
    const there = all.filter(([, candidate]) => !slots.isPending(candidate));
    // What was read is wanted less than what is about to be.
    const chosen = there.find(([id]) => !unread.has(id)) ?? there[0] ?? all[0];
    if (chosen === undefined) throw new ReelmillError("INTERNAL", "There are no slots for blocks.");
    const [id, slot] = chosen;
    slots.wait(slot);
    held.delete(id);
    unread.delete(id);
    return slot;
  };
  return {
    /** Whether it is held or on its way; it is then the last to make room. */
    touch: (id: number): boolean => {
      const slot = held.get(id);
      if (slot === undefined) return false;
      held.delete(id);
      held.set(id, slot);
      return true;
    },
    /** A slot for a block that is to be asked for. */
    take: (id: number): number => {
      const slot = free.pop() ?? makeRoom();
      held.set(id, slot);
      unread.add(id);
      slots.expect(slot);
      return slot;
    },
    /** The slot of a block that is read now. */
    read: (id: number): number => {
      const slot = held.get(id);
      if (slot === undefined) throw new ReelmillError("INTERNAL", "A block that was asked for has no slot.");
      unread.delete(id);
      return slot;
    },
    /** Gives up a block that did not come. */
    forget: (id: number): void => {
      const slot = held.get(id);
      if (slot !== undefined) free.push(slot);
      held.delete(id);
    },
  };
}

/**
 * Hears which blocks are read; where one follows on another it asks for the next ones, twice as many each time, before those that were
 * asked for are used up.
 */
function createReadAhead(request: (block: number, count: number) => void): (block: number) => void {
  let last = Number.NaN;
  let count = 1;
  let askedTo = 0;
  return (block) => {
    if (block === last) return;
    const followsOn = block === last + 1;
    last = block;
    if (!followsOn) {
      count = 1;
      askedTo = block + 1;
      return;
    }
    if (askedTo - block > count / 2) return;
    count = Math.min(count * 2, MAX_AHEAD);
    const from = Math.max(askedTo, block + 1);
    askedTo = from + count;
    request(from, count);
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
