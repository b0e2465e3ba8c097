import type { SampleEntry } from "../isobmff/movie.ts";

/** How uncompressed audio lies in memory; channels are interleaved. */
export interface PcmLayout {
  /** One sample of every channel. */
  readonly bytesPerFrame: number;
  /** Of one channel's sample: 8, 16, 24, 32 or 64. */
  readonly bitsPerSample: number;
  readonly channelCount: number;
  readonly isFloat: boolean;
  readonly isBigEndian: boolean;
  readonly isSigned: boolean;
  /** ITU-T G.711 companding of 8-bit samples. */
  readonly companding?: "ulaw" | "alaw";
}

/** Builds a layout of interleaved channels. */
export function interleavedLayout(
  bitsPerSample: number,
  channelCount: number,
  kind: { readonly isFloat?: boolean; readonly isBigEndian?: boolean; readonly isSigned?: boolean },
  companding?: "ulaw" | "alaw",
): PcmLayout {
  return {
    bytesPerFrame: (bitsPerSample / 8) * channelCount,
    bitsPerSample,
    channelCount,
    isFloat: kind.isFloat ?? false,
    isBigEndian: kind.isBigEndian ?? false,
    isSigned: kind.isSigned ?? true,
    ...(companding === undefined ? {} : { companding }),
  };
}

/**
 * The layout of an uncompressed sample entry (QuickTime File Format, "Sound Sample Descriptions"; ISO/IEC 23003-5 for
 * `ipcm` and `fpcm`); undefined where the entry is not PCM or has an impossible width.
 */
export function pcmLayout(entry: SampleEntry): PcmLayout | undefined {
  const { audio } = entry;
  if (audio === undefined || audio.channelCount < 1 || audio.channelCount > 255) return undefined;
  const { channelCount } = audio;
  const isLittle = isEndaLittle(entry);
  const statedBits = statedSampleBits(entry);
  switch (entry.format) {
    case "sowt":
      return validLayout(statedBits, channelCount, { isBigEndian: false });
    case "twos":
      return validLayout(statedBits, channelCount, { isBigEndian: true });
    case "raw ":
    case "NONE":
    case "\0\0\0\0":
      // Eight bits are offset binary, more are two's complement.
      return validLayout(statedBits, channelCount, { isBigEndian: true, isSigned: statedBits > 8 });
    case "in24":
      return validLayout(24, channelCount, { isBigEndian: !isLittle });
    case "in32":
      return validLayout(32, channelCount, { isBigEndian: !isLittle });
    case "fl32":
      return validLayout(32, channelCount, { isFloat: true, isBigEndian: !isLittle });
    case "fl64":
      return validLayout(64, channelCount, { isFloat: true, isBigEndian: !isLittle });
    case "ulaw":
    case "alaw":
      return interleavedLayout(8, channelCount, {}, entry.format);
    case "lpcm":
      return lpcmLayout(entry, statedBits);
    case "ipcm":
    case "fpcm":
      return isoPcmLayout(entry, channelCount);
    default:
      return undefined;
  }
}

/** The `enda` atom (inside `wave`) turns the default big-endian order round. */
function isEndaLittle(entry: SampleEntry): boolean {
  const enda = entry.children.get("enda");
  return enda !== undefined && ((enda[0] ?? 0) << 8) + (enda[1] ?? 0) === 1;
}

/** Bits of one sample; a frame length that disagrees with the nominal width, as some recorders write, wins. */
function statedSampleBits(entry: SampleEntry): number {
  const { audio } = entry;
  if (audio === undefined) return 0;
  const fromFrame = (audio.bytesPerFrame * 8) / audio.channelCount;
  return audio.version > 0 && isWidth(fromFrame) ? fromFrame : audio.sampleSizeBits;
}

/** Version 2 states everything in flags; older entries leave it at signed little-endian integers. */
function lpcmLayout(entry: SampleEntry, statedBits: number): PcmLayout | undefined {
  const { audio } = entry;
  if (audio === undefined) return undefined;
  if (audio.version !== 2) return validLayout(statedBits, audio.channelCount, { isSigned: statedBits > 8 });
  const { formatFlags } = audio;
  return validLayout(statedBits, audio.channelCount, {
    isFloat: (formatFlags & 1) !== 0,
    isBigEndian: (formatFlags & 2) !== 0,
    isSigned: (formatFlags & 4) !== 0 || (formatFlags & 1) !== 0,
  });
}

/** `pcmC`: version and flags, format flags (bit 0: little-endian), bits per sample (ISO/IEC 23003-5 §5.2). */
function isoPcmLayout(entry: SampleEntry, channelCount: number): PcmLayout | undefined {
  const config = entry.children.get("pcmC");
  const flags = config?.[4];
  const bits = config?.[5];
  if (flags === undefined || bits === undefined) return undefined;
  return validLayout(bits, channelCount, { isFloat: entry.format === "fpcm", isBigEndian: (flags & 1) === 0 });
}

function validLayout(
  bits: number,
  channelCount: number,
  kind: { readonly isFloat?: boolean; readonly isBigEndian?: boolean; readonly isSigned?: boolean },
): PcmLayout | undefined {
  if (!isWidth(bits) || (kind.isFloat === true && bits < 32)) return undefined;
  return interleavedLayout(bits, channelCount, kind);
}

function isWidth(bits: number): boolean {
  return bits === 8 || bits === 16 || bits === 24 || bits === 32 || bits === 64;
}
