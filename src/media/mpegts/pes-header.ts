/** The head of a PES packet (ISO/IEC 13818-1 §2.4.3.6). */
export interface PesHeader {
  /** In ticks of 90 kHz, 33 bits; undefined where it is not told. */
  readonly ptsTicks: number | undefined;
  /** As `ptsTicks`; where only that is told, the same. */
  readonly dtsTicks: number | undefined;
  /** Index of the first byte behind the head. */
  readonly dataIndex: number;
}

/** Parses the head of the PES packet at the start of `bytes`; undefined where there is none. */
export function parsePesHeader(bytes: Uint8Array): PesHeader | undefined {
  if (bytes.length < 9 || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 1) return undefined;
  const [, , , , , , marker = 0, flags = 0, headerBytes = 0] = bytes;
  const dataIndex = 9 + headerBytes;
  if ((marker & 0xc0) !== 0x80 || dataIndex > bytes.length) return undefined;
  const ptsTicks = (flags & 0x80) !== 0 && headerBytes >= 5 ? timestampAt(bytes, 9) : undefined;
  const dtsTicks = (flags & 0xc0) === 0xc0 && headerBytes >= 10 ? timestampAt(bytes, 14) : ptsTicks;
  return { ptsTicks, dtsTicks, dataIndex };
}

function timestampAt(bytes: Uint8Array, index: number): number {
  const at = (offset: number): number => bytes[index + offset] as number;
  const high = (at(0) >> 1) & 7;
  const middle = (at(1) << 7) | (at(2) >> 1);
  const low = (at(3) << 7) | (at(4) >> 1);
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}
