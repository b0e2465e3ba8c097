import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ReelmillError } from "../../src/base/errors.ts";

/** A half-open range of byte offsets; `endOffset` may be Infinity. */
export interface ByteRange {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** A top-level box (ISO/IEC 14496-12 §4.2), its size clipped to the file. */
export interface TopBox {
  readonly type: string;
  readonly offset: number;
  readonly headerBytes: number;
  readonly sizeBytes: number;
}

/** Where the parts of an intact recording lie that damage is aimed at. Offsets are in bytes from the file's start. */
export type Layout =
  | { readonly kind: "mp4" | "fragmented"; readonly sizeBytes: number; readonly boxes: readonly TopBox[] }
  | { readonly kind: "avi"; readonly sizeBytes: number; readonly moviOffset: number; readonly moviBytes: number }
  | {
      readonly kind: "mkv";
      readonly sizeBytes: number;
      /** The Segment's size field. */
      readonly segmentSizeOffset: number;
      readonly segmentSizeBytes: number;
      /** From the first Cluster to the end of the last. */
      readonly clusters: ByteRange;
    };

/** Reads the layout of an intact recording. Throws INPUT_NOT_VIDEO where it is no MP4/MOV, AVI or Matroska. */
export function readLayout(path: string): Layout {
  const fd = openSync(path, "r");
  try {
    const sizeBytes = fstatSync(fd).size;
    const magic = readAt(fd, 0, 12);
    if (magic.toString("latin1", 0, 4) === "RIFF") return readAviLayout(fd, sizeBytes);
    if (magic.readUInt32BE(0) === 0x1a45dfa3) return readMatroskaLayout(fd, sizeBytes);
    const boxes = readTopBoxes(fd, sizeBytes);
    if (!boxes.some((box) => box.type === "mdat") || !boxes.some((box) => box.type === "moov")) {
      throw new ReelmillError("INPUT_NOT_VIDEO", `${path} holds no mdat and moov box.`);
    }
    return { kind: boxes.some((box) => box.type === "moof") ? "fragmented" : "mp4", sizeBytes, boxes };
  } finally {
    closeSync(fd);
  }
}

/** The largest `mdat`, which holds the samples. Throws INTERNAL where there is none. */
export function largestMdat(boxes: readonly TopBox[]): TopBox {
  const mdats = boxes.filter((box) => box.type === "mdat");
  const [first, ...others] = mdats;
  if (first === undefined) throw new ReelmillError("INTERNAL", "No mdat box among the top-level boxes.");
  return others.reduce((largest, box) => (box.sizeBytes > largest.sizeBytes ? box : largest), first);
}

/** Reads up to `lengthBytes`; the buffer is shorter only where the file ends. */
export function readAt(fd: number, offset: number, lengthBytes: number): Buffer {
  const buffer = Buffer.alloc(lengthBytes);
  return buffer.subarray(0, readSync(fd, buffer, 0, lengthBytes, offset));
}

function readTopBoxes(fd: number, fileBytes: number): TopBox[] {
  const boxes: TopBox[] = [];
  let offset = 0;
  while (offset + 8 <= fileBytes) {
    const head = readAt(fd, offset, 16);
    let sizeBytes = head.readUInt32BE(0);
    let headerBytes = 8;
    if (sizeBytes === 1 && head.length === 16) {
      sizeBytes = Number(head.readBigUInt64BE(8));
      headerBytes = 16;
    } else if (sizeBytes === 0) sizeBytes = fileBytes - offset;
    if (sizeBytes < headerBytes) break;
    const type = head.toString("latin1", 4, 8);
    boxes.push({ type, offset, headerBytes, sizeBytes: Math.min(sizeBytes, fileBytes - offset) });
    offset += sizeBytes;
  }
  return boxes;
}

function readAviLayout(fd: number, sizeBytes: number): Layout {
  let offset = 12;
  while (offset + 12 <= sizeBytes) {
    const head = readAt(fd, offset, 12);
    const chunkBytes = head.readUInt32LE(4);
    if (head.toString("latin1", 0, 4) === "LIST" && head.toString("latin1", 8, 12) === "movi") {
      const moviOffset = offset + 12;
      return { kind: "avi", sizeBytes, moviOffset, moviBytes: Math.min(chunkBytes - 4, sizeBytes - moviOffset) };
    }
    offset += 8 + chunkBytes + (chunkBytes & 1);
  }
  throw new ReelmillError("INPUT_NOT_VIDEO", "The AVI file holds no movi list.");
}

/** An EBML variable-length integer (RFC 8794 §4): its value, with or without the length marker, and its length. */
function readVint(fd: number, offset: number, keepMarker: boolean): { value: number; lengthBytes: number } {
  const bytes = readAt(fd, offset, 8);
  const first = bytes[0] ?? 0;
  const lengthBytes = Math.clz32(first) - 23;
  if (first === 0 || bytes.length < lengthBytes) {
    throw new ReelmillError("INPUT_NOT_VIDEO", `No EBML integer at byte ${offset}.`);
  }
  let value = keepMarker ? first : first & (0xff >> lengthBytes);
  for (const byte of bytes.subarray(1, lengthBytes)) value = value * 256 + byte;
  return { value, lengthBytes };
}

function readMatroskaLayout(fd: number, sizeBytes: number): Layout {
  const headerId = readVint(fd, 0, true);
  const headerSize = readVint(fd, headerId.lengthBytes, false);
  const segmentOffset = headerId.lengthBytes + headerSize.lengthBytes + headerSize.value;
  const segmentSizeOffset = segmentOffset + readVint(fd, segmentOffset, true).lengthBytes;
  const segmentSizeBytes = readVint(fd, segmentSizeOffset, false).lengthBytes;
  let startOffset = Number.NaN;
  let endOffset = Number.NaN;
  let offset = segmentSizeOffset + segmentSizeBytes;
  while (offset < sizeBytes) {
    const id = readVint(fd, offset, true);
    const size = readVint(fd, offset + id.lengthBytes, false);
    const next = offset + id.lengthBytes + size.lengthBytes + size.value;
    if (id.value === 0x1f43b675) {
      if (Number.isNaN(startOffset)) startOffset = offset;
      endOffset = Math.min(next, sizeBytes);
    }
    offset = next;
  }
  if (Number.isNaN(startOffset)) throw new ReelmillError("INPUT_NOT_VIDEO", "The Matroska file holds no Cluster.");
  return { kind: "mkv", sizeBytes, segmentSizeOffset, segmentSizeBytes, clusters: { startOffset, endOffset } };
}
