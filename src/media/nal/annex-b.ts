/** Zeros behind a NAL unit; recorders pad to sectors at most. */
const MAX_PADDING_BYTES = 4096;
const START_CODE = Uint8Array.of(0, 0, 0, 1);

/**
 * NAL units as pieces of a byte stream with start codes (ITU-T H.264 and H.265, annex B), which decoders take without a
 * container. Nothing is copied.
 */
export function* annexBPieces(nals: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const nal of nals) {
    yield START_CODE;
    yield nal;
  }
}

/** The NAL units of a sample, each behind its length in `lengthSizeBytes` (1–4); undefined where they do not add up to it. */
export function splitSample(sample: Uint8Array, lengthSizeBytes: number): Uint8Array[] | undefined {
  const nals: Uint8Array[] = [];
  let index = 0;
  while (index < sample.length) {
    let nalBytes = 0;
    for (let byte = 0; byte < lengthSizeBytes; byte++) nalBytes = nalBytes * 256 + (sample[index + byte] ?? 0);
    index += lengthSizeBytes;
    if (nalBytes === 0 || index + nalBytes > sample.length) return undefined;
    nals.push(sample.subarray(index, index + nalBytes));
    index += nalBytes;
  }
  return nals.length > 0 ? nals : undefined;
}

/**
 * Whether bytes can be one NAL unit: two zeros are followed by 3 or more, except at its end, which may be padded
 * (ITU-T H.264 §7.4.1, H.265 §7.4.2.1). A stretch that was overwritten with zeros shows.
 */
export function isIntactNal(nal: Uint8Array): boolean {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end--;
  for (let index = 2; index < end; index++) {
    if ((nal[index] as number) < 3 && nal[index - 1] === 0 && nal[index - 2] === 0) return false;
  }
  return end > 0 && nal.length - end <= MAX_PADDING_BYTES;
}

/**
 * Where a slice's data end: before the byte with the stop bit. Zero words of CABAC behind it (ITU-T H.264 §7.3.2.10, H.265
 * §7.3.2.10) and padding are none. In bytes from the NAL unit's header on; 0 where nothing is left.
 */
export function endOfSliceData(slice: Uint8Array): number {
  let end = slice.length;
  while (end > 0) {
    if (slice[end - 1] === 0) end--;
    else if (slice[end - 1] === 3 && slice[end - 2] === 0 && slice[end - 3] === 0) end -= 3;
    else break;
  }
  return Math.max(0, end - 1);
}
