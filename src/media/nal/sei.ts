import type { RbspReader } from "./rbsp-reader.ts";

const RECOVERY_POINT = 6;
/** rbsp_trailing_bits on a byte boundary: the stop bit and seven zeros. */
const TRAILING_BYTE = 0x80;
/** Some writers leave zero bytes behind the trailing bits. */
const MAX_TRAILING_BYTES = 4;
/** Types in use end near 205; none needs a second byte. */
const MAX_PAYLOAD_TYPE = 254;
/** Sizes that lead exactly to the end, and the trailing byte there. */
const EXACT_END_BITS = 14;
const BARE_END_BITS = 6;
/** An SEI NAL unit longer than this (a picture inside, say) is no sample's start that could be told from noise. */
export const MAX_SEI_BYTES = 256 * 1024;
/** Type, size and the trailing byte. */
const MIN_MESSAGE_BYTES = 3;
/** A list of messages longer than this is no list that any encoder writes. */
const MAX_MESSAGES = 64;

/** What a chain of SEI messages says of itself. */
export interface SeiFindings {
  /** −log2 of the chance that random bytes form such a chain. */
  readonly evidenceBits: number;
  /**
   * The first code of a recovery point message: recovery_frame_cnt (H.264 §D.1.8), or the code number of
   * recovery_poc_cnt (H.265 §D.2.8). Undefined where there is no such message.
   */
  readonly recoveryCode: number | undefined;
}

/**
 * Walks the messages of an SEI NAL unit (ITU-T H.264 §7.3.2.3.1, H.265 §7.3.5). Returns undefined where sizes and
 * the NAL unit's end contradict each other. `bytesHidden` bytes of the unit follow on those that the reader sees.
 */
export function walkSei(reader: RbspReader, bytesHidden: number): SeiFindings | undefined {
  let recoveryCode: number | undefined;
  for (let count = 0; count < MAX_MESSAGES; count++) {
    const payloadType = readSevenEights(reader);
    const sizeBytes = readSevenEights(reader);
    if (reader.isBroken || sizeBytes > reader.maxBytesLeft + bytesHidden) return undefined;
    if (payloadType > MAX_PAYLOAD_TYPE) return undefined;
    // An unseen end proves nothing: nearly any bytes can be read as the beginning of a chain.
    if (sizeBytes > reader.maxBytesLeft) return { evidenceBits: 0, recoveryCode };
    if (payloadType === RECOVERY_POINT && sizeBytes > 0) recoveryCode = skipReadingUe(reader, sizeBytes);
    else skipBytes(reader, sizeBytes);
    if (reader.isBroken) return undefined;
    const end = readEnd(reader, bytesHidden);
    if (end === "end") return { evidenceBits: EXACT_END_BITS, recoveryCode };
    if (end === "bare") return { evidenceBits: BARE_END_BITS, recoveryCode };
    if (end === "broken") return undefined;
    if (end === "hidden") return { evidenceBits: 0, recoveryCode };
  }
  return undefined;
}

/** A payload type or size: bytes of 255 add up, the first smaller one ends it (H.264 §7.3.2.3.1). */
function readSevenEights(reader: RbspReader): number {
  let value = 0;
  while (!reader.isBroken) {
    const byte = reader.bits(8);
    value += byte;
    if (byte !== 255) return value;
  }
  return value;
}

function skipBytes(reader: RbspReader, count: number): void {
  for (let left = count; left > 0 && !reader.isBroken; left -= 3) reader.bits(8 * Math.min(3, left));
}

/** Reads the ue(v) at the front of a payload and moves past the whole payload. */
function skipReadingUe(reader: RbspReader, sizeBytes: number): number {
  const headBytes = Math.min(3, sizeBytes);
  const head = reader.bits(8 * headBytes) << (32 - 8 * headBytes);
  skipBytes(reader, sizeBytes - headBytes);
  const zeros = Math.clz32(head);
  return zeros > 11 ? 0 : (head >>> (31 - 2 * zeros)) - 1;
}

type SeiEnd = "end" | "bare" | "more" | "hidden" | "broken";

/** What follows a message: another one, the trailing bits, or (against the specification, but seen) nothing. */
function readEnd(reader: RbspReader, bytesHidden: number): SeiEnd {
  const left = reader.maxBytesLeft;
  if (bytesHidden > 0) return left < 2 ? "hidden" : "more";
  if (left === 0) return "bare";
  if (left <= MAX_TRAILING_BYTES && reader.peekByte() === TRAILING_BYTE) return "end";
  return left >= MIN_MESSAGE_BYTES ? "more" : "broken";
}
