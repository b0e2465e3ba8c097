/** Bytes of the fixed-size compression ids by CID: the whole frame, both fields (SMPTE ST 2019-1 Table 1). */
const FIXED_SIZES_BYTES: ReadonlyMap<number, number> = new Map([
  [1235, 917504],
  [1237, 606208],
  [1238, 917504],
  [1241, 917504],
  [1242, 606208],
  [1243, 917504],
  [1244, 606208],
  [1250, 458752],
  [1251, 458752],
  [1252, 303104],
  [1253, 188416],
  [1256, 1835008],
  [1258, 212992],
  [1259, 417792],
  [1260, 835584],
]);

/** Bytes per 255 macroblocks of the resolution-independent ids, DNxHR 444, HQX, HQ, SQ and LB (ST 2019-1 Annex). */
const HR_BYTES_PER_255_MACROBLOCKS: ReadonlyMap<number, number> = new Map([
  [1270, 57344],
  [1271, 28672],
  [1272, 28672],
  [1273, 18944],
  [1274, 5888],
]);

/** Bytes of a frame that `parseDnxhdHeader` needs. */
export const DNXHD_HEADER_BYTES = 0x2c;

/** The start of a VC-3 frame. */
export interface DnxhdHeader {
  /** Compression id, e.g. 1237; 1270–1274 are DNxHR. */
  readonly compressionId: number;
  readonly widthPixels: number;
  /** Lines of the coding unit: of one field where the frame is interlaced. */
  readonly unitHeightPixels: number;
  /** Length of the header, where the coded macroblocks begin. */
  readonly headerSizeBytes: number;
  readonly isInterlaced: boolean;
  readonly bitDepth: 8 | 10 | 12;
  /** Length of the frame, both fields; undefined for an unknown compression id. */
  readonly frameSizeBytes: number | undefined;
}

/**
 * Reads `DNXHD_HEADER_BYTES` bytes at `index`, which the caller knows to be there; undefined where no VC-3 header can
 * stand there (SMPTE ST 2019-1 §6: prefix `00 00 02 80`, or a longer header for tall DNxHR, then version 1, 2 or 3).
 */
export function parseDnxhdHeader(bytes: Uint8Array, index: number): DnxhdHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + index, DNXHD_HEADER_BYTES);
  const headerSizeBytes = view.getUint32(0);
  const version = view.getUint8(4);
  if (version < 1 || version > 3) return undefined;
  const isLongHeader =
    version === 3 && headerSizeBytes > 0x280 && headerSizeBytes <= 0x2170 && headerSizeBytes % 4 === 0;
  if (headerSizeBytes !== 0x280 && !isLongHeader) return undefined;
  const depthCode = view.getUint8(0x21) >>> 5;
  const bitDepth = depthCode === 1 ? 8 : depthCode === 2 ? 10 : depthCode === 3 ? 12 : undefined;
  const compressionId = view.getUint32(0x28);
  const unitHeightPixels = view.getUint16(0x18);
  const widthPixels = view.getUint16(0x1a);
  const isPossible = compressionId >= 1200 && compressionId < 1400 && unitHeightPixels > 0 && widthPixels > 0;
  if (bitDepth === undefined || !isPossible) return undefined;
  return {
    compressionId,
    widthPixels,
    unitHeightPixels,
    headerSizeBytes,
    isInterlaced: (view.getUint8(5) & 2) !== 0,
    bitDepth,
    frameSizeBytes: dnxhdFrameSizeBytes(compressionId, widthPixels, unitHeightPixels),
  };
}

/** Length of a frame; undefined for an unknown compression id. The size in pixels matters to DNxHR only. */
export function dnxhdFrameSizeBytes(
  compressionId: number,
  widthPixels: number,
  heightPixels: number,
): number | undefined {
  const fixed = FIXED_SIZES_BYTES.get(compressionId);
  if (fixed !== undefined) return fixed;
  const scale = HR_BYTES_PER_255_MACROBLOCKS.get(compressionId);
  if (scale === undefined) return undefined;
  const macroblocks = Math.ceil(widthPixels / 16) * Math.ceil(heightPixels / 16);
  const bytes = Math.floor((macroblocks * scale) / 255);
  return Math.max(8192, Math.floor((bytes + 2048) / 4096) * 4096);
}
