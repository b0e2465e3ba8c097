import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { correlationScore } from "../../media/pcm/correlation-score.ts";
import type { PcmLayout } from "../../media/pcm/pcm-layout.ts";
import type { Share } from "../learn/profile.ts";
import type { Candidate, PacketParser, PlacedRun, Run, RunPlace } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

const MAX_RUN_BYTES = 8 * 1024 * 1024;
const LOOK_BYTES = 16 * 1024;
/** However sound-like the bytes are, a run of them is worth no more than this against a parsed header. */
const MAX_RUN_BITS = 24;
/** Below this there is only the least that a run can be worth. */
const LEAST_BITS = 1e-9 - MAX_RUN_BITS;
const USUAL_RUNS = 16;
/** What the commonest length speaks for a run; rarer ones speak less. */
const USUAL_BITS = 8;
/** What speaks for a run as long as there is room behind damage: that the damage took its beginning. */
const BEGINNING_LOST_BITS = 6;
/** Bytes less like sound than this are no run that only a cut or damage bounds. */
const MIN_CUT_BITS = 4;

/** A run of more pieces is none that tracks wrote by turns. */
const MAX_PIECES = 4096;
/** Blocks looked at in a run that nothing else vouches for. */
const BLOCK_FRAMES = 256;
const MAX_BLOCKS = 32;

/**
 * Finds uncompressed sound: any bytes may be it, so that its neighbours and its usual lengths bound it. A run of several
 * equal tracks is cut into what each of them wrote.
 */
export function createPcmParser(
  layout: PcmLayout,
  frameBytes: number,
  runSamples: readonly Share[],
  trackCount: number,
): PacketParser {
  const usualRunBytes = runSamples.slice(0, USUAL_RUNS).map((share) => share.value * frameBytes);
  const likeness = (window: ByteWindow, start: number, length: number): number => {
    const visible = Math.min(window.load(start, Math.min(LOOK_BYTES, length)), length);
    const index = start - window.baseOffset;
    const bits = correlationScore(window.bytes, index, index + visible, layout);
    return Math.max(-MAX_RUN_BITS, Math.min(MAX_RUN_BITS, bits));
  };
  /** How much the least sound-like of some blocks all over a run is like sound; of those that are less so than `leastBits`, the first. */
  const soundness = (window: ByteWindow, start: number, length: number, leastBits: number): number => {
    const blockBytes = Math.min(length, BLOCK_FRAMES * frameBytes);
    const blocks = Math.min(MAX_BLOCKS, Math.ceil(length / blockBytes));
    const step = blocks > 1 ? (length - blockBytes) / (blocks - 1) / frameBytes : 0;
    let least = Number.POSITIVE_INFINITY;
    for (let block = 0; block < blocks && least >= leastBits; block++) {
      const at = start + Math.floor(block * step) * frameBytes;
      least = Math.min(least, likeness(window, at, blockBytes));
    }
    return least;
  };
  /** What speaks for each length of the reference's runs; for rare ones, too, which are not tried by themselves. */
  const usualBits = new Map(
    runSamples.map(({ value, count }) => {
      const rareBits = Math.log2((runSamples[0]?.count ?? count) / count);
      return [value * frameBytes, Math.max(0, USUAL_BITS - rareBits)];
    }),
  );
  /** A run of no usual length is of as many tracks by turns as `sharing` says: all of them, or one where its row is not known. */
  const toRun = (start: number, length: number, bits: number, sharing: number): PlacedRun => {
    const unit = usualRunBytes[0];
    const isPieced = trackCount > 1 && unit !== undefined && !usualBits.has(length);
    const sizes = isPieced ? sharedSizes(length, unit, sharing, frameBytes) : [length];
    const packets = sizes.map((sizeBytes): Candidate => {
      return { sizeBytes, evidenceBits: 1, isSync: true, durationSamples: sizeBytes / frameBytes };
    });
    return { packets, costBits: -bits, startOffset: start, endOffset: start + length };
  };
  return {
    ...STATELESS,
    isSelfDelimiting: false,
    maxRunBytes: MAX_RUN_BYTES,
    usualRunBytes,
    probe: () => undefined,
    startEvidenceBits: () => 1,
    maxStartBits: 1,
    splitRun(window, start, end): readonly Run[] {
      const length = end - start;
      if (length <= 0 || length % frameBytes !== 0) return [];
      const usual = usualBits.get(length);
      const bits =
        usual === undefined ? soundness(window, start, length, LEAST_BITS) : likeness(window, start, length) + usual;
      return [toRun(start, length, bits, trackCount)];
    },
    findRun(window, place) {
      const length = place.end - place.from;
      if (Number.isFinite(place.startBits(place.from)) && place.mayBeCut) {
        const lengths = [length - (length % frameBytes), ...usualRunBytes.toSorted((a, b) => b - a)];
        for (const whole of lengths) {
          if (whole <= 0 || whole > length) continue;
          const bits = soundness(window, place.from, whole, MIN_CUT_BITS);
          if (bits >= MIN_CUT_BITS) return toRun(place.from, whole, bits, 1);
        }
        return undefined;
      }
      return runBefore(place, usualRunBytes, frameBytes, (start, size) => {
        const bits = likeness(window, start, size) + (usualBits.get(size) ?? 0) + place.startBits(start);
        return toRun(start, size, bits, 1);
      });
    },
  };
}

/** Sizes of what tracks wrote by turns: whole rounds of the unit, then one of less in equal parts, or one that bytes are missing from. */
function sharedSizes(length: number, unit: number, trackCount: number, frameBytes: number): number[] {
  const round = trackCount * unit;
  if (length / unit > MAX_PIECES) return [length];
  const rest = length % round;
  const isEven = rest % (trackCount * frameBytes) === 0;
  const units = isEven ? Math.floor(length / round) * trackCount : Math.floor(length / unit);
  const sizes = new Array<number>(units).fill(unit);
  if (rest === 0) return sizes;
  return [...sizes, ...(isEven ? new Array<number>(trackCount).fill(rest / trackCount) : [length - units * unit])];
}

/** The likeliest run that ends at a known place: of a usual length, else as long as there is room. */
function runBefore(
  place: RunPlace,
  usualRunBytes: readonly number[],
  frameBytes: number,
  runOf: (start: number, length: number) => PlacedRun,
): PlacedRun | undefined {
  const room = place.end - place.from;
  const whole = room - (room % frameBytes);
  const longest = Math.max(0, ...usualRunBytes);
  const fillsRoom = whole > 0 && whole < longest && !usualRunBytes.includes(whole);
  let [best, bestBits]: [PlacedRun | undefined, number] = [undefined, Number.NEGATIVE_INFINITY];
  for (const length of [...usualRunBytes.filter((usual) => usual <= room), ...(fillsRoom ? [whole] : [])]) {
    const run = runOf(place.end - length, length);
    const bits = -run.costBits + (fillsRoom && length === whole ? BEGINNING_LOST_BITS : 0);
    if (-run.costBits >= MIN_CUT_BITS && bits > bestBits) [best, bestBits] = [run, bits];
  }
  return best;
}
