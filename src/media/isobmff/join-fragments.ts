import { ReelmillError } from "../../base/errors.ts";
import { type ByteSource, readExactly } from "../bytes/byte-source.ts";
import { type BoxReader, openBox } from "./box-reader.ts";
import { editOffsetTicks } from "./edit-offset.ts";
import { MAX_FRAGMENT_BYTES } from "./fragment-search.ts";
import type { SampleEntry } from "./movie.ts";
import { readMovie } from "./read-movie.ts";
import { isSameCoding } from "./same-coding.ts";
import { parseTfdt } from "./tfdt.ts";
import { scanTopLevelBoxes, type TopLevelBox } from "./top-level.ts";

const PIECE_BYTES = 1024 * 1024;

/**
 * The fragments of files of one track of pictures each, one file behind the other and behind what the first one begins with, given out piece by
 * piece; each piece is valid until the next one. An edit list that delays a file's pictures becomes part of their decode times; the first file has none. For files
 * that were just written: throws MEDIA_MALFORMED where one is not so or cannot be read, OUTPUT_NOT_VERIFIED where it was encoded with other
 * parameters than the first.
 */
export function* joinFragments(sources: readonly ByteSource[]): Generator<Uint8Array> {
  let common: SampleEntry | undefined;
  let sequenceNumber = 1;
  for (const [index, source] of sources.entries()) {
    const boxes = scanTopLevelBoxes(source);
    const { entry, timescale, lateTicks } = describeTrack(source, boxes);
    common ??= entry;
    if (!isSameCoding(entry, common)) {
      const problem = `Span ${index + 1} was encoded with other parameters than the first, so they cannot be joined.`;
      throw new ReelmillError("OUTPUT_NOT_VERIFIED", problem);
    }
    if (index === 0 && lateTicks !== 0) throw malformed(`begins ${lateTicks} ticks of ${timescale} late`);
    const moov = boxes.findIndex(({ type }) => type === "moov");
    for (const [position, box] of boxes.entries()) {
      if (position <= moov && index > 0) continue;
      if (box.type === "moof") yield moveFragment(source, box, lateTicks, sequenceNumber++);
      else yield* readBox(source, box);
    }
  }
}

function describeTrack(
  source: ByteSource,
  boxes: readonly TopLevelBox[],
): { readonly entry: SampleEntry; readonly timescale: number; readonly lateTicks: number } {
  const moov = boxes.find(({ type }) => type === "moov");
  const movie = moov && readMovie(source, moov);
  const [track, ...others] = movie?.tracks ?? [];
  const entry = track?.sampleEntries[0];
  if (movie === undefined || track === undefined || entry === undefined || others.length > 0) {
    throw malformed("has not exactly one track");
  }
  const lateTicks = -Math.round(editOffsetTicks(track, movie.timescale));
  if (lateTicks < 0) throw malformed("hides its beginning");
  return { entry, timescale: track.timescale, lateTicks };
}

/** A `moof` with its number and its decode time changed, ISO/IEC 14496-12 §8.8.5, §8.8.12. */
function moveFragment(
  source: ByteSource,
  { offsetBytes, sizeBytes }: TopLevelBox,
  lateTicks: number,
  sequenceNumber: number,
): Uint8Array {
  const bytes = sizeBytes <= MAX_FRAGMENT_BYTES ? readExactly(source, offsetBytes, sizeBytes) : undefined;
  if (bytes === undefined) throw malformed(`has a moof of ${sizeBytes} bytes that cannot be read`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const children = openBox(bytes, offsetBytes).children();
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

function childOf(boxes: readonly BoxReader[], type: string): BoxReader {
  const box = boxes.find((child) => child.type === type);
  if (box === undefined) throw malformed(`has a moof without ${type}`);
  return box;
}

function* readBox(source: ByteSource, { offsetBytes, sizeBytes, type }: TopLevelBox): Generator<Uint8Array> {
  const piece = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes));
  for (let done = 0; done < sizeBytes; ) {
    const got = source.read(offsetBytes + done, piece.subarray(0, Math.min(piece.length, sizeBytes - done)));
    if (got === 0) throw malformed(`ends within its ${type}`);
    yield piece.subarray(0, got);
    done += got;
  }
}

function malformed(fault: string): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `An encoded span ${fault}.`);
}
