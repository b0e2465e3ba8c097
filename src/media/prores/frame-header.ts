/** Bytes of a frame that `parseProresFrameHeader` needs: size, `icpf` and the fixed part of the header. */
export const PRORES_HEADER_BYTES = 28;

/** The start of a ProRes frame (SMPTE RDD 36:2015 §5.1). */
export interface ProresFrameHeader {
  /** Length of the whole frame, its own size field included. */
  readonly frameSizeBytes: number;
  readonly headerSizeBytes: number;
  /** 0 or 1. */
  readonly bitstreamVersion: number;
  /** Four characters that name the encoder, e.g. `apl0`. */
  readonly encoderId: string;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly chroma: "4:2:2" | "4:4:4";
  /** 0 progressive, 1 top field first, 2 bottom field first; interlaced frames hold two pictures. */
  readonly interlaceMode: 0 | 1 | 2;
  /** Table 4 of the specification; 0 unknown. */
  readonly frameRateCode: number;
  readonly aspectRatioCode: number;
  readonly colorPrimaries: number;
  readonly transferCharacteristics: number;
  readonly matrixCoefficients: number;
  /** 0 none, 1 eight bits, 2 sixteen bits. */
  readonly alphaType: number;
}

/**
 * Reads the `PRORES_HEADER_BYTES` bytes at `index`, which the caller knows to be there; undefined where a field rules
 * out a ProRes frame.
 */
export function parseProresFrameHeader(bytes: Uint8Array, index: number): ProresFrameHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + index, PRORES_HEADER_BYTES);
  if (view.getUint32(4) !== 0x69637066) return undefined;
  const frameSizeBytes = view.getUint32(0);
  const headerSizeBytes = view.getUint16(8);
  const bitstreamVersion = view.getUint16(10);
  const modes = view.getUint8(20);
  const chromaFormat = modes >>> 6;
  const interlaceMode = (modes >>> 2) & 3;
  const matrixCount = (view.getUint8(27) & 1) + ((view.getUint8(27) >>> 1) & 1);
  const alphaType = view.getUint8(25) & 15;
  const isRight =
    headerSizeBytes >= 20 + 64 * matrixCount &&
    headerSizeBytes <= 4096 &&
    frameSizeBytes >= 8 + headerSizeBytes + 8 &&
    bitstreamVersion <= 1 &&
    interlaceMode !== 3 &&
    alphaType <= 2 &&
    view.getUint16(16) > 0 &&
    view.getUint16(18) > 0;
  if (!isRight || (chromaFormat !== 2 && chromaFormat !== 3)) return undefined;
  return {
    frameSizeBytes,
    headerSizeBytes,
    bitstreamVersion,
    encoderId: String.fromCharCode(...bytes.subarray(index + 12, index + 16)),
    widthPixels: view.getUint16(16),
    heightPixels: view.getUint16(18),
    chroma: chromaFormat === 2 ? "4:2:2" : "4:4:4",
    interlaceMode: interlaceMode as 0 | 1 | 2,
    frameRateCode: view.getUint8(21) & 15,
    aspectRatioCode: view.getUint8(21) >>> 4,
    colorPrimaries: view.getUint8(22),
    transferCharacteristics: view.getUint8(23),
    matrixCoefficients: view.getUint8(24),
    alphaType,
  };
}
