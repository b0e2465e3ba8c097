import { type JpegHeaders, readSegment, SEGMENT_LOOK_BYTES } from "./jpeg-segments.ts";
import { type JpegView, viewByte, viewU16 } from "./jpeg-view.ts";

/** Outcome of a walk over one JPEG image, from SOI to EOI. */
export type FieldScan =
  | { readonly kind: "field"; readonly endOffset: number; readonly hasZeroRun: boolean; readonly headers: JpegHeaders }
  /** Bytes are wanted up to `neededOffset` at least. */
  | { readonly kind: "more"; readonly neededOffset: number }
  | { readonly kind: "no" };

const NO_FIELD: FieldScan = { kind: "no" };
/** Entropy-coded data are looked at in steps of this size. */
const STEP_BYTES = 64 * 1024;
const ZERO_RUN_BYTES = 256;

/** Walks the markers from `offset` on; `limitOffset` bounds the image's end. */
export function scanField(view: JpegView, offset: number, limitOffset: number): FieldScan {
  const seen = view.load(offset, 4);
  if (seen >= 1 && viewByte(view, offset) !== 0xff) return NO_FIELD;
  if (seen >= 2 && viewByte(view, offset + 1) !== 0xd8) return NO_FIELD;
  if (seen < 4) return { kind: "more", neededOffset: offset + 4 };
  if (viewByte(view, offset + 2) !== 0xff) return NO_FIELD;
  const headers: JpegHeaders = {
    widthPixels: 0,
    heightPixels: 0,
    restartInterval: 0,
    isFieldOfTwo: false,
    field: undefined,
    evidenceBits: 16,
  };
  return walkMarkers(view, offset, limitOffset, headers);
}

function walkMarkers(view: JpegView, startOffset: number, limitOffset: number, headers: JpegHeaders): FieldScan {
  let offset = startOffset + 2;
  let hasScan = false;
  let hasZeroRun = false;
  while (offset < limitOffset) {
    const visible = view.load(offset, 4 + SEGMENT_LOOK_BYTES);
    if (visible < 2) return { kind: "more", neededOffset: offset + 2 };
    if (viewByte(view, offset) !== 0xff) return NO_FIELD;
    const marker = viewByte(view, offset + 1);
    if (marker === 0xff) {
      offset++;
      continue;
    }
    if (marker === 0xd9) return hasScan ? { kind: "field", endOffset: offset + 2, hasZeroRun, headers } : NO_FIELD;
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8)) return NO_FIELD;
    if (visible < 4) return { kind: "more", neededOffset: offset + 4 };
    const lengthBytes = viewU16(view, offset + 2);
    if (lengthBytes < 2) return NO_FIELD;
    const lookBytes = 2 + Math.min(lengthBytes, SEGMENT_LOOK_BYTES);
    if (visible < lookBytes) return { kind: "more", neededOffset: offset + lookBytes };
    if (!readSegment(view, marker, offset + 2, headers)) return NO_FIELD;
    offset += 2 + lengthBytes;
    if (marker !== 0xda) continue;
    if (headers.widthPixels === 0) return NO_FIELD;
    const stated = statedEnd(view, startOffset, headers);
    if (stated !== undefined) return { kind: "field", endOffset: stated, hasZeroRun, headers };
    const entropy = skipEntropy(view, offset, limitOffset, headers);
    if (entropy === undefined) return { kind: "more", neededOffset: view.endOffset + 2 };
    hasScan = true;
    hasZeroRun ||= entropy.hasZeroRun;
    offset = entropy.offset;
  }
  return NO_FIELD;
}

/** Motion JPEG A states where the field ends; it is believed when EOI stands there. */
function statedEnd(view: JpegView, startOffset: number, headers: JpegHeaders): number | undefined {
  const { field } = headers;
  if (field === undefined || field.sizeBytes < 64 || field.paddedSizeBytes < field.sizeBytes) return undefined;
  const eoiOffset = startOffset + field.sizeBytes - 2;
  if (field.paddedSizeBytes > field.sizeBytes + 4096 || eoiOffset + 2 > view.endOffset) return undefined;
  if (viewByte(view, eoiOffset) !== 0xff || viewByte(view, eoiOffset + 1) !== 0xd9) return undefined;
  headers.evidenceBits += 16;
  return startOffset + field.paddedSizeBytes;
}

/**
 * Moves from the first entropy-coded byte to the marker after the last (§B.1.1.5: FF 00 is data, FF D0–D7 restarts).
 * Undefined where the visible bytes end first.
 */
function skipEntropy(
  view: JpegView,
  startOffset: number,
  limitOffset: number,
  headers: JpegHeaders,
): { readonly offset: number; readonly hasZeroRun: boolean } | undefined {
  let offset = startOffset;
  let hasZeroRun = false;
  let restart = -1;
  while (offset < limitOffset) {
    if (view.load(offset, STEP_BYTES) < 2) return undefined;
    const shown = view.bytes.subarray(0, view.endOffset - view.baseOffset);
    const last = Math.min(shown.length - 1, limitOffset - view.baseOffset);
    let index = offset - view.baseOffset;
    while (index < last) {
      const found = shown.indexOf(0xff, index);
      const next = found < 0 || found > last ? last : found;
      if (next - index >= ZERO_RUN_BYTES) hasZeroRun ||= isZeroRunIn(shown, index, next);
      index = next;
      if (index === last) break;
      const marker = shown[index + 1] as number;
      if (marker >= 0xd0 && marker <= 0xd7) {
        // Restart markers count up modulo 8; one out of turn means that bytes are missing here.
        if (restart >= 0 && marker - 0xd0 !== ((restart + 1) & 7)) return { offset: limitOffset, hasZeroRun };
        restart = marker - 0xd0;
        headers.evidenceBits += 3;
        index += 2;
      } else if (marker === 0) index += 2;
      else if (marker === 0xff) index++;
      else return { offset: index + view.baseOffset, hasZeroRun };
    }
    offset = index + view.baseOffset;
  }
  return { offset, hasZeroRun };
}

/** Whether a run of zeros of about `ZERO_RUN_BYTES` or more lies in the range: a few bytes of it are looked at. */
function isZeroRunIn(bytes: Uint8Array, startIndex: number, endIndex: number): boolean {
  const strideBytes = ZERO_RUN_BYTES / 16;
  let zeros = 0;
  for (let i = startIndex; i < endIndex; i += strideBytes) {
    zeros = bytes[i] === 0 ? zeros + 1 : 0;
    if (zeros >= 16) return true;
  }
  return false;
}
