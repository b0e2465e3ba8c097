import { formatCount } from "../base/units.ts";
import type { ByteSource } from "../media/bytes/byte-source.ts";
import type { Movie, Track } from "../media/isobmff/movie.ts";
import { forEachChunk, forEachSample } from "../media/isobmff/sample-table.ts";
import type { Pause } from "./data-end.ts";
import { type Extent, firstEndingAfter, joinExtents, nextEndingAfter } from "./extents.ts";
import type { Finding } from "./findings.ts";
import { isRawSound } from "./raw-sound.ts";
import { CHECKED_FORMATS, NAL_FORMATS } from "./sample-check.ts";
import { type DroppedSamples, withoutSamplesIn } from "./select-samples.ts";
import { findZeroStretches } from "./zero-stretches.ts";

/** A coded sample does not begin with so many zeros, and may end in fewer. */
export const TELLING_ZEROS = 16;
/** NAL units hold no zeros in a row: so many inside a sample are a hole. */
const MIN_INNER_ZEROS = 4096;
/** Formats whose samples do not end in zeros, so that zeros that run on past the end are a hole. */
const TELLING_END_FORMATS: ReadonlySet<string> = new Set([
  ...NAL_FORMATS,
  "mp4a",
  "ac-3",
  "ec-3",
  "fLaC",
  "av01",
  "vp09",
]);
/** Zeros inside or at the end of a larger share of the samples are the recorder's way. */
const MAX_INNER_SHARE = 0.1;
/** Equal samples take no bytes of an index: a hostile one may list billions, which are not walked through. */
const MAX_EQUAL_SAMPLES = 2 ** 26;
/** Files up to this size, and those known to be damaged, are looked at closely. */
const SMALL_FILE_BYTES = 64 * 1024 * 1024;
const CLOSE_STEP_BYTES = 512;
/** Wherever else: holes are storage blocks that were never written, 64 KiB and mostly many of them. */
const WIDE_STEP_BYTES = 60 * 1024;

/** A movie without the samples that zeros have replaced. */
export interface HoledMovie {
  readonly movie: Movie;
  readonly findings: readonly Finding[];
}

/** How a movie's samples are held against the file. */
export interface HoleSearch {
  /** Where the samples may lie. */
  readonly within: Extent;
  /** Whether damage is known of already: then small holes are worth the reading. */
  readonly isDamaged: boolean;
  readonly pause?: Pause | undefined;
}

/**
 * Leaves out the samples in whose place zeros stand; the others keep their times. A stretch of zeros counts as a hole where
 * a coded sample begins in it, or lies around it although its codec allows none; PCM within a hole stays, as silence.
 * Throws what `pause` throws.
 */
export async function dropHoles(source: ByteSource, movie: Movie, search: HoleSearch): Promise<HoledMovie> {
  const { within, pause } = search;
  const isClose = search.isDamaged || within.endOffset - within.startOffset <= SMALL_FILE_BYTES;
  const look = async (stepBytes: number): Promise<Extent[]> =>
    holesAmong(movie, await findZeroStretches(source, within, stepBytes, pause));
  let holes = await look(isClose ? CLOSE_STEP_BYTES : WIDE_STEP_BYTES);
  if (holes.length > 0 && !isClose) holes = await look(CLOSE_STEP_BYTES);
  if (holes.length === 0) return { movie, findings: [] };
  const lost = holes.map(({ startOffset, endOffset }) => ({
    startOffset: startOffset + TELLING_ZEROS - 1,
    endOffset: endOffset - TELLING_ZEROS + 1,
  }));
  const dropped: DroppedSamples[] = [];
  const tracks = movie.tracks.map((track): Track => {
    if (isRawSound(track)) return track;
    const kept = withoutSamplesIn(track, lost, movie.timescale);
    for (const samples of kept.dropped) dropped.push(samples);
    return kept.track;
  });
  return { movie: { ...movie, tracks }, findings: describeHoles(holes, dropped, movie.tracks.some(isRawSound)) };
}

/** Those of the stretches (rising, apart) that stand where coded samples should. */
function holesAmong(movie: Movie, stretches: readonly Extent[]): Extent[] {
  if (stretches.length === 0) return [];
  const isHole = new Uint8Array(stretches.length);
  const maySoundFollow = movie.tracks.some(isRawSound);
  for (const track of movie.tracks) if (isTelling(track)) markHoles(track, maySoundFollow, stretches, isHole);
  return stretches.filter((_, index) => isHole[index] === 1);
}

/** O(samples × log stretches), however the samples overlap: of the stretches in one it looks at the first and the last. */
function markHoles(track: Track, maySoundFollow: boolean, stretches: readonly Extent[], isHole: Uint8Array): void {
  const format = track.sampleEntries[0]?.format ?? "";
  const isNal = NAL_FORMATS.has(format);
  const hasTellingEnd = TELLING_END_FORMATS.has(format) && !maySoundFollow;
  const inner = new InnerHoles(stretches);
  let [first, behind, samplesWithInner] = [0, 0, 0];
  forEachSample(track.samples, (_sample, offset, sizeBytes) => {
    const end = offset + sizeBytes;
    first = nextEndingAfter(stretches, offset, first);
    const head = stretches[first];
    if (head === undefined || head.startOffset >= end) return;
    behind = nextEndingAfter(stretches, end, behind);
    const last = (stretches[behind]?.startOffset ?? end) < end ? behind : behind - 1;
    const markInner = (index: number): boolean => {
      const stretch = stretches[index] as Extent;
      const isHit = (isNal && isInner(stretch, offset, end)) || (hasTellingEnd && runsPast(stretch, end));
      if (isHit) inner.mark(index);
      return isHit;
    };
    const hasHead = sizeBytes >= TELLING_ZEROS && head.endOffset - offset >= TELLING_ZEROS;
    const isHeadLost = head.startOffset <= offset && hasHead;
    if (isHeadLost) isHole[first] = 1;
    const hasFirst = !isHeadLost && markInner(first);
    const hasLast = last > first && markInner(last);
    const hasBetween = isNal && inner.markBetween(first, last);
    if (hasFirst || hasLast || hasBetween) samplesWithInner++;
  });
  if (samplesWithInner <= Math.max(1, track.samples.sampleCount * MAX_INNER_SHARE)) inner.copyTo(isHole);
}

/** Which stretches lie inside or at the end of samples. Takes memory for the stretches alone, however many samples. */
class InnerHoles {
  readonly #isMarked: Uint8Array;
  /** How many ranges of marked stretches begin before each, less those that end. */
  readonly #rangeSteps: Int32Array;
  /** How many of the stretches before each are long enough to be a hole inside a sample. */
  readonly #longBefore: Uint32Array;

  constructor(stretches: readonly Extent[]) {
    this.#isMarked = new Uint8Array(stretches.length);
    this.#rangeSteps = new Int32Array(stretches.length + 1);
    this.#longBefore = new Uint32Array(stretches.length + 1);
    stretches.forEach(({ startOffset, endOffset }, index) => {
      const isLong = endOffset - startOffset >= MIN_INNER_ZEROS;
      this.#longBefore[index + 1] = (this.#longBefore[index] as number) + (isLong ? 1 : 0);
    });
  }

  mark(index: number): void {
    this.#isMarked[index] = 1;
  }

  /** Marks the long ones between two stretches; says whether there are any. */
  markBetween(first: number, last: number): boolean {
    const from = first + 1;
    if (from >= last || this.#longBefore[from] === this.#longBefore[last]) return false;
    this.#rangeSteps[from] = (this.#rangeSteps[from] as number) + 1;
    this.#rangeSteps[last] = (this.#rangeSteps[last] as number) - 1;
    return true;
  }

  /** Sets what was marked to 1. */
  copyTo(isHole: Uint8Array): void {
    let depth = 0;
    for (let index = 0; index < isHole.length; index++) {
      depth += this.#rangeSteps[index] as number;
      const isLong = this.#longBefore[index] !== this.#longBefore[index + 1];
      if (this.#isMarked[index] === 1 || (depth > 0 && isLong)) isHole[index] = 1;
    }
  }
}

/** Whether a sample holds many of a stretch's zeros, and not as the padding at its end. */
function isInner(stretch: Extent, offset: number, end: number): boolean {
  const innerBytes = Math.min(end, stretch.endOffset) - Math.max(offset, stretch.startOffset);
  const isPadding = stretch.endOffset >= end && stretch.endOffset < end + TELLING_ZEROS;
  return innerBytes >= MIN_INNER_ZEROS && !isPadding;
}

/** Whether a sample's last bytes are zeros and so are those behind it. */
function runsPast(stretch: Extent, end: number): boolean {
  return end - stretch.startOffset >= TELLING_ZEROS && stretch.endOffset - end >= TELLING_ZEROS;
}

/** Whether the track's samples are coded ones that begin with something. Raw pictures and sound, of equal size, need not. */
export function isTelling({ handlerType, samples, sampleEntries }: Track): boolean {
  if (handlerType !== "vide" && handlerType !== "soun") return false;
  if (samples.constantSizeBytes === 0) return true;
  return CHECKED_FORMATS.has(sampleEntries[0]?.format ?? "") && samples.sampleCount <= MAX_EQUAL_SAMPLES;
}

/** One finding for each hole with the samples around it. */
function describeHoles(holes: readonly Extent[], dropped: readonly DroppedSamples[], hasRawSound: boolean): Finding[] {
  const places = joinExtents([...holes, ...dropped]);
  const counts = new Uint32Array(places.length);
  for (const { startOffset, count } of dropped) {
    const place = firstEndingAfter(places, startOffset);
    counts[place] = (counts[place] as number) + count;
  }
  const rest = hasRawSound ? "; raw sound in them stays, as silence" : "";
  return places.map(({ startOffset, endOffset }, index): Finding => {
    const action = `left out: zeros stand where bytes of ${formatCount(counts[index] ?? 0, "packet")} should be${rest}`;
    return { kind: "damaged-packet", startOffset, endOffset, action };
  });
}

/** From the first chunk's start to the last one's end, within `sizeBytes`. */
export function placeOfSamples(movie: Movie, sizeBytes: number): Extent {
  let [startOffset, endOffset] = [sizeBytes, 0];
  for (const { samples } of movie.tracks) {
    forEachChunk(samples, (_chunk, _first, _count, offset, bytes) => {
      startOffset = Math.min(startOffset, offset);
      endOffset = Math.max(endOffset, Math.min(sizeBytes, offset + bytes));
    });
  }
  return { startOffset, endOffset };
}
