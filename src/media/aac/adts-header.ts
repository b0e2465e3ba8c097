import { ReelmillError } from "../../base/errors.ts";

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
  /** channel_configuration, 0 to 7; 0 says that the frames themselves tell. */
  readonly channelConfiguration: number;
}

/** The 7 bytes before a frame of so many bytes, without CRC; the buffer is said to vary. Frames are at most 8184 bytes. */
export function serializeAdtsHeader(
  {
    objectType,
    rateIndex,
    channelConfiguration,
  }: Pick<AdtsHeader, "objectType" | "rateIndex" | "channelConfiguration">,
  frameBytes: number,
): Uint8Array {
  const sizeBytes = frameBytes + ADTS_HEADER_BYTES;
  if (objectType < 1 || objectType > 4 || channelConfiguration > 7 || sizeBytes > MAX_FRAME_BYTES) {
    const found = `object type ${objectType}, channel configuration ${channelConfiguration}, ${sizeBytes} bytes`;
    throw new ReelmillError("MEDIA_MALFORMED", `ADTS cannot carry this AAC frame: ${found}.`);
  }
  return Uint8Array.of(
    0xff,
    0xf1,
    ((objectType - 1) << 6) | (rateIndex << 2) | (channelConfiguration >> 2),
    ((channelConfiguration & 3) << 6) | (sizeBytes >> 11),
    (sizeBytes >> 3) & 0xff,
    ((sizeBytes & 7) << 5) | 0x1f,
    0xfc,
  );
}

/** Bytes that always suffice for `parseAdtsHeader`. */
export const ADTS_HEADER_BYTES = 7;
const MAX_RATE_INDEX = 12;
/** The length has 13 bits. */
const MAX_FRAME_BYTES = 8191;

/** Parses the ADTS header at `bytes[index]`; undefined where there is none or fewer than 7 bytes are left. */
export function parseAdtsHeader(bytes: Uint8Array, index: number): AdtsHeader | undefined {
  if (index < 0 || index + ADTS_HEADER_BYTES > bytes.length) return undefined;
  const at = (offset: number): number => bytes[index + offset] as number;
  if (at(0) !== 0xff || (at(1) & 0xf6) !== 0xf0) return undefined;
  const headerBytes = (at(1) & 1) === 1 ? 7 : 9;
  const rateIndex = (at(2) >> 2) & 15;
  const sizeBytes = ((at(3) & 3) << 11) | (at(4) << 3) | (at(5) >> 5);
  if (rateIndex > MAX_RATE_INDEX || sizeBytes <= headerBytes) return undefined;
  const channelConfiguration = ((at(2) & 1) << 2) | (at(3) >> 6);
  return { sizeBytes, headerBytes, objectType: (at(2) >> 6) + 1, rateIndex, channelConfiguration };
}
