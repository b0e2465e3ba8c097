import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";

/** Finds samples of GoPro's `fdsc` track: records that begin `GP` and a kind. */
export interface FdscProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** The file's own record, `GPRO`, states its length as a little-endian number after the name. */
const FILE_KIND = 0x52;
/** The one long kind that is known without a reference. */
const USUAL_SIZES_BYTES: ReadonlyMap<number, number> = new Map([[0x03, 152]]);
/** All other kinds that have been seen are below 16 and as long as this. */
const SHORT_RECORD_BYTES = 16;
const MAX_SIZE_BYTES = 4096;

/** Length of the records of each kind (third byte) in a reference's samples. */
export function learnFdscSizes(samples: Iterable<Uint8Array>): ReadonlyMap<number, number> {
  const sizesBytes = new Map<number, number>();
  for (const sample of samples) {
    const kind = sample[2];
    if (sample[0] === 0x47 && sample[1] === 0x50 && kind !== undefined) sizesBytes.set(kind, sample.length);
  }
  return sizesBytes;
}

/** A probe for `fdsc`; `sizesBytes` is what `learnFdscSizes` found. */
export function createFdscProbe(sizesBytes: ReadonlyMap<number, number> = USUAL_SIZES_BYTES): FdscProbe {
  return {
    probe(bytes, startIndex, endIndex) {
      const visibleBytes = endIndex - startIndex;
      if (visibleBytes > 0 && bytes[startIndex] !== 0x47) return NO_PACKET;
      if (visibleBytes < 8) return { kind: "more", neededBytes: 8 };
      if (bytes[startIndex + 1] !== 0x50) return NO_PACKET;
      const kind = bytes[startIndex + 2] ?? 0;
      const statedBytes = ((bytes[startIndex + 5] ?? 0) << 8) | (bytes[startIndex + 4] ?? 0);
      const isFile = kind === FILE_KIND && bytes[startIndex + 3] === 0x4f;
      const shortBytes = kind < 16 ? SHORT_RECORD_BYTES : undefined;
      const sizeBytes = isFile ? statedBytes : (sizesBytes.get(kind) ?? shortBytes);
      if (sizeBytes === undefined || sizeBytes < 8 || sizeBytes > MAX_SIZE_BYTES) return NO_PACKET;
      return { kind: "packet", sizeBytes, evidenceBits: isFile ? 36 : 20, isSync: true };
    },
  };
}
