import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import { layer3SideInfoEvidence, sideInfoSizeBytes } from "./layer3-side-info.ts";
import { type MpegAudioHeader, parseMpegAudioHeader } from "./mpeg-audio-header.ts";

/** What is known of a track's MPEG audio frames; a field left out is not checked. */
export interface Mp3Constraints {
  readonly version?: 1 | 2 | 2.5;
  readonly layer?: 1 | 2 | 3;
  readonly sampleRateHz?: number;
  readonly channelCount?: 1 | 2;
  /** Only for constant bit rate; 0 demands free format. */
  readonly bitrateKbps?: number;
  /** Free format: length of an unpadded frame, as a reference showed it. With it, such frames have a known end. */
  readonly freeFormatFrameBytes?: number;
}

/** Finds MPEG audio frames; in MP4 and MOV one frame is one sample. */
export interface Mp3Probe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** Longest frame of free format: 640 kbit/s at 8 kHz, well above what layer III can carry. */
const MAX_FREE_FORMAT_BYTES = 11520;

/** A probe for layers I, II and III of MPEG-1, 2 and 2.5 (ISO/IEC 11172-3, 13818-3). */
export function createMp3Probe(constraints: Mp3Constraints = {}): Mp3Probe {
  return {
    probe(bytes, startIndex, endIndex) {
      const visibleBytes = endIndex - startIndex;
      if (visibleBytes < 4) {
        if (visibleBytes > 0 && bytes[startIndex] !== 0xff) return NO_PACKET;
        return { kind: "more", neededBytes: 4 };
      }
      if (bytes[startIndex] !== 0xff) return NO_PACKET;
      const header = parseMpegAudioHeader(u32(bytes, startIndex));
      if (header === undefined || !fits(header, constraints)) return NO_PACKET;
      return judge(bytes, startIndex, visibleBytes, header, constraints);
    },
  };
}

function fits(header: MpegAudioHeader, constraints: Mp3Constraints): boolean {
  return (
    (constraints.version === undefined || constraints.version === header.version) &&
    (constraints.layer === undefined || constraints.layer === header.layer) &&
    (constraints.sampleRateHz === undefined || constraints.sampleRateHz === header.sampleRateHz) &&
    (constraints.channelCount === undefined || constraints.channelCount === header.channelCount) &&
    (constraints.bitrateKbps === undefined || constraints.bitrateKbps === header.bitrateKbps)
  );
}

function judge(
  bytes: Uint8Array,
  startIndex: number,
  visibleBytes: number,
  header: MpegAudioHeader,
  constraints: Mp3Constraints,
): PacketProbe {
  let evidenceBits = headerEvidence(header, constraints);
  if (header.layer === 3) {
    const sideInfoIndex = startIndex + (header.hasCrc ? 6 : 4);
    const sideInfoEnd = sideInfoIndex + sideInfoSizeBytes(header);
    if (sideInfoEnd > startIndex + visibleBytes) return { kind: "more", neededBytes: sideInfoEnd - startIndex };
    const sideInfoBits = layer3SideInfoEvidence(bytes, sideInfoIndex, header);
    if (sideInfoBits === undefined) return NO_PACKET;
    evidenceBits += sideInfoBits;
    if (header.hasCrc && isCrcRight(bytes, startIndex, sideInfoEnd)) evidenceBits += 16;
  }
  const common = { evidenceBits, isSync: true, durationSamples: header.samplesPerFrame };
  if (header.frameSizeBytes > 0) return { kind: "packet", sizeBytes: header.frameSizeBytes, ...common };
  const learnt = constraints.freeFormatFrameBytes;
  if (learnt !== undefined) return { kind: "packet", sizeBytes: learnt + header.paddingBytes, ...common };
  return { kind: "open", minSizeBytes: 24, maxSizeBytes: MAX_FREE_FORMAT_BYTES, ...common };
}

/** Sync word and fields: a constrained field counts in full, a free one only for its reserved values. */
function headerEvidence(header: MpegAudioHeader, constraints: Mp3Constraints): number {
  const reservedOnly = Math.log2(4 / 3);
  const channelBits = header.channelCount === 1 ? 2 : reservedOnly;
  return (
    11 +
    reservedOnly +
    (constraints.version === undefined ? reservedOnly : 2) +
    (constraints.layer === undefined ? reservedOnly : 2) +
    (constraints.sampleRateHz === undefined ? reservedOnly : 2) +
    (constraints.bitrateKbps === undefined ? 0.1 : 4) +
    (constraints.channelCount === undefined ? 0 : channelBits)
  );
}

/** The CRC-16 (polynomial 0x8005) covers the header's last two bytes and the side information (§2.4.3.1). */
function isCrcRight(bytes: Uint8Array, startIndex: number, sideInfoEnd: number): boolean {
  let crc = 0xffff;
  for (let i = startIndex + 2; i < sideInfoEnd; i++) {
    if (i === startIndex + 4) i += 2;
    crc ^= (bytes[i] ?? 0) << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x8005)) & 0xffff;
  }
  return crc === (((bytes[startIndex + 4] ?? 0) << 8) | (bytes[startIndex + 5] ?? 0));
}

function u32(bytes: Uint8Array, index: number): number {
  return (
    (((bytes[index] ?? 0) << 24) |
      ((bytes[index + 1] ?? 0) << 16) |
      ((bytes[index + 2] ?? 0) << 8) |
      (bytes[index + 3] ?? 0)) >>>
    0
  );
}
