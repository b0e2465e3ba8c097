import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";

/** Leading bytes of a sample that are learnt. */
const LEARNED_BYTES = 64;
const MAX_SAMPLES = 512;
/** With fewer samples a bit that never changed may yet: no evidence is drawn from them. */
const MIN_SAMPLES_FOR_BITS = 4;

/** What a byte of 0 counts beside another one. */
const ZERO_BYTE_WEIGHT = 0.25;

/** Where samples of varying size state their size: an unsigned number at a fixed place. */
export interface LearnedSizeField {
  readonly offsetBytes: number;
  readonly widthBytes: 2 | 4;
  readonly isBigEndian: boolean;
  /** Sample size minus the number. */
  readonly addBytes: number;
}

/** What the samples of a reference's track have in common. */
export interface LearnedStats {
  readonly sampleCount: number;
  readonly minSizeBytes: number;
  readonly maxSizeBytes: number;
  /** The leading bytes, up to 64 and never more than the shortest sample has. */
  readonly leadBytes: Uint8Array;
  /** Bits set here were the same in every sample. */
  readonly constantBits: Uint8Array;
  readonly sizeField?: LearnedSizeField;
}

/** Leading bits of a packet that are not as they always were before; absent where all are. */
export interface ChangedBits {
  readonly changedBits?: Uint8Array;
}

/** A probe for packets of a format that only a reference explains. */
export interface LearnedProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe & ChangedBits;
  /** Learns from a packet that was found: what changed once is constant no more. */
  learn(changedBits: Uint8Array): void;
}

/** Takes the first 64 bytes and the size of up to 512 samples. Sizes are the arrays' lengths: pass whole samples. */
export function learnSamples(samples: Iterable<Uint8Array>): LearnedStats {
  const heads: Uint8Array[] = [];
  const sizesBytes: number[] = [];
  for (const sample of samples) {
    heads.push(sample.slice(0, LEARNED_BYTES));
    sizesBytes.push(sample.length);
    if (heads.length === MAX_SAMPLES) break;
  }
  const minSizeBytes = sizesBytes.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const maxSizeBytes = sizesBytes.reduce((a, b) => Math.max(a, b), 0);
  const leadBytes = (heads[0] ?? new Uint8Array(0)).slice(0, Math.min(LEARNED_BYTES, minSizeBytes));
  const constantBits = new Uint8Array(leadBytes.length).fill(0xff);
  for (const head of heads) {
    for (let i = 0; i < leadBytes.length; i++) {
      constantBits[i] = (constantBits[i] ?? 0) & ~((leadBytes[i] ?? 0) ^ (head[i] ?? 0));
    }
  }
  const sizeField = findSizeField(heads, sizesBytes, leadBytes.length);
  return {
    sampleCount: heads.length,
    minSizeBytes: heads.length === 0 ? 0 : minSizeBytes,
    maxSizeBytes,
    leadBytes,
    constantBits,
    ...(sizeField === undefined ? {} : { sizeField }),
  };
}

/** Any number whose distance from the sample's size is the same in all of at least three different sizes. */
function findSizeField(
  heads: readonly Uint8Array[],
  sizesBytes: readonly number[],
  leadBytes: number,
): LearnedSizeField | undefined {
  if (new Set(sizesBytes).size < 3) return undefined;
  for (const widthBytes of [4, 2] as const) {
    for (let offsetBytes = 0; offsetBytes + widthBytes <= Math.min(32, leadBytes); offsetBytes++) {
      for (const isBigEndian of [true, false]) {
        const field = { offsetBytes, widthBytes, isBigEndian };
        const distances = new Set(heads.map((head, i) => (sizesBytes[i] ?? 0) - readField(head, 0, field)));
        const [addBytes] = distances;
        if (distances.size === 1 && addBytes !== undefined && addBytes >= 0 && addBytes <= 4096) {
          return { ...field, addBytes };
        }
      }
    }
  }
  return undefined;
}

/** A bit that never changed in the reference changes in one sample of so many: counters go on counting. log2. */
const CHANGED_BITS = 5;
/** So much of what the reference's samples have in common may be missing: other bytes miss more. */
const MAX_MISSING_SHARE = 0.5;

/**
 * A probe from `learnSamples`: a packet where the size was constant or states itself, else open between the sizes seen
 * (with half as much again either way). Bytes of 0 count a quarter: files are full of them. Bits that were always the same
 * in the reference need not be for ever; each that is not speaks against the packet.
 */
export function createLearnedProbe(stats: LearnedStats): LearnedProbe {
  const { leadBytes, sizeField } = stats;
  const constantBits = stats.constantBits.slice();
  const evidence = (): number => {
    const known = { ...stats, constantBits };
    return stats.sampleCount < MIN_SAMPLES_FOR_BITS ? wholeByteEvidence(known) : bitEvidence(known);
  };
  let usualBits = evidence();
  const changedAt = (bytes: Uint8Array, startIndex: number): Uint8Array =>
    constantBits.map((mask, i) => ((bytes[startIndex + i] ?? 0) ^ (leadBytes[i] ?? 0)) & mask);
  const isConstant = stats.minSizeBytes === stats.maxSizeBytes;
  const minSizeBytes = Math.max(1, Math.floor(stats.minSizeBytes / 2));
  const maxSizeBytes = Math.max(minSizeBytes, Math.ceil(stats.maxSizeBytes * 1.5));
  const sizeAt = (bytes: Uint8Array, startIndex: number, evidenceBits: number): PacketProbe => {
    if (isConstant) return { kind: "packet", sizeBytes: stats.maxSizeBytes, evidenceBits, isSync: true };
    if (sizeField === undefined) return { kind: "open", minSizeBytes, maxSizeBytes, evidenceBits, isSync: true };
    const sizeBytes = readField(bytes, startIndex, sizeField) + sizeField.addBytes;
    if (sizeBytes < minSizeBytes || sizeBytes > maxSizeBytes) return NO_PACKET;
    const spreadBits = sizeField.widthBytes * 8 - Math.log2(maxSizeBytes - minSizeBytes + 1);
    return { kind: "packet", sizeBytes, evidenceBits: evidenceBits + Math.max(0, spreadBits / 2), isSync: true };
  };
  return {
    probe(bytes, startIndex, endIndex) {
      if (stats.sampleCount === 0 || stats.maxSizeBytes === 0) return NO_PACKET;
      const visible = Math.min(leadBytes.length, endIndex - startIndex);
      let missingBits = 0;
      for (let i = 0; i < visible; i++) {
        const changed = ((bytes[startIndex + i] ?? 0) ^ (leadBytes[i] ?? 0)) & (constantBits[i] ?? 0);
        if (changed === 0) continue;
        missingBits += countOnes(changed) * (CHANGED_BITS + (leadBytes[i] === 0 ? ZERO_BYTE_WEIGHT : 1));
        if (missingBits > usualBits * MAX_MISSING_SHARE) return NO_PACKET;
      }
      const evidenceBits = usualBits - missingBits;
      if (visible < leadBytes.length) return { kind: "more", neededBytes: leadBytes.length };
      const found = sizeAt(bytes, startIndex, evidenceBits);
      return found.kind === "no" || missingBits === 0 ? found : { ...found, changedBits: changedAt(bytes, startIndex) };
    },
    learn(changedBits) {
      for (let i = 0; i < constantBits.length; i++) constantBits[i] = (constantBits[i] ?? 0) & ~(changedBits[i] ?? 0);
      usualBits = evidence();
    },
  };
}

function bitEvidence({ leadBytes, constantBits }: LearnedStats): number {
  let evidenceBits = 0;
  constantBits.forEach((mask, i) => {
    evidenceBits += countOnes(mask) * (leadBytes[i] === 0 ? ZERO_BYTE_WEIGHT : 1);
  });
  return evidenceBits;
}

/** Of two or three samples only whole equal bytes count; of one, nothing does. */
function wholeByteEvidence({ sampleCount, leadBytes, constantBits }: LearnedStats): number {
  if (sampleCount < 2) return 0;
  let evidenceBits = 0;
  constantBits.forEach((mask, i) => {
    if (mask === 0xff) evidenceBits += leadBytes[i] === 0 ? 1 : 4;
  });
  return evidenceBits;
}

function countOnes(byte: number): number {
  let ones = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) ones++;
  return ones;
}

function readField(bytes: Uint8Array, index: number, field: Omit<LearnedSizeField, "addBytes">): number {
  let value = 0;
  for (let i = 0; i < field.widthBytes; i++) {
    const at = index + field.offsetBytes + (field.isBigEndian ? i : field.widthBytes - 1 - i);
    value = value * 256 + (bytes[at] ?? 0);
  }
  return value;
}
