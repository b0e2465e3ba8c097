import { ReelmillError } from "../../base/errors.ts";
import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { readExactly } from "../../media/bytes/byte-source.ts";
import { concatBytes } from "../../media/isobmff/box-writer.ts";
import type { Movie, SampleTable } from "../../media/isobmff/movie.ts";
import { serializeMovie } from "../../media/isobmff/serialize-movie.ts";
import { fillSoundGaps } from "./sound-gaps.ts";

/** Where the payload stands in the damaged file. */
export interface Payload {
  /** First byte of sample data: everything before it is boxes and headers. */
  readonly startOffset: number;
  /** After the last byte worth keeping. */
  readonly endOffset: number;
}

/** One stretch of the output. */
export type OutputPart =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Bytes of the damaged file, to be shared or copied. */
  | { readonly kind: "copy"; readonly startOffset: number; readonly endOffset: number };

/** How to get from the damaged file to the repaired one. */
export interface OutputLayout {
  /** Front to back. */
  readonly parts: readonly OutputPart[];
  /** The same file made in place: overwrite the first bytes, cut at `truncateAt`, append. Absent where samples must move. */
  readonly inPlace?: { readonly head: Uint8Array; readonly truncateAt: number; readonly tail: Uint8Array };
}

const BOX_HEADER_BYTES = 8;
const LARGE_HEADER_BYTES = 16;
const MAX_HEAD_BYTES = 64 * 1024 * 1024;
const DEFAULT_FTYP = Uint8Array.of(
  0,
  0,
  0,
  20,
  0x66,
  0x74,
  0x79,
  0x70,
  0x69,
  0x73,
  0x6f,
  0x6d,
  0,
  0,
  2,
  0,
  0x69,
  0x73,
  0x6f,
  0x6d,
);

/**
 * Lays out the repaired file: head (`ftyp`, `free`, `mdat` header), payload where it was, `moov` behind it; or with
 * `faststart` the `moov` in front. Throws MEDIA_MALFORMED where the head is beyond 64 MiB.
 */
export function layOutput(
  damaged: ByteSource,
  payload: Payload,
  timed: Movie,
  ftyp: Uint8Array | undefined,
  faststart: boolean,
): OutputLayout {
  const { movie, silence } = fillSoundGaps(timed, payload.endOffset);
  const payloadBytes = payload.endOffset - payload.startOffset + silence.length;
  const brand = ftyp ?? DEFAULT_FTYP;
  const body: OutputPart[] = [{ kind: "copy", ...payload }];
  if (silence.length > 0) body.push(made(silence));
  if (faststart) return { parts: [...layFaststart(payload, payloadBytes, movie, brand), ...body] };
  const head = fitHead(damaged, payload.startOffset, payloadBytes, brand);
  if (head !== undefined) {
    const index = serializeMovie(movie);
    const tail = silence.length > 0 ? concatBytes([silence, index]) : index;
    return { parts: [made(head), ...body, made(index)], inPlace: { head, truncateAt: payload.endOffset, tail } };
  }
  const front = concatBytes([brand, mdatHeader(payloadBytes)]);
  const index = serializeMovie(shiftMovie(movie, front.length - payload.startOffset));
  return { parts: [made(front), ...body, made(index)] };
}

function made(bytes: Uint8Array): OutputPart {
  return { kind: "bytes", bytes };
}

/** The size of `moov` depends on its offsets only in whether they need 64 bits: two rounds settle it. */
function layFaststart(payload: Payload, payloadBytes: number, movie: Movie, ftyp: Uint8Array): readonly OutputPart[] {
  const header = mdatHeader(payloadBytes);
  let moov = serializeMovie(movie);
  for (let round = 0; round < 4; round++) {
    const start = ftyp.length + moov.length + header.length;
    const next = serializeMovie(shiftMovie(movie, start - payload.startOffset));
    if (next.length === moov.length) return [made(ftyp), made(next), made(header)];
    moov = next;
  }
  throw new ReelmillError("INTERNAL", "The size of the movie box did not settle.");
}

/**
 * A head of exactly the payload's present offset, so that no sample moves: `ftyp`, what else stood there as `free`
 * space, and an `mdat` header that fits the payload's size. Undefined where there is no room.
 */
function fitHead(
  damaged: ByteSource,
  startOffset: number,
  payloadBytes: number,
  ftyp: Uint8Array,
): Uint8Array | undefined {
  if (startOffset > MAX_HEAD_BYTES) return undefined;
  const header = mdatHeader(payloadBytes);
  for (const brand of [ftyp, shortFtyp(ftyp), new Uint8Array(0)]) {
    const room = startOffset - brand.length - header.length;
    if (room === 0) return concatBytes([brand, header]);
    if (room >= BOX_HEADER_BYTES) return concatBytes([brand, freeBox(damaged, brand.length, room), header]);
  }
  // Room for a short header only: enough unless the payload needs 64 bits.
  return undefined;
}

/** Free space over what stood there; bytes of no box are not handed on. */
function freeBox(damaged: ByteSource, offset: number, sizeBytes: number): Uint8Array {
  const kept = readExactly(damaged, offset, sizeBytes);
  const isWhole = kept !== undefined && isBoxRun(kept);
  if (isWhole) return kept;
  const box = new Uint8Array(sizeBytes);
  new DataView(box.buffer).setUint32(0, sizeBytes);
  box.set(ascii("free"), 4);
  return box;
}

const KEPT_BOXES = ["free", "skip", "wide", "uuid", "pnot"];

/** Whether the bytes are whole boxes of kinds that may stay in front of the payload. */
function isBoxRun(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at + BOX_HEADER_BYTES <= bytes.length) {
    const size = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (size < BOX_HEADER_BYTES || !KEPT_BOXES.includes(type)) return false;
    at += size;
  }
  return at === bytes.length;
}

function mdatHeader(payloadBytes: number): Uint8Array {
  const isLarge = payloadBytes + BOX_HEADER_BYTES > 0xffffffff;
  const header = new Uint8Array(isLarge ? LARGE_HEADER_BYTES : BOX_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, isLarge ? 1 : payloadBytes + BOX_HEADER_BYTES);
  header.set(ascii("mdat"), 4);
  if (isLarge) view.setBigUint64(8, BigInt(payloadBytes + LARGE_HEADER_BYTES));
  return header;
}

/** `ftyp` with its major brand alone: eight bytes or more are won for a 64-bit header. */
function shortFtyp(ftyp: Uint8Array): Uint8Array {
  const short = ftyp.slice(0, 16);
  new DataView(short.buffer).setUint32(0, short.length);
  return short;
}

function shiftMovie(movie: Movie, byBytes: number): Movie {
  const shift = (samples: SampleTable): SampleTable => ({
    ...samples,
    chunkOffsets: samples.chunkOffsets.map((offset) => offset + byBytes),
  });
  return { ...movie, tracks: movie.tracks.map((track) => ({ ...track, samples: shift(track.samples) })) };
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
