import type { ByteSource } from "../media/bytes/byte-source.ts";
import type { Track } from "../media/isobmff/movie.ts";
import type { SoundBytes } from "./select-samples.ts";

/** Zeros on either side of a sample's end, or at a sample's head, that no coder writes. */
const TELLING_ZEROS = 16;

/**
 * Tells which samples of a track were overwritten with zeros, by 32 bytes around each end: a coded sample does not
 * begin with 16 zeros, and zeros that run on past its end are no padding. Of metadata only samples within zeros count,
 * of PCM none: silence is zeros.
 */
export function createZeroCheck(source: ByteSource, track: Track): SoundBytes {
  const isCoded = track.handlerType === "vide" || track.handlerType === "soun";
  const isPcm = track.samples.constantSizeBytes > 0 && track.handlerType === "soun";
  const bytes = new Uint8Array(2 * TELLING_ZEROS);
  const around = (offset: number): { before: boolean; after: boolean } => {
    const from = Math.max(0, offset - TELLING_ZEROS);
    const got = source.read(from, bytes);
    const split = offset - from;
    return {
      before: isZero(bytes, 0, split),
      after: got > split && isZero(bytes, split, Math.min(got, split + TELLING_ZEROS)),
    };
  };
  let last = { offset: -1, ...around(0) };
  return (offset, sizeBytes) => {
    if (isPcm || sizeBytes === 0) return sizeBytes;
    const start = last.offset === offset ? last : around(offset);
    const end = around(offset + sizeBytes);
    last = { offset: offset + sizeBytes, ...end };
    const startsInZeros = start.after && sizeBytes >= TELLING_ZEROS;
    const endsInZeros = end.before && end.after && sizeBytes >= TELLING_ZEROS;
    const isLost = isCoded ? startsInZeros || endsInZeros : start.before && start.after && end.before && end.after;
    return isLost ? 0 : sizeBytes;
  };
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (bytes[index] !== 0) return false;
  return to > from;
}
