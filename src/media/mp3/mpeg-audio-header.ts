/** Kilobits per second by bitrate index 1–14 (ISO/IEC 11172-3 §2.4.2.3, ISO/IEC 13818-3 §2.4.2.3). */
const BITRATES_KBPS = {
  mpeg1Layer1: [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  mpeg1Layer2: [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  mpeg1Layer3: [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  mpeg2Layer1: [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  mpeg2Layer23: [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;

const MPEG1_RATES_HZ = [44100, 48000, 32000] as const;

/** The four-byte header of an MPEG audio frame, ISO/IEC 11172-3 §2.4.1.3. */
export interface MpegAudioHeader {
  /** 1, 2, or 2.5 (the unofficial extension to 8–12 kHz). */
  readonly version: 1 | 2 | 2.5;
  readonly layer: 1 | 2 | 3;
  /** Whether a CRC-16 follows the header. */
  readonly hasCrc: boolean;
  /** 0 is free format: the rate, and so the frame's size, is not stated. */
  readonly bitrateKbps: number;
  readonly sampleRateHz: number;
  readonly channelCount: 1 | 2;
  /** Samples per channel in one frame: 384, 576 or 1152. */
  readonly samplesPerFrame: number;
  /** Length of the frame, header included; 0 for free format. */
  readonly frameSizeBytes: number;
  /** Length of what padding adds: 4 for layer I, 1 for the others; 0 where the frame is not padded. */
  readonly paddingBytes: number;
}

/** Reads a header from its 32 bits; undefined where a field has a forbidden or reserved value. */
export function parseMpegAudioHeader(word: number): MpegAudioHeader | undefined {
  if (word >>> 21 !== 0x7ff) return undefined;
  const versionBits = (word >>> 19) & 3;
  const layerBits = (word >>> 17) & 3;
  const bitrateIndex = (word >>> 12) & 15;
  const baseRateHz = MPEG1_RATES_HZ[(word >>> 10) & 3];
  const isEmphasisReserved = (word & 3) === 2;
  if (versionBits === 1 || layerBits === 0 || bitrateIndex === 15 || baseRateHz === undefined || isEmphasisReserved) {
    return undefined;
  }
  const version = versionBits === 3 ? 1 : versionBits === 2 ? 2 : 2.5;
  const layer = (4 - layerBits) as 1 | 2 | 3;
  const sampleRateHz = version === 1 ? baseRateHz : version === 2 ? baseRateHz / 2 : baseRateHz / 4;
  const bitrateKbps = bitrateIndex === 0 ? 0 : (bitratesKbps(version, layer)[bitrateIndex - 1] ?? 0);
  const samplesPerFrame = layer === 1 ? 384 : layer === 3 && version !== 1 ? 576 : 1152;
  const paddingBytes = ((word >>> 9) & 1) === 0 ? 0 : layer === 1 ? 4 : 1;
  return {
    version,
    layer,
    hasCrc: ((word >>> 16) & 1) === 0,
    bitrateKbps,
    sampleRateHz,
    channelCount: ((word >>> 6) & 3) === 3 ? 1 : 2,
    samplesPerFrame,
    frameSizeBytes:
      bitrateKbps === 0 ? 0 : unpaddedSizeBytes(layer, samplesPerFrame, bitrateKbps, sampleRateHz) + paddingBytes,
    paddingBytes,
  };
}

function bitratesKbps(version: 1 | 2 | 2.5, layer: 1 | 2 | 3): readonly number[] {
  if (version !== 1) return layer === 1 ? BITRATES_KBPS.mpeg2Layer1 : BITRATES_KBPS.mpeg2Layer23;
  if (layer === 1) return BITRATES_KBPS.mpeg1Layer1;
  return layer === 2 ? BITRATES_KBPS.mpeg1Layer2 : BITRATES_KBPS.mpeg1Layer3;
}

/** Layer I counts in slots of four bytes, the others in bytes (ISO/IEC 11172-3 §2.4.3.1). */
function unpaddedSizeBytes(layer: number, samplesPerFrame: number, kbps: number, sampleRateHz: number): number {
  if (layer === 1) return Math.floor((12 * kbps * 1000) / sampleRateHz) * 4;
  return Math.floor(((samplesPerFrame / 8) * kbps * 1000) / sampleRateHz);
}
