import type { ByteSource } from "../bytes/byte-source.ts";
import { fourccAt, isPlausibleType } from "./box-reader.ts";

/** More boxes than this are not listed: only hostile files, and fragmented ones of weeks, have them. */
const MAX_BOXES = 1_000_000;
const LARGE_HEADER_BYTES = 16;

/** A box that stands in the file itself, not inside another. */
export interface TopLevelBox {
  readonly type: string;
  /** Absolute offset of the header. */
  readonly offsetBytes: number;
  /** 8, or 16 with a 64-bit size. */
  readonly headerBytes: number;
  /** Header and payload, cut to what the source holds. */
  readonly sizeBytes: number;
  /** What the header says (at most 2^53 − 1); for `to-end` the bytes to the source's end. */
  readonly declaredSizeBytes: number;
  /** How the size is told: 32 bits, 64 bits, or by reaching to the end of the file (size 0, or a 64-bit size of 0). */
  readonly sizeKind: "normal" | "large" | "to-end";
}

/**
 * Walks the boxes from `startBytes` on, ISO/IEC 14496-12 §4.2. Never throws. Stops at the source's end, at the first
 * bytes that cannot be a box header, and after a million boxes; `topLevelEndBytes` tells where.
 */
export function* eachTopLevelBox(source: ByteSource, startBytes = 0): Generator<TopLevelBox> {
  const header = new Uint8Array(LARGE_HEADER_BYTES);
  let offsetBytes = startBytes;
  for (let count = 0; count < MAX_BOXES; count++) {
    const box = readHeader(source, offsetBytes, header);
    if (box === undefined) return;
    yield box;
    offsetBytes += box.sizeBytes;
  }
}

/** All that `eachTopLevelBox` walks. */
export function scanTopLevelBoxes(source: ByteSource, startBytes = 0): readonly TopLevelBox[] {
  return [...eachTopLevelBox(source, startBytes)];
}

/** Where the walk stopped: the end of the last box listed, `startBytes` where none is. */
export function topLevelEndBytes(boxes: readonly TopLevelBox[], startBytes = 0): number {
  const last = boxes.at(-1);
  return last === undefined ? startBytes : last.offsetBytes + last.sizeBytes;
}

function readHeader(source: ByteSource, offsetBytes: number, header: Uint8Array): TopLevelBox | undefined {
  const leftBytes = source.sizeBytes - offsetBytes;
  const got = leftBytes < 8 ? 0 : source.read(offsetBytes, header);
  if (got < 8) return undefined;
  const type = fourccAt(header, 4);
  if (!isPlausibleType(type)) return undefined;
  const view = new DataView(header.buffer);
  const size32 = view.getUint32(0);
  if (size32 !== 1) {
    if (size32 === 0) return toEnd(type, offsetBytes, 8, leftBytes);
    if (size32 < 8) return undefined;
    const sizeBytes = Math.min(size32, leftBytes);
    return { type, offsetBytes, headerBytes: 8, sizeBytes, declaredSizeBytes: size32, sizeKind: "normal" };
  }
  if (got < LARGE_HEADER_BYTES) return undefined;
  const size64 = Number(view.getBigUint64(8));
  if (size64 === 0) return toEnd(type, offsetBytes, LARGE_HEADER_BYTES, leftBytes);
  if (size64 < LARGE_HEADER_BYTES) return undefined;
  const declaredSizeBytes = Math.min(size64, Number.MAX_SAFE_INTEGER);
  const sizeBytes = Math.min(declaredSizeBytes, leftBytes);
  return { type, offsetBytes, headerBytes: LARGE_HEADER_BYTES, sizeBytes, declaredSizeBytes, sizeKind: "large" };
}

function toEnd(type: string, offsetBytes: number, headerBytes: number, leftBytes: number): TopLevelBox {
  return { type, offsetBytes, headerBytes, sizeBytes: leftBytes, declaredSizeBytes: leftBytes, sizeKind: "to-end" };
}
