import { ReelmillError } from "../../base/errors.ts";
import type { ByteSource } from "../bytes/byte-source.ts";
import { readRange } from "../bytes/read-range.ts";
import type { BoxReader } from "./box-reader.ts";
import { editOffsetTicks } from "./edit-offset.ts";
import { type FragmentSample, readFragmentSamples } from "./fragment-samples.ts";
import type { Movie, SampleEntry, Track } from "./movie.ts";
import { isSameCoding } from "./same-coding.ts";
import { serializeFragmentHead } from "./serialize-fragments.ts";
import { openMoof, readSingleTrack } from "./single-track.ts";
import { parseTfdt } from "./tfdt.ts";
import { scanTopLevelBoxes, type TopLevelBox } from "./top-level.ts";

/** A file that is open until it is closed. */
export interface OpenPart extends ByteSource {
  readonly close: () => void;
}

/**
 * The fragments of files of one track of pictures each, one file behind the other and behind what the first one begins with, given out piece by
 * piece; each piece is valid until the next one. An edit list that delays a file's pictures becomes part of their decode times; the first file has
 * none. The last picture of a file lasts until the next file's first. Two files are open at a time. For files that were just written, each fragment
 * begun by its only key picture: throws MEDIA_MALFORMED where one is not so or cannot be read, OUTPUT_NOT_VERIFIED where `canJoin` tells no.
 */
export function* joinFragments(openers: readonly (() => OpenPart)[]): Generator<Uint8Array> {
  let part = openPart(openers[0]);
  const first = part;
  let sequenceNumber = 1;
  try {
    if (first !== undefined && first.lateTicks !== 0) throw malformed(`begins ${first.lateTicks} ticks late`);
    for (let index = 1; part !== undefined; index++) {
      const next = openPart(openers[index]);
      try {
        if (first !== undefined && !isSameCoding(part.entry, first.entry)) throw cannotJoin(index);
        sequenceNumber = yield* moveFragments(part, next?.firstTicks, sequenceNumber, index > 1);
      } catch (error) {
        next?.source.close();
        throw error;
      }
      part.source.close();
      part = next;
    }
  } finally {
    part?.source.close();
  }
}

/** Whether the files hold pictures each, encoded with the same parameters. Throws MEDIA_MALFORMED. */
export function canJoin(openers: readonly (() => OpenPart)[]): boolean {
  let common: SampleEntry | undefined;
  for (const open of openers) {
    const source = open();
    try {
      const boxes = scanTopLevelBoxes(source);
      const entry = entryOf(readSingleTrack(source, boxes).track);
      common ??= entry;
      if (!boxes.some(({ type }) => type === "moof") || !isSameCoding(entry, common)) return false;
    } finally {
      source.close();
    }
  }
  return true;
}

/** A file whose fragments are joined to others. */
interface Part {
  readonly source: OpenPart;
  readonly boxes: readonly TopLevelBox[];
  readonly movie: Movie;
  readonly trackId: number;
  readonly entry: SampleEntry;
  /** What its edit list delays it by. */
  readonly lateTicks: number;
  /** When its first picture is decoded in the whole. */
  readonly firstTicks: number;
}

function openPart(open: (() => OpenPart) | undefined): Part | undefined {
  if (open === undefined) return undefined;
  const source = open();
  try {
    const boxes = scanTopLevelBoxes(source);
    const { movie, track } = readSingleTrack(source, boxes);
    const lateTicks = -Math.round(editOffsetTicks(track, movie.timescale));
    if (lateTicks < 0) throw malformed("hides its beginning");
    const moof = boxes.find(({ type }) => type === "moof");
    const [sample] = moof === undefined ? [] : readFragmentSamples(source, moof, movie);
    if (sample === undefined) throw malformed("holds no picture");
    const entry = entryOf(track);
    return {
      source,
      boxes,
      movie,
      trackId: track.trackId,
      entry,
      lateTicks,
      firstTicks: lateTicks + sample.decodeTicks,
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

function entryOf({ sampleEntries: [entry] }: Track): SampleEntry {
  if (entry === undefined) throw malformed("has no sample entry");
  return entry;
}

/** Returns the number of the fragment behind. */
function* moveFragments(
  { source, boxes, movie, trackId, lateTicks }: Part,
  endTicks: number | undefined,
  firstNumber: number,
  isContinued: boolean,
): Generator<Uint8Array, number> {
  const moov = boxes.findIndex(({ type }) => type === "moov");
  const last = boxes.findLastIndex(({ type }) => type === "moof");
  let sequenceNumber = firstNumber;
  for (const [position, box] of boxes.entries()) {
    if (position <= moov && isContinued) continue;
    if (position === last && endTicks !== undefined) {
      const samples = readFragmentSamples(source, box, movie);
      yield* closeFragment(source, samples, { trackId, lateTicks, endTicks, sequenceNumber: sequenceNumber++ });
      return sequenceNumber;
    }
    if (box.type === "moof") yield moveFragment(source, box, lateTicks, sequenceNumber++);
    else yield* readRange(source, box.offsetBytes, box.offsetBytes + box.sizeBytes);
  }
  return sequenceNumber;
}

/** A `moof` with its number and its decode time changed, ISO/IEC 14496-12 §8.8.5, §8.8.12. */
function moveFragment(source: ByteSource, box: TopLevelBox, lateTicks: number, sequenceNumber: number): Uint8Array {
  const moof = openMoof(source, box);
  const { bytes } = moof;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const children = moof.children();
  const number = childOf(children, "mfhd");
  const time = childOf(childOf(children, "traf").children(), "tfdt");
  view.setUint32(number.payloadIndex + 4, sequenceNumber);
  const isLong = view.getUint8(time.payloadIndex) === 1;
  const decodeTicks = parseTfdt(time) + lateTicks;
  if (isLong) view.setBigUint64(time.payloadIndex + 4, BigInt(decodeTicks));
  else if (decodeTicks <= 0xffff_ffff) view.setUint32(time.payloadIndex + 4, decodeTicks);
  else throw malformed(`keeps its times in 32 bits, ${decodeTicks} needs more`);
  return bytes;
}

/** The last fragment before another file, written anew: its last picture lasts until that begins, whatever its encoder thought. */
function* closeFragment(
  source: ByteSource,
  samples: readonly FragmentSample[],
  place: {
    readonly trackId: number;
    readonly lateTicks: number;
    readonly endTicks: number;
    readonly sequenceNumber: number;
  },
): Generator<Uint8Array> {
  const { trackId, lateTicks, endTicks, sequenceNumber } = place;
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) throw malformed("ends with a fragment without pictures");
  const durations = Uint32Array.from(samples, ({ durationTicks }) => durationTicks);
  const lasts = endTicks - lateTicks - last.decodeTicks;
  if (!(lasts > 0)) throw malformed(`ends ${-lasts} ticks behind the beginning of the next`);
  durations[durations.length - 1] = lasts;
  yield serializeFragmentHead({
    ...{ sequenceNumber, trackId, decodeTicks: first.decodeTicks + lateTicks, durations },
    sizes: Uint32Array.from(samples, ({ sizeBytes }) => sizeBytes),
    isSync: Uint8Array.from(samples, (_sample, index) => Number(index === 0)),
    compositionOffsets: Int32Array.from(samples, (sample) => sample.presentationTicks - sample.decodeTicks),
  });
  yield* readRange(source, first.offsetBytes, last.offsetBytes + last.sizeBytes);
}

function childOf(boxes: readonly BoxReader[], type: string): BoxReader {
  const box = boxes.find((child) => child.type === type);
  if (box === undefined) throw malformed(`has a moof without ${type}`);
  return box;
}

function cannotJoin(number: number): ReelmillError {
  const problem = `Span ${number} was encoded with other parameters than the first, so they cannot be joined.`;
  return new ReelmillError("OUTPUT_NOT_VERIFIED", problem);
}

function malformed(fault: string): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `An encoded span ${fault}.`);
}
