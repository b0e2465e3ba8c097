import { PacketLog } from "../scan/packet-log.ts";

const SOUND_BYTES = 100;

/** A made-up stream of pictures in decode order. */
export interface Picture {
  readonly sizeBytes: number;
  readonly isSync: boolean;
  /** Place in presentation order, in frames. */
  readonly display: number;
  /** Order count; undefined where the codec has none. */
  readonly poc: number | undefined;
  readonly startsSequence: boolean;
  /** Whether its bytes are gone, beside those that `logOf` is told of. */
  readonly isLost?: boolean;
}

/** Sequences of `period` pictures: a key frame, then mini-GOPs of a reference and `depth` pictures shown before it. */
export function makePictures(count: number, period: number, depth: number, hasOrder = true): Picture[] {
  const pictures: Picture[] = [];
  for (let start = 0; start < count; start += period) {
    const length = Math.min(period, count - start);
    const order = [0];
    for (let at = 1; at < length; at += depth + 1) {
      const reference = Math.min(at + depth, length - 1);
      order.push(reference, ...Array.from({ length: reference - at }, (_, index) => at + index));
    }
    for (const place of order) {
      const isSync = place === 0;
      pictures.push({
        sizeBytes: isSync ? 40_000 : 4000 + ((place * 7919) % 1000),
        isSync,
        display: start + place,
        poc: hasOrder ? place * 2 : undefined,
        startsSequence: isSync,
      });
    }
  }
  return pictures;
}

/**
 * A log of the pictures without those of `[lostFrom, lostTo)`; behind a loss counts are known but for a multiple of
 * `pocModulus`, until a sequence starts or the picture `sureFrom`.
 */
export function logOf(
  pictures: readonly Picture[],
  lostFrom: number,
  lostTo: number,
  pocModulus: number,
  sureFrom = Number.POSITIVE_INFINITY,
): PacketLog {
  const log = new PacketLog();
  // A packet of sound stands first, so that something lies before every gap.
  log.push({ family: 1, offset: 0, sizeBytes: SOUND_BYTES, isSync: true, afterGap: false });
  let offset = SOUND_BYTES;
  let isAbsolute = true;
  let shift = 0;
  let afterGap = false;
  pictures.forEach((picture, index) => {
    if (picture.isLost === true || (index >= lostFrom && index < lostTo)) {
      isAbsolute = false;
      afterGap = true;
    } else {
      if (picture.startsSequence || index >= sureFrom) isAbsolute = true;
      if (afterGap) shift = (picture.poc ?? 0) - ((picture.poc ?? 0) % pocModulus);
      const poc = picture.poc === undefined || isAbsolute ? picture.poc : picture.poc - shift;
      log.push({
        family: 0,
        offset,
        sizeBytes: picture.sizeBytes,
        isSync: picture.isSync,
        afterGap,
        ...(poc === undefined
          ? {}
          : { order: { poc, startsSequence: picture.startsSequence, pocModulus: isAbsolute ? 0 : pocModulus } }),
      });
      afterGap = false;
    }
    offset += picture.sizeBytes;
  });
  return log;
}
