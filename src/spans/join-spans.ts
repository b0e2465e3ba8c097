import { ReelmillError } from "../base/errors.ts";
import type { ByteSource } from "../media/bytes/byte-source.ts";
import { concatBytes, serializeBox } from "../media/isobmff/box-writer.ts";
import type { EntryChild } from "../media/isobmff/create-entry.ts";
import { createMovieHeader, createTrackBoxes } from "../media/isobmff/create-track.ts";
import { editOffsetTicks } from "../media/isobmff/edit-offset.ts";
import { serializeIndexFirst } from "../media/isobmff/index-first.ts";
import type { Edit, Movie, SampleEntry, SampleTable, Track } from "../media/isobmff/movie.ts";
import { readMovie } from "../media/isobmff/read-movie.ts";
import { forEachChunk, forEachSample } from "../media/isobmff/sample-table.ts";
import { SampleTableBuilder } from "../media/isobmff/sample-table-builder.ts";
import { scanTopLevelBoxes } from "../media/isobmff/top-level.ts";

const PIECE_BYTES = 1024 * 1024;
const TRACK_ID = 1;
/** Offsets of order are kept in 32 bits with a sign, and may be twice as large as the largest delay. */
const MAX_OFFSET_TICKS = 2 ** 30;
/** Of a visual sample entry before its boxes, ISO/IEC 14496-12 §12.1.3. */
const VISUAL_ENTRY_BYTES = 86;

/** An encoded span: an MP4 file of one video track, in which only the order of the pictures matters, not their times. */
export interface EncodedSpan {
  readonly source: ByteSource;
  /** As `readSpan` reads them from the source. */
  readonly samples: SpanSamples;
  /** When its pictures are shown, in ticks of the whole, rising: as many as the file holds. */
  readonly ticks: ArrayLike<number>;
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

/** Reads the one video track of an encoded span. Throws MEDIA_MALFORMED, and OUTPUT_NOT_VERIFIED where there is none. */
export function readSpan(source: ByteSource): SpanSamples {
  const box = scanTopLevelBoxes(source).find(({ type }) => type === "moov");
  const movie = box && readMovie(source, box);
  const track = movie?.tracks.find(({ handlerType }) => handlerType === "vide");
  const entry = track?.sampleEntries[0];
  if (movie === undefined || track === undefined || entry === undefined || track.samples.sampleCount === 0) {
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", "The encoder wrote no picture of a span.");
  }
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

/**
 * The ticks of those pictures that came out of a span, where the source's decoder lost some. `expected` in ticks, rising. Undefined where
 * a picture has a time that is none of them.
 */
export function matchTicks(
  ownSeconds: Float64Array,
  expected: ArrayLike<number>,
  timescale: number,
): readonly number[] | undefined {
  const matched: number[] = [];
  let at = 0;
  for (const own of ownSeconds) {
    const wanted = own * timescale;
    while (at + 1 < expected.length && nearer(expected, at + 1, at, wanted)) at++;
    const found = expected[at];
    if (found === undefined || Math.abs(found - wanted) > tolerance(expected, at)) return undefined;
    matched.push(found);
    at++;
  }
  return matched;
}

function nearer(ticks: ArrayLike<number>, a: number, b: number, wanted: number): boolean {
  return Math.abs((ticks[a] as number) - wanted) < Math.abs((ticks[b] as number) - wanted);
}

/** Half of the distance to the nearest neighbour. */
function tolerance(ticks: ArrayLike<number>, at: number): number {
  const here = ticks[at] as number;
  const before = at > 0 ? here - (ticks[at - 1] as number) : Number.POSITIVE_INFINITY;
  const after = at + 1 < ticks.length ? (ticks[at + 1] as number) - here : Number.POSITIVE_INFINITY;
  return Math.min(before, after) / 2;
}

/**
 * Joins encoded spans into one MP4, index in front, given out piece by piece: what is shown when follows from `ticks` alone. Throws
 * OUTPUT_NOT_VERIFIED where a file holds another number of pictures than it has ticks, or was encoded with other parameters than the
 * first, MEDIA_MALFORMED. `extra` are boxes for the sample entry that the encoder did not write.
 */
export function joinSpans(
  spans: readonly EncodedSpan[],
  times: JoinedTimes,
  extra: readonly EntryChild[] = [],
): Iterable<Uint8Array> {
  for (const [index, { samples, ticks }] of spans.entries()) {
    if (samples.sizes.length === ticks.length) continue;
    const message = `Span ${index + 1} holds ${samples.sizes.length} pictures, not the ${ticks.length} of the source.`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
  requireOneConfiguration(spans.map(({ samples }) => samples.entry));
  requireRising(spans);
  const ftyp = serializeBox("ftyp", new TextEncoder().encode("isom\0\0\x02\0isomiso2mp41"));
  const dataBytes = spans.reduce((sum, { samples }) => sum + samples.totalBytes, 0);
  const head = serializeIndexFirst({ ftyp, movie: buildMovie(spans, times, extra), dataOffset: 0, dataBytes });
  return givePieces(head, spans);
}

function requireOneConfiguration(entries: readonly SampleEntry[]): void {
  const [first = new Uint8Array(0), ...others] = entries.map((entry) => commonEntry(entry).raw);
  for (const [index, raw] of others.entries()) {
    if (isEqual(raw, first)) continue;
    const message = `Span ${index + 2} was encoded with other parameters than the first, so they cannot be joined.`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
}

function requireRising(spans: readonly EncodedSpan[]): void {
  let last = Number.NEGATIVE_INFINITY;
  for (const { ticks } of spans) {
    for (let index = 0; index < ticks.length; index++) {
      const at = ticks[index] as number;
      if (!(at > last)) throw new ReelmillError("OUTPUT_NOT_VERIFIED", `Two pictures are to be shown at tick ${at}.`);
      last = at;
    }
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** The times of all pictures, in the order of the spans. */
export function joinTicks(spans: readonly Pick<EncodedSpan, "ticks">[]): Float64Array {
  const all = new Float64Array(spans.reduce((sum, { ticks }) => sum + ticks.length, 0));
  let at = 0;
  for (const { ticks } of spans) {
    all.set(ticks, at);
    at += ticks.length;
  }
  return all;
}

/** Its offsets count from the beginning of the data. */
function buildMovie(spans: readonly EncodedSpan[], times: JoinedTimes, extra: readonly EntryChild[]): Movie {
  const { timescale, originTicks, lastDurationTicks } = times;
  const shown = joinTicks(spans);
  const reorderTicks = largestReorder(spans, shown);
  if (reorderTicks > MAX_OFFSET_TICKS) {
    const message = `A picture is shown ${reorderTicks} ticks after it is decoded, more than a file can tell.`;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", message);
  }
  const builder = new SampleTableBuilder(shown.length);
  let position = 0;
  let offset = 0;
  for (const { samples, ticks } of spans) {
    builder.startChunk(offset, 1);
    for (const [index, sizeBytes] of samples.sizes.entries()) {
      const decode = shown[position] as number;
      const next = shown[position + 1];
      const durationTicks = next === undefined ? lastDurationTicks : next - decode;
      const compositionTicks = (ticks[samples.ranks[index] as number] as number) - decode + reorderTicks;
      builder.addSample(sizeBytes, durationTicks, compositionTicks, samples.isSync[index] === 1);
      position++;
    }
    offset += samples.totalBytes;
  }
  const delayTicks = (shown[0] ?? 0) - originTicks;
  const first = (spans[0] as EncodedSpan).samples.entry;
  const children = new Map(extra.map(({ type, payload }) => [type, payload]));
  const entry = commonEntry({ ...first, children: new Map([...children, ...first.children]) });
  const { widthPixels = 0, heightPixels = 0 } = entry.visual ?? {};
  const track: Track = {
    trackId: TRACK_ID,
    handlerType: "vide",
    timescale,
    sampleEntries: [entry],
    samples: builder.build(),
    edits: editsFor(delayTicks, reorderTicks),
    boxes: createTrackBoxes({ trackId: TRACK_ID, handlerType: "vide", timescale, widthPixels, heightPixels }),
  };
  // In ticks of the track, the delay in front of it is exact.
  const movieHeader = createMovieHeader(timescale, TRACK_ID + 1);
  return { timescale, tracks: [track], movieHeader, isFragmented: false };
}

/** The entry with the boxes given alone after its fixed fields. */
function withChildren(entry: SampleEntry, children: Iterable<readonly [string, Uint8Array]>): SampleEntry {
  const boxes = Array.from(children, ([type, payload]) => serializeBox(type, payload));
  const raw = concatBytes([entry.raw.subarray(0, VISUAL_ENTRY_BYTES), ...boxes]);
  new DataView(raw.buffer, raw.byteOffset).setUint32(0, raw.length);
  return { ...entry, raw };
}

/** What all spans must have in common: their bit rates differ. */
function commonEntry(entry: SampleEntry): SampleEntry {
  return withChildren(
    entry,
    [...entry.children].filter(([type]) => type !== "btrt"),
  );
}

/** How much later than the n-th picture shown the n-th picture decoded may be shown: no picture is decoded after its time then. */
function largestReorder(spans: readonly EncodedSpan[], shown: Float64Array): number {
  let reorderTicks = 0;
  let position = 0;
  for (const { samples, ticks } of spans) {
    for (const rank of samples.ranks) {
      reorderTicks = Math.max(reorderTicks, (shown[position] as number) - (ticks[rank] as number));
      position++;
    }
  }
  return reorderTicks;
}

function editsFor(delayTicks: number, reorderTicks: number): readonly Edit[] {
  if (delayTicks === 0 && reorderTicks === 0) return [];
  const shown: Edit = { durationTicks: 0, mediaTimeTicks: reorderTicks, rate: 1 };
  return delayTicks > 0 ? [{ durationTicks: delayTicks, mediaTimeTicks: -1, rate: 1 }, shown] : [shown];
}

function* givePieces(head: readonly Uint8Array[], spans: readonly EncodedSpan[]): Iterable<Uint8Array> {
  yield* head;
  for (const { source, samples } of spans) {
    for (const { startOffset, endOffset } of samples.stretches) {
      for (let offset = startOffset; offset < endOffset; ) {
        const piece = new Uint8Array(Math.min(PIECE_BYTES, endOffset - offset));
        const got = source.read(offset, piece);
        if (got < piece.length) {
          throw new ReelmillError("INPUT_UNREADABLE", "An encoded span became shorter while it was read.");
        }
        yield piece;
        offset += got;
      }
    }
  }
}
