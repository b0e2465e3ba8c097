import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";

/** What an ADTS header says (ISO/IEC 14496-3 §1.A.2.2). */
export interface AdtsHeader {
  /** Length of the whole frame, header included. */
  readonly sizeBytes: number;
  /** 7 bytes, or 9 with a CRC. */
  readonly headerBytes: 7 | 9;
  /** Audio object type, 1 to 4. */
  readonly objectType: number;
  /** Sampling frequency index, 0 to 12. */
  readonly rateIndex: number;
  /** channel_configuration, 0 to 7. */
  readonly channelConfiguration: number;
  /** Raw data blocks in the frame, 1 to 4, of 1024 samples each. */
  readonly blockCount: number;
}

const HEADER_BYTES = 7;
/** Syncword and layer. */
const FIXED_EVIDENCE_BITS = 14;
const MAX_RATE_INDEX = 12;

/** Parses the ADTS header at `bytes[index]`; undefined where there is none or fewer than 7 bytes are left. */
export function parseAdtsHeader(bytes: Uint8Array, index: number): AdtsHeader | undefined {
  if (index + HEADER_BYTES > bytes.length) return undefined;
  const at = (offset: number): number => bytes[index + offset] as number;
  if (at(0) !== 0xff || (at(1) & 0xf6) !== 0xf0) return undefined;
  const headerBytes = (at(1) & 1) === 1 ? 7 : 9;
  const rateIndex = (at(2) >> 2) & 15;
  const sizeBytes = ((at(3) & 3) << 11) | (at(4) << 3) | (at(5) >> 5);
  if (rateIndex > MAX_RATE_INDEX || sizeBytes <= headerBytes) return undefined;
  return {
    sizeBytes,
    headerBytes,
    objectType: (at(2) >> 6) + 1,
    rateIndex,
    channelConfiguration: ((at(2) & 1) << 2) | (at(3) >> 6),
    blockCount: (at(6) & 3) + 1,
  };
}

/** Probes an ADTS frame at `bytes[startIndex]`: size from its header, and the next header where it is visible. */
export function probeAdts(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe {
  const end = Math.min(endIndex, bytes.length);
  if (startIndex < end && bytes[startIndex] !== 0xff) return NO_PACKET;
  if (startIndex + 2 <= end && ((bytes[startIndex + 1] as number) & 0xf6) !== 0xf0) return NO_PACKET;
  if (startIndex + HEADER_BYTES > end) return { kind: "more", neededBytes: HEADER_BYTES };
  const header = parseAdtsHeader(bytes, startIndex);
  if (header === undefined) return NO_PACKET;
  const { sizeBytes, blockCount } = header;
  const followsOn = hasSameFixedHeader(bytes, startIndex, startIndex + sizeBytes, end);
  const evidenceBits = FIXED_EVIDENCE_BITS + (followsOn ? 2 * FIXED_EVIDENCE_BITS : 0);
  return { kind: "packet", sizeBytes, evidenceBits, isSync: true, durationSamples: 1024 * blockCount };
}

/** Whether the 28 bits that stay the same within a stream stand at both places, the private bit aside. */
function hasSameFixedHeader(bytes: Uint8Array, first: number, second: number, end: number): boolean {
  if (second + 4 > end) return false;
  return (
    bytes[first] === bytes[second] &&
    bytes[first + 1] === bytes[second + 1] &&
    ((bytes[first + 2] as number) & 0xfd) === ((bytes[second + 2] as number) & 0xfd) &&
    ((bytes[first + 3] as number) & 0xf0) === ((bytes[second + 3] as number) & 0xf0)
  );
}
