import { deflateRawSync, inflateRawSync } from "node:zlib";
import { ReelmillError } from "../base/errors.ts";

const LOW_BITS = 128;

/**
 * Whole numbers as text, small where they rise evenly: what each adds to the one before, in groups of seven bits with the lowest first
 * and the sign in the lowest bit, deflated, as base64. A plan keeps the times of a day of pictures in some kilobytes so.
 */
export function packTicks(ticks: ArrayLike<number>): string {
  const bytes = new Uint8Array(9 * ticks.length);
  let length = 0;
  let before = 0;
  for (let index = 0; index < ticks.length; index++) {
    const at = ticks[index] as number;
    const difference = at - before;
    if (!Number.isSafeInteger(at) || !Number.isSafeInteger(2 * difference)) {
      throw new ReelmillError("INTERNAL", `A picture's time of ${at} ticks, ${difference} behind the one before.`);
    }
    let rest = difference < 0 ? -2 * difference - 1 : 2 * difference;
    while (rest >= LOW_BITS) {
      bytes[length++] = (rest % LOW_BITS) + LOW_BITS;
      rest = Math.floor(rest / LOW_BITS);
    }
    bytes[length++] = rest;
    before = at;
  }
  return deflateRawSync(bytes.subarray(0, length)).toString("base64");
}

/** What `packTicks` packed. */
export function unpackTicks(packed: string): Float64Array {
  const bytes = inflate(packed);
  const ticks = new Float64Array(bytes.reduce((count, byte) => (byte < LOW_BITS ? count + 1 : count), 0));
  let count = 0;
  for (const at of decodeTicks(bytes)) ticks[count++] = at;
  return ticks;
}

/** As `unpackTicks`, one after the other: those of a day take no memory so. */
export function eachTick(packed: string): Generator<number> {
  return decodeTicks(inflate(packed));
}

function inflate(packed: string): Uint8Array {
  return inflateRawSync(Buffer.from(packed, "base64"));
}

function* decodeTicks(bytes: Uint8Array): Generator<number> {
  let at = 0;
  let value = 0;
  let unit = 1;
  for (const byte of bytes) {
    value += (byte % LOW_BITS) * unit;
    unit *= LOW_BITS;
    if (byte >= LOW_BITS) continue;
    at += value % 2 === 1 ? -(value + 1) / 2 : value / 2;
    yield at;
    value = 0;
    unit = 1;
  }
}
