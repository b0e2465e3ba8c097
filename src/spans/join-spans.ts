import { ReelmillError } from "../base/errors.ts";
import { type ByteSource, readExactly } from "../media/bytes/byte-source.ts";
import { openBox } from "../media/isobmff/box-reader.ts";
import { serializeBox } from "../media/isobmff/box-writer.ts";
import type { EntryChild } from "../media/isobmff/create-entry.ts";
import { createMovieHeader, createTrackBoxes } from "../media/isobmff/create-track.ts";
import { editOffsetTicks } from "../media/isobmff/edit-offset.ts";
import type { Edit, Movie, SampleEntry, SampleTable, Track } from "../media/isobmff/movie.ts";
import { readMovie } from "../media/isobmff/read-movie.ts";
import { isSameCoding, withoutBitRates } from "../media/isobmff/same-coding.ts";
import { forEachChunk, forEachSample } from "../media/isobmff/sample-table.ts";
import { SampleTableBuilder } from "../media/isobmff/sample-table-builder.ts";
import {
  type Fragment,
  serializeFragmentedMovie,
  serializeFragmentHead,
} from "../media/isobmff/serialize-fragments.ts";
import { scanTopLevelBoxes, type TopLevelBox } from "../media/isobmff/top-level.ts";
import { unpackTicks } from "./packed-ticks.ts";

const PIECE_BYTES = 1024 * 1024;
const TRACK_ID = 1;
/** A fragment holds so many at most. */
const FRAGMENT_PICTURES = 4096;
/** Offsets of order are kept in 32 bits with a sign, and may be twice as large as the largest delay. */
const MAX_OFFSET_TICKS = 2 ** 30;

/** An encoded span: an MP4 file of one video track, in which only the order of the pictures matters, not their times. */
export interface EncodedSpan {
  readonly source: ByteSource;
  /** When its pictures are shown, in ticks of the whole, rising, as many as the file holds; as `packTicks` packs them. */
  readonly packedTicks: string;
}

/** How the whole counts its time. */
export interface JoinedTimes {
  /** Ticks per second, 1 to 2^32 − 1. */
  readonly timescale: number;
  /** The tick that becomes time 0; none of the pictures is shown before it. */
  readonly originTicks: number;
  /** Of the last picture shown, in ticks. */
  readonly lastDurationTicks: number;
}

/** The pictures of one file in order of decoding. */
export interface SpanSamples {
  readonly entry: SampleEntry;
  readonly sizes: Uint32Array;
  readonly isSync: Uint8Array;
  /** Position of each among those shown, from 0. */
  readonly ranks: Uint32Array;
  /** Presentation times in seconds as the encoder was given them, about to its clock's precision, in order of presentation. */
  readonly ownSeconds: Float64Array;
  /** Stretches of the file that hold the samples, in order. */
  readonly stretches: readonly { readonly startOffset: number; readonly endOffset: number }[];
  readonly totalBytes: number;
}

/** How many pictures an encoded span holds, and their bytes; a recording may have stretches of which none decodes. Throws MEDIA_MALFORMED. */
export function measurePictures(source: ByteSource): { readonly pictures: number; readonly bytes: number } {
  const samples = readPictures(source)?.track.samples;
  let bytes = 0;
  if (samples !== undefined) {
    forEachSample(samples, (_index, _offset, sizeBytes) => {
      bytes += sizeBytes;
    });
  }
  return { pictures: samples?.sampleCount ?? 0, bytes };
}

/** Whether encoded spans hold pictures each, encoded with the same parameters. Throws MEDIA_MALFORMED. */
export function canJoinSpans(sources: Iterable<ByteSource>): boolean {
  let common: SampleEntry | undefined;
  for (const source of sources) {
    const entry = readPictures(source)?.entry;
    common ??= entry;
    if (entry === undefined || common === undefined || !isSameCoding(entry, common)) return false;
  }
  return true;
}

/** Undefined where there is no picture. */
function readPictures(source: ByteSource): { movie: Movie; track: Track; entry: SampleEntry } | undefined {
  const box = scanTopLevelBoxes(source).find(({ type }) => type === "moov");
  // ffmpeg makes no track of an encoder that was given nothing.
  const movie = box && hasTracks(source, box) ? readMovie(source, box) : undefined;
  const track = movie?.tracks.find(({ handlerType }) => handlerType === "vide");
  const entry = track?.sampleEntries[0];
  if (movie === undefined || track === undefined || entry === undefined) return undefined;
  return track.samples.sampleCount === 0 ? undefined : { movie, track, entry };
}

function hasTracks(source: ByteSource, { offsetBytes, sizeBytes }: TopLevelBox): boolean {
  const bytes = readExactly(source, offsetBytes, sizeBytes);
  return (
    bytes !== undefined &&
    openBox(bytes, offsetBytes)
      .children()
      .some(({ type }) => type === "trak")
  );
}

/** Reads the one video track of an encoded span. Throws MEDIA_MALFORMED, and OUTPUT_NOT_VERIFIED where there is none. */
export function readSpan(source: ByteSource): SpanSamples {
  const pictures = readPictures(source);
  if (pictures === undefined) throw cannotJoin("The encoder wrote no picture of a span.");
  const { movie, track, entry } = pictures;
  return describeSamples(track, entry, editOffsetTicks(track, movie.timescale));
}

function describeSamples({ samples, timescale }: Track, entry: SampleEntry, offsetTicks: number): SpanSamples {
  const count = samples.sampleCount;
  const sizes = new Uint32Array(count);
  const isSync = new Uint8Array(count);
  const shown = new Float64Array(count);
  let decodeTicks = 0;
  let totalBytes = 0;
  forEachSample(samples, (index, _offset, sizeBytes, durationTicks, compositionTicks, sync) => {
    sizes[index] = sizeBytes;
    isSync[index] = Number(sync);
    shown[index] = decodeTicks + compositionTicks;
    decodeTicks += durationTicks;
    totalBytes += sizeBytes;
  });
  const order = Uint32Array.from(shown.keys()).sort((a, b) => (shown[a] as number) - (shown[b] as number));
  const ranks = new Uint32Array(count);
  for (const [rank, index] of order.entries()) ranks[index] = rank;
  const ownSeconds = Float64Array.from(order, (index) => ((shown[index] as number) - offsetTicks) / timescale);
  return { entry, sizes, isSync, ranks, ownSeconds, stretches: listStretches(samples), totalBytes };
}

function listStretches(samples: SampleTable): SpanSamples["stretches"] {
  const stretches: { startOffset: number; endOffset: number }[] = [];
  forEachChunk(samples, (_chunk, _first, _count, offsetBytes, sizeBytes) => {
    const last = stretches.at(-1);
    if (last?.endOffset === offsetBytes) last.endOffset += sizeBytes;
    else stretches.push({ startOffset: offsetBytes, endOffset: offsetBytes + sizeBytes });
  });
  return stretches;
}

/** What joining does besides. */
export interface JoinOptions {
  /** Boxes for the sample entry that the encoder did not write. */
  readonly extra?: readonly EntryChild[];
  /** Hears the bytes of the pictures, in order of decoding, as they are joined. */
  readonly onMedia?: (piece: Uint8Array) => void;
}

/**
 * Joins encoded spans into one fragmented MP4, given out piece by piece: what is shown when follows from the ticks alone. Spans are
 * looked at one after the other, so that memory does not grow with their number. Throws OUTPUT_NOT_VERIFIED where a file holds another
 * number of pictures than it has ticks, or was encoded with other parameters than the first, MEDIA_MALFORMED.
 */
export function joinSpans(
  spans: readonly EncodedSpan[],
  times: JoinedTimes,
  options: JoinOptions = {},
): Iterable<Uint8Array> {
  const summary = examineSpans(spans);
  if (summary.reorderTicks > MAX_OFFSET_TICKS) {
    const message = `A picture is shown ${summary.reorderTicks} ticks after it is decoded, more than a file can tell.`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
  return givePieces(spans, times, summary, options);
}

/** What the beginning of the file must tell of all spans. */
interface SpansSummary {
  readonly entry: SampleEntry;
  /** When each span's first picture is shown. */
  readonly firstTicks: readonly number[];
  /** How much later than the n-th picture shown the n-th picture decoded may be shown: no picture is decoded after its time then. */
  readonly reorderTicks: number;
}

function examineSpans(spans: readonly EncodedSpan[]): SpansSummary {
  let entry: SampleEntry | undefined;
  let last = Number.NEGATIVE_INFINITY;
  let reorderTicks = 0;
  const firstTicks: number[] = [];
  for (const [index, { source, packedTicks }] of spans.entries()) {
    const samples = readSpan(source);
    const ticks = unpackTicks(packedTicks);
    const { length } = samples.sizes;
    if (length !== ticks.length)
      throw cannotJoin(`Span ${index + 1} holds ${length} pictures, not the ${ticks.length} of the source.`);
    entry ??= samples.entry;
    if (!isSameCoding(samples.entry, entry)) {
      throw cannotJoin(`Span ${index + 1} was encoded with other parameters than the first, so they cannot be joined.`);
    }
    firstTicks.push(ticks[0] as number);
    for (const [position, at] of ticks.entries()) {
      if (!(at > last)) throw cannotJoin(`Two pictures are to be shown at tick ${at}.`);
      last = at;
      reorderTicks = Math.max(reorderTicks, at - (ticks[samples.ranks[position] as number] as number));
    }
  }
  if (entry === undefined) throw cannotJoin("There is no span to join.");
  return { entry, firstTicks, reorderTicks };
}

function cannotJoin(message: string): ReelmillError {
  return new ReelmillError("OUTPUT_NOT_VERIFIED", message);
}

function* givePieces(
  spans: readonly EncodedSpan[],
  times: JoinedTimes,
  summary: SpansSummary,
  { extra = [], onMedia }: JoinOptions,
): Iterable<Uint8Array> {
  const { firstTicks, reorderTicks } = summary;
  yield serializeBox("ftyp", new TextEncoder().encode("iso5\0\0\x02\0iso5iso6mp41"));
  yield serializeFragmentedMovie(buildMovie(summary, times, extra));
  let sequenceNumber = 1;
  for (const [index, { source, packedTicks }] of spans.entries()) {
    const samples = readSpan(source);
    const ticks = unpackTicks(packedTicks);
    const endTicks = firstTicks[index + 1] ?? (ticks.at(-1) as number) + times.lastDurationTicks;
    const take = createStretchReader(source, samples.stretches);
    for (let start = 0; start < ticks.length; start += FRAGMENT_PICTURES) {
      const fragment = describeFragment(samples, ticks, { start, endTicks, reorderTicks });
      const decodeTicks = (ticks[start] as number) - (firstTicks[0] as number);
      yield serializeFragmentHead({ ...fragment, sequenceNumber: sequenceNumber++, trackId: TRACK_ID, decodeTicks });
      for (const piece of take(fragment.sizes.reduce((sum, size) => sum + size, 0))) {
        onMedia?.(piece);
        yield piece;
      }
    }
  }
}

/** The n-th picture decoded is decoded when the n-th is shown, and all are shown later by the same delay, which an edit takes off again. */
function describeFragment(
  { sizes, isSync, ranks }: SpanSamples,
  ticks: Float64Array,
  {
    start,
    endTicks,
    reorderTicks,
  }: { readonly start: number; readonly endTicks: number; readonly reorderTicks: number },
): Pick<Fragment, "durations" | "sizes" | "isSync" | "compositionOffsets"> {
  const end = Math.min(ticks.length, start + FRAGMENT_PICTURES);
  const decoded = ticks.subarray(start, end);
  return {
    durations: Uint32Array.from(decoded, (at, index) => (ticks[start + index + 1] ?? endTicks) - at),
    sizes: sizes.subarray(start, end),
    isSync: isSync.subarray(start, end),
    compositionOffsets: Int32Array.from(
      decoded,
      (at, index) => (ticks[ranks[start + index] as number] as number) - at + reorderTicks,
    ),
  };
}

function buildMovie(
  { entry, firstTicks, reorderTicks }: SpansSummary,
  times: JoinedTimes,
  extra: readonly EntryChild[],
): Movie {
  const { timescale, originTicks } = times;
  const children = new Map(extra.map(({ type, payload }) => [type, payload]));
  const common = withoutBitRates({ ...entry, children: new Map([...children, ...entry.children]) });
  const { widthPixels = 0, heightPixels = 0 } = common.visual ?? {};
  const track: Track = {
    trackId: TRACK_ID,
    handlerType: "vide",
    timescale,
    sampleEntries: [common],
    samples: new SampleTableBuilder(0).build(),
    edits: editsFor((firstTicks[0] ?? 0) - originTicks, reorderTicks),
    boxes: createTrackBoxes({ trackId: TRACK_ID, handlerType: "vide", timescale, widthPixels, heightPixels }),
  };
  // In ticks of the track, the delay in front of it is exact.
  const movieHeader = createMovieHeader(timescale, TRACK_ID + 1);
  return { timescale, tracks: [track], movieHeader, isFragmented: true };
}

function editsFor(delayTicks: number, reorderTicks: number): readonly Edit[] {
  if (delayTicks === 0 && reorderTicks === 0) return [];
  const shown: Edit = { durationTicks: 0, mediaTimeTicks: reorderTicks, rate: 1 };
  return delayTicks > 0 ? [{ durationTicks: delayTicks, mediaTimeTicks: -1, rate: 1 }, shown] : [shown];
}

/** Gives the bytes of the stretches one after the other, so many at each call. */
function createStretchReader(
  source: ByteSource,
  stretches: SpanSamples["stretches"],
): (bytes: number) => Iterable<Uint8Array> {
  let stretch = 0;
  let offset = stretches[0]?.startOffset ?? 0;
  return function* (bytes) {
    for (let left = bytes; left > 0; ) {
      const { endOffset } = stretches[stretch] as SpanSamples["stretches"][number];
      if (offset === endOffset) {
        offset = stretches[++stretch]?.startOffset ?? 0;
        continue;
      }
      const piece = new Uint8Array(Math.min(PIECE_BYTES, endOffset - offset, left));
      if (source.read(offset, piece) < piece.length) {
        throw new ReelmillError("INPUT_UNREADABLE", "An encoded span became shorter while it was read.");
      }
      yield piece;
      offset += piece.length;
      left -= piece.length;
    }
  };
}
