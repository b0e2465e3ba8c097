import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import { readU32 } from "./read-u32.ts";

/** One key of a `mebx` sample entry. */
export interface MebxKey {
  /** The local id that stands in the samples in the place of a box type. */
  readonly localId: number;
  /** The key's name, e.g. `com.apple.quicktime.detected-face`; empty where there is none. */
  readonly name: string;
}

/** Finds timed metadata samples (`mebx`): a chain of boxes whose types are local key ids. */
export interface MebxProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

const MAX_KEYS = 1024;
const KEYD = 0x6b657964;
/** Longest value that is believed. */
const MAX_VALUE_BYTES = 1 << 20;

/** A sample that says there is no value at its time: one empty box with the id 0. Seven bytes of 0 are weak evidence. */
const NO_VALUE: PacketProbe = { kind: "packet", sizeBytes: 8, evidenceBits: 16, isSync: true };

/**
 * Reads the payload of the `keys` box of a `mebx` entry (QuickTime File Format, "Timed Metadata Sample Descriptions");
 * what follows a box that does not fit is left out.
 */
export function parseMebxKeys(payload: Uint8Array): readonly MebxKey[] {
  const keys: MebxKey[] = [];
  let index = 0;
  while (index + 8 <= payload.length && keys.length < MAX_KEYS) {
    const sizeBytes = readU32(payload, index);
    if (sizeBytes < 8 || index + sizeBytes > payload.length) break;
    keys.push({ localId: readU32(payload, index + 4), name: readKeyName(payload, index + 8, index + sizeBytes) });
    index += sizeBytes;
  }
  return keys;
}

/** `keyd`: a namespace of four characters, then the name. */
function readKeyName(payload: Uint8Array, startIndex: number, endIndex: number): string {
  let index = startIndex;
  while (index + 12 <= endIndex) {
    const sizeBytes = readU32(payload, index);
    if (sizeBytes < 8 || index + sizeBytes > endIndex) break;
    if (readU32(payload, index + 4) === KEYD) {
      return String.fromCharCode(...payload.subarray(index + 12, Math.min(index + sizeBytes, index + 12 + 512)));
    }
    index += sizeBytes;
  }
  return "";
}

/** What a reference's samples showed of the chain; a field left out is not known. */
export interface MebxPattern {
  /** Boxes per sample, where all samples hold as many: spares the look at what follows. */
  readonly boxesPerSample?: number;
  readonly minSizeBytes?: number;
  readonly maxSizeBytes?: number;
}

/** Learns the pattern of a track from some of its samples. */
export function learnMebxPattern(samples: Iterable<Uint8Array>): MebxPattern {
  const counts = new Set<number>();
  let minSizeBytes = Number.POSITIVE_INFINITY;
  let maxSizeBytes = 0;
  for (const sample of samples) {
    counts.add(countBoxes(sample));
    minSizeBytes = Math.min(minSizeBytes, sample.length);
    maxSizeBytes = Math.max(maxSizeBytes, sample.length);
  }
  if (maxSizeBytes === 0) return {};
  const [boxesPerSample] = counts;
  return {
    minSizeBytes,
    maxSizeBytes,
    ...(counts.size === 1 && boxesPerSample !== undefined ? { boxesPerSample } : {}),
  };
}

function countBoxes(sample: Uint8Array): number {
  let index = 0;
  let count = 0;
  while (index + 8 <= sample.length) {
    const sizeBytes = readU32(sample, index);
    if (sizeBytes < 8) break;
    index += sizeBytes;
    count++;
  }
  return count;
}

const UNUSUAL_SIZE_BITS = -12;
const MOST_SPREAD_BITS = 8;

/** What a size says for a track: tracks of one recorder use the same ids, and some hold samples of one size. */
function createSizeBits({ minSizeBytes, maxSizeBytes }: MebxPattern): (sizeBytes: number) => number {
  if (minSizeBytes === undefined || maxSizeBytes === undefined) return () => 0;
  const spreadBits = Math.min(MOST_SPREAD_BITS, Math.log2(maxSizeBytes - minSizeBytes + 1));
  return (sizeBytes) => (sizeBytes >= minSizeBytes && sizeBytes <= maxSizeBytes ? -spreadBits : UNUSUAL_SIZE_BITS);
}

/**
 * A probe for `mebx`. The chain goes on while boxes of the entry's keys follow that the sample does not hold yet, or
 * for `boxesPerSample` boxes. `localIds` are those of the entry, at least one.
 */
export function createMebxProbe(localIds: Iterable<number>, pattern: MebxPattern = {}): MebxProbe {
  const allowed = new Set(localIds);
  const sizeBits = createSizeBits(pattern);
  const boxLimit = pattern.boxesPerSample ?? (allowed.size === 1 ? 1 : allowed.size + 1);
  return {
    probe(bytes, startIndex, endIndex) {
      const seen = new Set<number>();
      let index = startIndex;
      let evidenceBits = 0;
      for (let boxes = 0; boxes < boxLimit; boxes++) {
        if (endIndex - index < 8) return { kind: "more", neededBytes: index - startIndex + 8 };
        const sizeBytes = readU32(bytes, index);
        const localId = readU32(bytes, index + 4);
        if (boxes === 0 && localId === 0 && sizeBytes === 8 && !allowed.has(0)) return NO_VALUE;
        const isRepeated = pattern.boxesPerSample === undefined && seen.has(localId);
        if (!allowed.has(localId) || sizeBytes < 8 || sizeBytes > MAX_VALUE_BYTES || isRepeated) break;
        seen.add(localId);
        index += sizeBytes;
        // The id is small in practice: its leading zeros count half, like those of the size.
        evidenceBits += 18 - Math.log2(allowed.size) + 6;
      }
      const sampleBytes = index - startIndex;
      if (sampleBytes === 0) return NO_PACKET;
      return {
        kind: "packet",
        sizeBytes: sampleBytes,
        evidenceBits: evidenceBits + sizeBits(sampleBytes),
        isSync: true,
      };
    },
  };
}
