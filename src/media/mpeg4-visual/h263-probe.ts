import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";

/** Finds H.263 samples (`s263`, `h263`): one picture each. */
export interface H263Probe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** Bytes of the uncompressed picture by source format (ITU-T H.263 §5.1.3): sub-QCIF, QCIF, CIF, 4CIF, 16CIF. */
const MAX_SIZE_BYTES = [0, 18432, 38016, 152064, 608256, 2433024] as const;
const EXTENDED_FORMAT = 7;

/** A probe for H.263 (ITU-T H.263 §5.1). Pictures do not state their end, so it is open. */
export function createH263Probe(): H263Probe {
  return {
    probe(bytes, startIndex, endIndex) {
      const visibleBytes = endIndex - startIndex;
      // Picture start code: 22 bits, 16 zeros and 1 00000; then the temporal reference.
      if (visibleBytes > 0 && bytes[startIndex] !== 0) return NO_PACKET;
      if (visibleBytes < 8) return { kind: "more", neededBytes: 8 };
      const third = bytes[startIndex + 2] as number;
      if (bytes[startIndex + 1] !== 0 || (third & 0xfc) !== 0x80) return NO_PACKET;
      const fourth = bytes[startIndex + 3] as number;
      const fifth = bytes[startIndex + 4] as number;
      // PTYPE begins 1, 0; then split screen, document camera, freeze release and three bits of source format.
      if ((fourth & 3) !== 2) return NO_PACKET;
      const sourceFormat = (fifth >>> 2) & 7;
      const isExtended = sourceFormat === EXTENDED_FORMAT;
      const maxSizeBytes = isExtended ? 2433024 : MAX_SIZE_BYTES[sourceFormat];
      if (maxSizeBytes === undefined || maxSizeBytes === 0) return NO_PACKET;
      const isSync = !isExtended && (fifth & 2) === 0;
      return { kind: "open", minSizeBytes: 8, maxSizeBytes, evidenceBits: 18 + 2 + 0.4, isSync };
    },
  };
}
