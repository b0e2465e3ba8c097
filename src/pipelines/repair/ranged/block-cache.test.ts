import { MessageChannel } from "node:worker_threads";
import fc from "fast-check";
import { expect, it } from "vitest";
import { ReelmillError } from "../../../base/errors.ts";
import type { ObjectStore } from "../../../jobs/object-store.ts";
import { createBlockCache } from "./block-cache.ts";
import { createBlockServer } from "./block-server.ts";
import { BLOCK_BYTES, carryError, type SharedBlocks, SLOT, SLOT_COUNT } from "./protocol.ts";

const BYTES = 40 * BLOCK_BYTES - 12_345;
const INFO = { key: "k", bytes: BYTES, modifiedAtMs: 0, tag: "t" };

function createBlocks(): SharedBlocks {
  return {
    states: new SharedArrayBuffer(4 * SLOT_COUNT),
    data: new SharedArrayBuffer(SLOT_COUNT * BLOCK_BYTES),
  };
}

/** Content of which every stretch of some bytes is at one place alone. */
function makeContent(): Uint8Array {
  const words = new Uint32Array(Math.ceil(BYTES / 4));
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index, 2_654_435_761);
  return new Uint8Array(words.buffer, 0, BYTES);
}

const WHOLE = makeContent();

/** A cache over blocks that are there as soon as they are asked for, and how many were asked for at a time. */
function createFilled() {
  const blocks = createBlocks();
  const asked: number[] = [];
  const { port1, port2 } = new MessageChannel();
  const cache = createBlockCache(blocks, port2, (_key, firstBlock, slots) => {
    asked.push(slots.length);
    for (const [index, slot] of slots.entries()) {
      const start = (firstBlock + index) * BLOCK_BYTES;
      new Uint8Array(blocks.data).set(WHOLE.subarray(start, start + BLOCK_BYTES), slot * BLOCK_BYTES);
      Atomics.store(new Int32Array(blocks.states), slot, SLOT.ready);
    }
  });
  return { source: cache.open(INFO), cache, asked, close: () => port1.close() };
}

it("gives the bytes of whatever range, clipped to the object", () => {
  const { source, close } = createFilled();
  const offset = fc.integer({ min: 0, max: BYTES + 10 });
  fc.assert(
    fc.property(offset, fc.integer({ min: 0, max: 3 * BLOCK_BYTES }), (start, length) => {
      const target = new Uint8Array(length);
      const got = source.read(start, target);
      expect(got).toBe(Math.max(0, Math.min(length, BYTES - start)));
      expect(Buffer.compare(target.subarray(0, got), WHOLE.subarray(start, start + got))).toBe(0);
    }),
    { numRuns: 60 },
  );
  close();
});

it("asks for much at a time where it is read from front to back, and for one block where it jumps", () => {
  const { source, asked, close } = createFilled();
  const target = new Uint8Array(16);
  for (let offset = 0; offset < BYTES; offset += 50_000) source.read(offset, target);
  expect(asked.reduce((sum, count) => sum + count, 0)).toBe(40);
  expect(asked.length).toBeLessThan(10);
  asked.length = 0;
  for (const block of [3, 30, 9, 25]) source.read(block * BLOCK_BYTES, target);
  expect(asked.every((count) => count === 1)).toBe(true);
  close();
});

it("tells objects apart", () => {
  const { cache, asked, source, close } = createFilled();
  const other = cache.open({ ...INFO, key: "other" });
  for (const reader of [source, other, source, other]) reader.read(0, new Uint8Array(1));
  expect(asked).toEqual([1, 1]);
  expect(() => cache.open({ ...INFO, bytes: 0 })).toThrow(expect.objectContaining({ code: "INPUT_EMPTY" }));
  close();
});

it("throws why a block did not come, and asks for it again the next time", () => {
  const blocks = createBlocks();
  const { port1, port2 } = new MessageChannel();
  let tries = 0;
  const cache = createBlockCache(blocks, port2, (_key, _block, slots) => {
    tries += 1;
    for (const slot of slots) {
      const failure = carryError(new ReelmillError("STORE_UNAVAILABLE", `Away, ${tries}.`, { advice: "Wait." }));
      if (tries < 3) port1.postMessage({ slot, failure });
      Atomics.store(new Int32Array(blocks.states), slot, tries < 3 ? SLOT.failed : SLOT.ready);
    }
  });
  const source = cache.open(INFO);
  const read = (): number => source.read(0, new Uint8Array(4));
  expect(read).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE", message: "Away, 1. Wait." }));
  expect(read).toThrow("Away, 2.");
  expect(read()).toBe(4);
  port1.close();
});

it.each([
  ["less", [BLOCK_BYTES, 5]],
  ["more", [2 * BLOCK_BYTES, 1]],
])("does not take blocks for whole where the store gives %s than was asked for", async (_, chunks) => {
  const blocks = createBlocks();
  const { port1, port2 } = new MessageChannel();
  const read: ObjectStore["read"] = async () =>
    (async function* () {
      for (const length of chunks) yield new Uint8Array(length);
    })();
  const server = createBlockServer(read, [INFO], blocks, port1);
  await server.fetch("k", 0, [0, 1]);
  const states = new Int32Array(blocks.states);
  expect([states[0], states[1]]).toEqual(chunks[1] === 1 ? [SLOT.ready, SLOT.ready] : [SLOT.ready, SLOT.failed]);
  await server.fetch("unknown", 0, [3]);
  expect(states[3]).toBe(SLOT.failed);
  port2.close();
});
