/** Bytes of a transport stream packet (ISO/IEC 13818-1 §2.4.3.2). */
export const TS_PACKET_BYTES = 188;
/** First byte of every packet. */
export const TS_SYNC_BYTE = 0x47;

/** One transport stream packet. */
export interface TsPacket {
  /** 0 to 8191; 8191 is padding. */
  readonly pid: number;
  /** payload_unit_start_indicator: a PES packet or a section begins in it. */
  readonly isUnitStart: boolean;
  /** 0 to 15, counting the packets of a PID that have a payload. */
  readonly continuityCounter: number;
  /** discontinuity_indicator: the counter may jump here. */
  readonly isDiscontinuity: boolean;
  readonly isScrambled: boolean;
  /** A view; empty where the packet has none. */
  readonly payload: Uint8Array;
}

/** Parses the packet at `bytes[index]`, of which 188 bytes are there. Undefined where it is none. */
export function parseTsPacket(bytes: Uint8Array, index: number): TsPacket | undefined {
  const at = (offset: number): number => bytes[index + offset] as number;
  if (index + TS_PACKET_BYTES > bytes.length || at(0) !== TS_SYNC_BYTE || (at(1) & 0x80) !== 0) return undefined;
  const hasAdaptation = (at(3) & 0x20) !== 0;
  const hasPayload = (at(3) & 0x10) !== 0;
  const adaptationBytes = hasAdaptation ? 1 + at(4) : 0;
  if (4 + adaptationBytes > TS_PACKET_BYTES) return undefined;
  return {
    pid: ((at(1) & 0x1f) << 8) | at(2),
    isUnitStart: (at(1) & 0x40) !== 0,
    continuityCounter: at(3) & 15,
    isDiscontinuity: adaptationBytes > 1 && (at(5) & 0x80) !== 0,
    isScrambled: (at(3) & 0xc0) !== 0,
    payload: bytes.subarray(index + (hasPayload ? 4 + adaptationBytes : TS_PACKET_BYTES), index + TS_PACKET_BYTES),
  };
}
