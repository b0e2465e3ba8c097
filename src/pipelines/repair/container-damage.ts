import { formatCount } from "../../base/units.ts";
import { type ByteSource, readExactly } from "../../media/bytes/byte-source.ts";
import type { DamageNote } from "./damage.ts";
import type { RemuxedContainer } from "./remuxed-container.ts";

/**
 * What the sizes in the headers of a Matroska, AVI or MPEG-TS file say against its length: that it was cut off, or never
 * finished. The packets are not looked at. Never throws on content.
 */
export function findContainerDamage(source: ByteSource, container: RemuxedContainer): readonly DamageNote[] {
  switch (container) {
    case "matroska":
      return findMatroskaDamage(source);
    case "avi":
      return findAviDamage(source);
    case "mpegts":
      return findTransportDamage(source);
  }
}

/** Some programs count an element's or a chunk's own head as well, and what ends so near its end lacks no picture. */
const SLIP_BYTES = 16;

/**
 * Whether a Matroska, WebM or AVI file clearly ends before its pictures and sound do, by its own sizes. Where a segment's size was never written, as of a
 * live stream, only a cluster that is cut tells; other kinds of files do not. Never throws on content.
 */
export function isCutOff(source: ByteSource): boolean {
  const head = readExactly(source, 0, 4);
  if (head === undefined) return false;
  if (new DataView(head.buffer).getUint32(0) === EBML_HEADER) return isMatroskaCut(source);
  return isAviCut(source);
}

function isBeyond(source: ByteSource, endOffset: number): boolean {
  return endOffset > source.sizeBytes + SLIP_BYTES;
}

function damage(text: string): DamageNote {
  return { kind: "damage", text };
}

function cutShort(what: string, offset: number, claimedBytes: number, source: ByteSource): DamageNote {
  const there = source.sizeBytes - offset;
  return damage(
    `it was cut off: ${what} at byte ${offset} claims ${formatCount(claimedBytes, "byte")}, ${there} ${there === 1 ? "is" : "are"} there`,
  );
}

/** An EBML element's head (RFC 8794 §4–6). */
interface Element {
  readonly id: number;
  readonly offset: number;
  readonly dataOffset: number;
  /** Undefined: unknown, as while it is being recorded. */
  readonly dataBytes: number | undefined;
}

const EBML_HEADER = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;
const CUES = 0x1c53bb6b;
/** The elements that stand below the segment besides clusters and cues (RFC 9559 §5.1). */
const BELOW_SEGMENT = [0x114d9b74, 0x1549a966, 0x1654ae6b, 0x1941a469, 0x1043a770, 0x1254c367, 0xec, 0xbf];
const MAX_ELEMENTS = 1_000_000;

function findMatroskaDamage(source: ByteSource): readonly DamageNote[] {
  const segment = readSegment(source);
  if (segment === undefined) return [damage("behind its header there is no segment")];
  if (segment.dataBytes === undefined) {
    const cut = findCutElement(source, segment.dataOffset);
    return cut ? [cut] : [damage("it was never finished: its segment has no size")];
  }
  const end = segment.dataOffset + segment.dataBytes;
  if (end > source.sizeBytes) return [cutShort("its segment", segment.offset, end - segment.offset, source)];
  const cut = findCutElement(source, segment.dataOffset);
  return cut ? [cut] : [];
}

function readSegment(source: ByteSource): Element | undefined {
  const header = readElement(source, 0);
  if (header?.dataBytes === undefined) return undefined;
  const segment = readElement(source, header.dataOffset + header.dataBytes);
  return segment?.id === SEGMENT ? segment : undefined;
}

function isMatroskaCut(source: ByteSource): boolean {
  const segment = readSegment(source);
  if (segment === undefined) return false;
  const { dataOffset, dataBytes } = segment;
  if (dataBytes === undefined) return findCutElement(source, dataOffset) !== undefined;
  return isBeyond(source, dataOffset + dataBytes);
}

/** The element below the segment that goes on beyond the end of the file, if one does. */
function findCutElement(source: ByteSource, start: number): DamageNote | undefined {
  let offset = start;
  for (let count = 0; count < MAX_ELEMENTS && offset < source.sizeBytes; count++) {
    const element = readElement(source, offset);
    const isKnown = element !== undefined && [CLUSTER, CUES, ...BELOW_SEGMENT].includes(element.id);
    // Where something else stands, or a cluster without a size, the chain of sizes says no more.
    if (!isKnown || element.dataBytes === undefined) return undefined;
    const end = element.dataOffset + element.dataBytes;
    if (end > source.sizeBytes) return cutShort(nameOf(element.id), offset, end - offset, source);
    offset = end;
  }
  return undefined;
}

function nameOf(id: number): string {
  return id === CLUSTER ? "the cluster" : `the element ${id.toString(16)}`;
}

function readElement(source: ByteSource, offset: number): Element | undefined {
  const head = readExactly(source, offset, Math.min(12, source.sizeBytes - offset));
  if (head === undefined || head.length < 2) return undefined;
  const idBytes = Math.clz32(head[0] as number) - 23;
  const sizeAt = head[idBytes];
  if (idBytes > 4 || sizeAt === undefined || sizeAt === 0) return undefined;
  const sizeBytes = Math.clz32(sizeAt) - 23;
  if (idBytes + sizeBytes > head.length) return undefined;
  const id = head.subarray(0, idBytes).reduce((value, byte) => value * 256 + byte, 0);
  const size = head.subarray(idBytes + 1, idBytes + sizeBytes);
  const mask = 0xff >>> sizeBytes;
  const isUnknown = (sizeAt & mask) === mask && size.every((byte) => byte === 0xff);
  const dataBytes = isUnknown ? undefined : size.reduce((value, byte) => value * 256 + byte, sizeAt & mask);
  return { id, offset, dataOffset: offset + idBytes + sizeBytes, dataBytes };
}

const CHUNK_HEAD_BYTES = 8;
/** Before the pictures stand headers, the name of the program and padding. */
const MAX_CHUNKS = 1000;
/** What stands for the size until it is known. */
const OPEN_SIZE = 0xffffffff;

/** RIFF lists one after the other: `AVI `, then `AVIX` in files beyond a gigabyte (OpenDML 1.02). */
function findAviDamage(source: ByteSource): readonly DamageNote[] {
  for (let offset = 0; offset + CHUNK_HEAD_BYTES <= source.sizeBytes; ) {
    const head = readExactly(source, offset, CHUNK_HEAD_BYTES) as Uint8Array;
    const size = new DataView(head.buffer).getUint32(4, true);
    // Trailers of other kinds are none of the recording.
    if (String.fromCharCode(...head.subarray(0, 4)) !== "RIFF") break;
    if (size === 0 || size === OPEN_SIZE) return [damage("it was never finished: its RIFF list has no size")];
    const end = offset + CHUNK_HEAD_BYTES + size;
    if (end > source.sizeBytes) return [cutShort("its RIFF list", offset, end - offset, source)];
    offset = end + (size & 1);
  }
  return [];
}

/** Its pictures and sound are what counts: the sizes of the RIFF lists around them are off by a header's in files of some programs. */
function isAviCut(source: ByteSource): boolean {
  for (let offset = 0; ; ) {
    const list = readChunk(source, offset);
    if (list?.id !== "RIFF" || !isRiffMedia(list.type)) return false;
    if (isMovieCut(source, list)) return true;
    offset = list.endOffset;
  }
}

function isRiffMedia(type: string): boolean {
  return type === "AVI " || type === "AVIX";
}

function isMovieCut(source: ByteSource, { dataOffset, endOffset }: Chunk): boolean {
  let offset = dataOffset;
  for (let count = 0; count < MAX_CHUNKS && offset < endOffset; count++) {
    const chunk = readChunk(source, offset);
    if (chunk === undefined) return false;
    if (chunk.id === "LIST" && chunk.type === "movi") return chunk.isKnown && isBeyond(source, chunk.endOffset);
    offset = chunk.endOffset;
  }
  return false;
}

/** A RIFF chunk's head, with the type that stands first in lists. */
interface Chunk {
  readonly id: string;
  readonly type: string;
  /** Behind the type. */
  readonly dataOffset: number;
  /** The next one's. */
  readonly endOffset: number;
  readonly isKnown: boolean;
}

function readChunk(source: ByteSource, offset: number): Chunk | undefined {
  const head = readExactly(source, offset, CHUNK_HEAD_BYTES + 4);
  if (head === undefined) return undefined;
  const size = new DataView(head.buffer).getUint32(4, true);
  const text = (from: number): string => String.fromCharCode(...head.subarray(from, from + 4));
  return {
    ...{ id: text(0), type: text(8), dataOffset: offset + head.length },
    endOffset: offset + CHUNK_HEAD_BYTES + size + (size & 1),
    isKnown: size !== 0 && size !== OPEN_SIZE,
  };
}

const SYNC_BYTE = 0x47;

/** Packets of 188 bytes, with a time code before each or a check sum behind it 192 or 204 (ISO/IEC 13818-1 §2.4.3.2). */
function findTransportDamage(source: ByteSource): readonly DamageNote[] {
  const head = readExactly(source, 0, Math.min(source.sizeBytes, 1024)) ?? new Uint8Array(0);
  const forms = [
    [188, 0],
    [192, 4],
    [204, 0],
  ] as const;
  const form = forms.find(([stride, first]) =>
    [0, 1, 2, 3].every((packet) => head[first + packet * stride] === SYNC_BYTE),
  );
  const rest = form === undefined ? 0 : source.sizeBytes % form[0];
  return rest === 0
    ? []
    : [damage(`it was cut off: it ends ${formatCount(rest, "byte")} into a packet of ${form?.[0]}`)];
}
