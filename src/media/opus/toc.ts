/** The first byte of an Opus packet (RFC 6716 §3.1), resolved. */
export interface OpusToc {
  /** 0 to 31. */
  readonly config: number;
  readonly mode: "silk" | "hybrid" | "celt";
  readonly channels: 1 | 2;
  /** Samples per channel of each frame, at 48 kHz: 120 to 2880. */
  readonly frameSamples: number;
  /** Band after the last that a CELT frame of this bandwidth codes. */
  readonly endBand: number;
  /** 0 one frame, 1 two of equal size, 2 two of any size, 3 any number. */
  readonly code: number;
}

const SILK_SAMPLES = [480, 960, 1920, 2880] as const;
const CELT_SAMPLES = [120, 240, 480, 960] as const;
const CELT_END_BANDS = [13, 17, 19, 21] as const;

/** Resolves a TOC byte; every value is defined. */
export function parseOpusToc(byte: number): OpusToc {
  const config = byte >>> 3;
  const channels = (byte & 4) === 0 ? 1 : 2;
  const code = byte & 3;
  if (config >= 16) {
    const frameSamples = CELT_SAMPLES[config & 3] ?? 960;
    return { config, mode: "celt", channels, frameSamples, endBand: CELT_END_BANDS[(config >>> 2) & 3] ?? 21, code };
  }
  if (config >= 12) {
    const frameSamples = (config & 1) === 0 ? 480 : 960;
    return { config, mode: "hybrid", channels, frameSamples, endBand: config >= 14 ? 21 : 19, code };
  }
  return { config, mode: "silk", channels, frameSamples: SILK_SAMPLES[config & 3] ?? 960, endBand: 0, code };
}

/** A packet cut into its frames. */
export interface OpusPacket {
  readonly toc: OpusToc;
  /** Half-open byte ranges of the frames, in order; empty ranges are lost or silent frames. */
  readonly frames: readonly { readonly startIndex: number; readonly endIndex: number }[];
  /** Samples per channel at 48 kHz. */
  readonly durationSamples: number;
  /** Index after the packet: the end given, or, self-delimited, where it ends by itself. */
  readonly endIndex: number;
}

/** Longest frame, in bytes (RFC 6716 §3.4 R2). */
export const MAX_FRAME_BYTES = 1275;
/** Longest packet duration: 120 ms at 48 kHz (RFC 6716 §3.4 R5). */
const MAX_PACKET_SAMPLES = 5760;

/**
 * Cuts the packet `[startIndex, endIndex)` into frames (RFC 6716 §3.2, Appendix B where `isSelfDelimited`). Undefined
 * where it breaks a rule of §3.4.
 */
export function parseOpusPacket(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  isSelfDelimited = false,
): OpusPacket | undefined {
  const first = bytes[startIndex];
  if (first === undefined || startIndex >= endIndex) return undefined;
  const toc = parseOpusToc(first);
  const cursor = { index: startIndex + 1, end: endIndex };
  const sizes = readSizes(bytes, cursor, toc.code, isSelfDelimited);
  if (!sizes || sizes.length * toc.frameSamples > MAX_PACKET_SAMPLES) return undefined;
  const frames: { startIndex: number; endIndex: number }[] = [];
  for (const size of sizes) {
    if (size > MAX_FRAME_BYTES || cursor.index + size > cursor.end) return undefined;
    frames.push({ startIndex: cursor.index, endIndex: cursor.index + size });
    cursor.index += size;
  }
  const packetEnd = isSelfDelimited ? cursor.index + (endIndex - cursor.end) : endIndex;
  if (!isSelfDelimited && cursor.index !== cursor.end) return undefined;
  return { toc, frames, durationSamples: sizes.length * toc.frameSamples, endIndex: packetEnd };
}

interface Cursor {
  index: number;
  end: number;
}

function readSizes(bytes: Uint8Array, cursor: Cursor, code: number, isSelfDelimited: boolean): number[] | undefined {
  if (code === 3) return readManySizes(bytes, cursor, isSelfDelimited);
  const rest = (): number => cursor.end - cursor.index;
  if (code === 2) {
    const first = readSize(bytes, cursor);
    if (first === undefined || first > rest()) return undefined;
    const second = isSelfDelimited ? readSize(bytes, cursor) : rest() - first;
    return second === undefined ? undefined : [first, second];
  }
  const count = code + 1;
  if (isSelfDelimited) {
    const size = readSize(bytes, cursor);
    return size === undefined ? undefined : new Array<number>(count).fill(size);
  }
  return rest() % count === 0 ? new Array<number>(count).fill(rest() / count) : undefined;
}

function readManySizes(bytes: Uint8Array, cursor: Cursor, isSelfDelimited: boolean): number[] | undefined {
  const header = bytes[cursor.index++];
  if (header === undefined || cursor.index > cursor.end) return undefined;
  const count = header & 63;
  if (count === 0 || count > 48) return undefined;
  let padding = 0;
  if ((header & 64) !== 0) {
    let byte = 255;
    while (byte === 255) {
      byte = bytes[cursor.index++] ?? 0;
      if (cursor.index > cursor.end) return undefined;
      padding += byte === 255 ? 254 : byte;
    }
  }
  const isVariable = (header & 128) !== 0;
  const sizes: number[] = [];
  for (let i = 0; isVariable && i < count - 1; i++) {
    const size = readSize(bytes, cursor);
    if (size === undefined) return undefined;
    sizes.push(size);
  }
  const delimited = isSelfDelimited ? readSize(bytes, cursor) : undefined;
  if (isSelfDelimited && delimited === undefined) return undefined;
  cursor.end -= padding;
  const rest = cursor.end - cursor.index - sizes.reduce((sum, size) => sum + size, 0);
  if (rest < 0) return undefined;
  if (isVariable) return [...sizes, delimited ?? rest];
  if (delimited !== undefined) return new Array<number>(count).fill(delimited);
  return rest % count === 0 ? new Array<number>(count).fill(rest / count) : undefined;
}

/** A frame length of one or two bytes (RFC 6716 §3.2.1). */
function readSize(bytes: Uint8Array, cursor: Cursor): number | undefined {
  const first = bytes[cursor.index++];
  if (first === undefined || cursor.index > cursor.end) return undefined;
  if (first < 252) return first;
  const second = bytes[cursor.index++];
  if (second === undefined || cursor.index > cursor.end) return undefined;
  return second * 4 + first;
}
