/** OBU types of AV1 bitstream specification §6.2.2. */
export const OBU_SEQUENCE_HEADER = 1;
export const OBU_TEMPORAL_DELIMITER = 2;
export const OBU_FRAME_HEADER = 3;
export const OBU_TILE_GROUP = 4;
export const OBU_METADATA = 5;
export const OBU_FRAME = 6;
export const OBU_REDUNDANT_FRAME_HEADER = 7;
export const OBU_PADDING = 15;

/** The header of one open bitstream unit (AV1 §5.3) that carries its own size. */
export interface ObuHeader {
  /** obu_type, one of the OBU_ constants. */
  readonly type: number;
  /** 0 to 7; 0 where the extension byte is absent. */
  readonly temporalId: number;
  /** 0 to 3; 0 where the extension byte is absent. */
  readonly spatialId: number;
  readonly hasExtension: boolean;
  /** Bytes of header, extension and size field: 2 to 10. */
  readonly headerBytes: number;
  /** Bytes that follow the header. */
  readonly payloadBytes: number;
}

/** Bytes that always suffice for `parseObuHeader`: header, extension, and a leb128 of at most 8 bytes. */
export const OBU_HEADER_MAX_BYTES = 10;

/** Bit n is set where n is an OBU type that the specification defines. */
const DEFINED_TYPES = 0b1000_0001_1111_1110;

/**
 * Reads the OBU header at `index` (AV1 §5.3.2, §5.3.3, §4.10.5). Undefined where the bytes are not one, where it ends
 * past `endIndex`, where a reserved bit is set, or where it has no size field: inside ISO-BMFF every OBU but the last
 * must have one, and writers give it to the last too.
 */
export function parseObuHeader(bytes: Uint8Array, index: number, endIndex: number): ObuHeader | undefined {
  const first = bytes[index];
  if (first === undefined || index >= endIndex) return undefined;
  const type = first >>> 3;
  // forbidden bit and reserved bit zero, has_size_field one
  if ((first & 0x83) !== 0x02 || ((DEFINED_TYPES >>> type) & 1) === 0) return undefined;
  const hasExtension = (first & 4) !== 0;
  const extension = hasExtension ? (bytes[index + 1] ?? 0xff) : 0;
  if ((extension & 7) !== 0) return undefined;
  const sizeIndex = index + (hasExtension ? 2 : 1);
  let payloadBytes = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[sizeIndex + i];
    if (byte === undefined || sizeIndex + i >= endIndex) return undefined;
    payloadBytes += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) {
      if (payloadBytes > 0xffff_ffff) return undefined;
      const headerBytes = sizeIndex + i + 1 - index;
      return {
        type,
        temporalId: extension >>> 5,
        spatialId: (extension >>> 3) & 3,
        hasExtension,
        headerBytes,
        payloadBytes,
      };
    }
  }
  return undefined;
}
