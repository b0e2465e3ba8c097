import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { readExactly } from "../../media/bytes/byte-source.ts";
import { concatBytes, serializeBoxHeader } from "../../media/isobmff/box-writer.ts";
import { serializeIndexFirst, shiftMovie } from "../../media/isobmff/index-first.ts";
import type { Movie } from "../../media/isobmff/movie.ts";
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
  if (faststart) {
    const front = { ftyp: brand, movie, dataOffset: payload.startOffset, dataBytes: payloadBytes };
    return { parts: [...serializeIndexFirst(front).map(made), ...body] };
  }
  const head = fitHead(damaged, payload.startOffset, payloadBytes, brand);
  if (head !== undefined) {
    const index = serializeMovie(movie);
    const tail = silence.length > 0 ? concatBytes([silence, index]) : index;
    return { parts: [made(head), ...body, made(index)], inPlace: { head, truncateAt: payload.endOffset, tail } };
  }
  const front = concatBytes([brand, serializeBoxHeader("mdat", payloadBytes)]);
  const index = serializeMovie(shiftMovie(movie, front.length - payload.startOffset));
  return { parts: [made(front), ...body, made(index)] };
}

function made(bytes: Uint8Array): OutputPart {
  return { kind: "bytes", bytes };
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
  const header = serializeBoxHeader("mdat", payloadBytes);
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

/** `ftyp` with its major brand alone: eight bytes or more are won for a 64-bit header. */
function shortFtyp(ftyp: Uint8Array): Uint8Array {
  const short = ftyp.slice(0, 16);
  new DataView(short.buffer).setUint32(0, short.length);
  return short;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
