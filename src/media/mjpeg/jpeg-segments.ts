import { type JpegView, viewByte, viewU16, viewU32 } from "./jpeg-view.ts";

/** What the marker segments of one JPEG field say. */
export interface JpegHeaders {
  /** 0 until a SOF is read. */
  widthPixels: number;
  /** Lines of this field; 0 until a SOF is read, or where a DNL tells later. */
  heightPixels: number;
  /** MCUs between restart markers; 0 without. */
  restartInterval: number;
  /** The AVI1 application segment says that this is one field of two. */
  isFieldOfTwo: boolean;
  /** Motion JPEG A (QuickTime): lengths from SOI of the field and of the field with its padding. */
  field: { readonly sizeBytes: number; readonly paddedSizeBytes: number } | undefined;
  /** −log2 of the chance that random bytes pass the checks made so far. */
  evidenceBits: number;
}

/** Longest part of a segment that is looked into; what lies beyond (thumbnails) is jumped over. */
export const SEGMENT_LOOK_BYTES = 512;

/**
 * Judges the segment of `marker` (FF left out) whose length field stands at `offset`; as much of it as
 * `SEGMENT_LOOK_BYTES` is visible. Returns false where it cannot belong to a JPEG (ITU-T T.81 Annex B).
 */
export function readSegment(view: JpegView, marker: number, offset: number, headers: JpegHeaders): boolean {
  const lengthBytes = viewU16(view, offset);
  const contentOffset = offset + 2;
  headers.evidenceBits += 8;
  if (isFrameMarker(marker)) return readFrame(view, contentOffset, lengthBytes, headers);
  switch (marker) {
    case 0xdb:
      return checkQuantization(view, contentOffset, contentOffset + lengthBytes - 2);
    case 0xc4:
      return checkHuffman(view, contentOffset, contentOffset + lengthBytes - 2);
    case 0xdd:
      headers.restartInterval = viewU16(view, contentOffset);
      return lengthBytes === 4;
    case 0xda: {
      const components = viewByte(view, contentOffset);
      headers.evidenceBits += 16;
      return components >= 1 && components <= 4 && lengthBytes === 6 + 2 * components;
    }
    case 0xe0:
      headers.isFieldOfTwo ||= lengthBytes >= 7 && isTag(view, contentOffset, "AVI1") && isPolar(view, contentOffset);
      return true;
    case 0xe1:
      if (lengthBytes >= 18 && isTag(view, contentOffset + 4, "mjpg")) {
        headers.field = {
          sizeBytes: viewU32(view, contentOffset + 8),
          paddedSizeBytes: viewU32(view, contentOffset + 12),
        };
      }
      return true;
    default:
      return true;
  }
}

/** SOF0–SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function isFrameMarker(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** §B.2.2; the height may be 0 where a DNL segment tells it. */
function readFrame(view: JpegView, offset: number, lengthBytes: number, headers: JpegHeaders): boolean {
  const precisionBits = viewByte(view, offset);
  const components = viewByte(view, offset + 5);
  if (lengthBytes !== 8 + 3 * components || components < 1 || components > 4) return false;
  if (precisionBits < 2 || precisionBits > 16 || headers.widthPixels !== 0) return false;
  headers.heightPixels = viewU16(view, offset + 1);
  headers.widthPixels = viewU16(view, offset + 3);
  headers.evidenceBits += 24;
  return headers.widthPixels > 0;
}

/** §B.2.4.1: tables of 65 or 129 bytes fill the segment. Only what is looked into is checked. */
function checkQuantization(view: JpegView, startOffset: number, endOffset: number): boolean {
  let offset = startOffset;
  while (offset < endOffset && offset < startOffset + SEGMENT_LOOK_BYTES - 4) {
    const head = viewByte(view, offset);
    if ((head & 15) > 3 || head >>> 4 > 1) return false;
    offset += head >>> 4 === 0 ? 65 : 129;
  }
  return offset <= endOffset || offset >= startOffset + SEGMENT_LOOK_BYTES - 4;
}

/** §B.2.4.2: each table lists sixteen counts, then as many values. */
function checkHuffman(view: JpegView, startOffset: number, endOffset: number): boolean {
  let offset = startOffset;
  while (offset < endOffset && offset + 17 < startOffset + SEGMENT_LOOK_BYTES - 4) {
    const head = viewByte(view, offset);
    if ((head & 15) > 3 || head >>> 4 > 1) return false;
    let count = 0;
    for (let i = 1; i <= 16; i++) count += viewByte(view, offset + i);
    if (count > 256) return false;
    offset += 17 + count;
  }
  return offset <= endOffset || offset + 17 >= startOffset + SEGMENT_LOOK_BYTES - 4;
}

function isPolar(view: JpegView, offset: number): boolean {
  const polarity = viewByte(view, offset + 4);
  return polarity === 1 || polarity === 2;
}

function isTag(view: JpegView, offset: number, tag: string): boolean {
  for (let i = 0; i < tag.length; i++) if (viewByte(view, offset + i) !== tag.charCodeAt(i)) return false;
  return true;
}
