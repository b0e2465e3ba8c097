const CRC8_TABLE = Uint8Array.from({ length: 256 }, (_, byte) => crcOfByte(byte, 8, 0x07));
const CRC16_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => crcOfByte(byte, 16, 0x8005));

/** CRC-8 of frame headers (RFC 9639 §9.1.8): polynomial x^8+x^2+x+1, start 0. Zero over data with their CRC appended. */
export function crc8(bytes: Uint8Array, startIndex: number, endIndex: number): number {
  let crc = 0;
  for (let i = startIndex; i < endIndex; i++) crc = CRC8_TABLE[crc ^ (bytes[i] as number)] as number;
  return crc;
}

/** CRC-16 of whole frames (RFC 9639 §9.3): polynomial x^16+x^15+x^2+1, start 0. Zero over data with their CRC appended. */
export function crc16(bytes: Uint8Array, startIndex: number, endIndex: number): number {
  let crc = 0;
  for (let i = startIndex; i < endIndex; i++) {
    crc = ((crc << 8) & 0xffff) ^ (CRC16_TABLE[(crc >> 8) ^ (bytes[i] as number)] as number);
  }
  return crc;
}

function crcOfByte(byte: number, width: number, polynomial: number): number {
  let crc = byte << (width - 8);
  for (let i = 0; i < 8; i++) {
    crc <<= 1;
    if (crc >> width !== 0) crc = (crc & (2 ** width - 1)) ^ polynomial;
  }
  return crc;
}
