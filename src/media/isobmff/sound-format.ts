/** Bytes of one sample of one channel, for formats whose fourcc fixes it (QuickTime File Format, sound formats). */
const FIXED_SAMPLE_BYTES: Readonly<Record<string, number>> = {
  in24: 3,
  in32: 4,
  fl32: 4,
  fl64: 8,
  ulaw: 1,
  alaw: 1,
  "raw ": 1,
};
/** Formats that are uncompressed with the width that the entry tells. */
const SIZED_FORMATS: readonly string[] = ["sowt", "twos", "lpcm", "NONE", "s16l", "s16b"];
/** Frames and bytes per channel of one packet of the old constant-rate formats. */
const CONSTANT_PACKETS: Readonly<Record<string, readonly [frameCount: number, channelBytes: number]>> = {
  ima4: [64, 34],
  MAC3: [6, 2],
  MAC6: [6, 1],
  agsm: [160, 33],
};

/**
 * Bytes of one uncompressed frame over all channels, or 0 where the format is compressed or unknown. `ipcm` and
 * `fpcm` (ISO/IEC 23003-5 §5) tell their width in `pcmC`.
 */
export function pcmFrameBytes(
  format: string,
  channelCount: number,
  sampleSizeBits: number,
  children: ReadonlyMap<string, Uint8Array>,
): number {
  if (format === "ipcm" || format === "fpcm") {
    return channelCount * Math.ceil((children.get("pcmC")?.[5] ?? sampleSizeBits) / 8);
  }
  // "raw " is 8-bit by name, but AVI-born files keep wider samples under it.
  const fixed = format === "raw " && sampleSizeBits > 8 ? undefined : FIXED_SAMPLE_BYTES[format];
  if (fixed !== undefined) return channelCount * fixed;
  if (format === "raw " || SIZED_FORMATS.includes(format)) return channelCount * Math.ceil(sampleSizeBits / 8);
  return 0;
}

/**
 * What one packet of compressed sound of constant rate decodes to and takes, from the version 1 fields or, without
 * them, the format; undefined where packets are not known to be constant.
 */
export function constantPacket(
  format: string,
  channelCount: number,
  fields: { readonly frameCount: number; readonly sizeBytes: number } | undefined,
): { readonly frameCount: number; readonly sizeBytes: number } | undefined {
  if (fields !== undefined) {
    const { frameCount, sizeBytes } = fields;
    return frameCount > 1 && sizeBytes > 0 ? { frameCount, sizeBytes } : undefined;
  }
  const known = CONSTANT_PACKETS[format];
  return known && channelCount > 0 ? { frameCount: known[0], sizeBytes: known[1] * channelCount } : undefined;
}
