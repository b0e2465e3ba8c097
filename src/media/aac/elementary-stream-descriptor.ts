/** What an `esds` says of its stream (ISO/IEC 14496-1 §7.2.6). */
export interface ElementaryStreamInfo {
  /** objectTypeIndication: 0x40 MPEG-4 audio, 0x66–0x68 MPEG-2 AAC, 0x69 and 0x6b MP3, 0x20 MPEG-4 video, … */
  readonly objectTypeIndication: number;
  /** The DecoderSpecificInfo's bytes, a view on the payload; for MPEG-4 audio an AudioSpecificConfig. */
  readonly decoderSpecificInfo?: Uint8Array;
}

const ES_DESCRIPTOR = 0x03;
const DECODER_CONFIG = 0x04;
const DECODER_SPECIFIC_INFO = 0x05;
/** Fields of a DecoderConfigDescriptor before its own descriptors. */
const DECODER_CONFIG_FIELDS_BYTES = 13;

/**
 * Walks the descriptors of an `esds` box's payload (the bytes after size and fourcc, version and flags included or
 * not). Lengths that reach past their parent are cut to it, since recorders get them wrong. Undefined where no
 * DecoderConfigDescriptor is found.
 */
export function parseElementaryStreamDescriptor(payload: Uint8Array): ElementaryStreamInfo | undefined {
  const start = payload[0] === ES_DESCRIPTOR || payload[0] === DECODER_CONFIG ? 0 : 4;
  return walk(payload, start, payload.length, undefined, 0);
}

function walk(
  bytes: Uint8Array,
  start: number,
  end: number,
  objectTypeIndication: number | undefined,
  depth: number,
): ElementaryStreamInfo | undefined {
  let at = start;
  while (at < end && depth < 4) {
    const tag = bytes[at++];
    let lengthBytes = 0;
    for (let i = 0; i < 4 && at < end; i++) {
      const byte = bytes[at++] ?? 0;
      lengthBytes = lengthBytes * 128 + (byte & 0x7f);
      if (byte < 0x80) break;
    }
    const bodyEnd = Math.min(end, at + lengthBytes);
    const found = visit(bytes, tag, at, bodyEnd, objectTypeIndication, depth);
    if (found !== undefined) return found;
    at = bodyEnd;
  }
  return objectTypeIndication === undefined ? undefined : { objectTypeIndication };
}

function visit(
  bytes: Uint8Array,
  tag: number | undefined,
  start: number,
  end: number,
  objectTypeIndication: number | undefined,
  depth: number,
): ElementaryStreamInfo | undefined {
  if (tag === ES_DESCRIPTOR) {
    return walk(bytes, start + streamFieldsBytes(bytes, start), end, undefined, depth + 1);
  }
  if (tag === DECODER_CONFIG && end - start >= DECODER_CONFIG_FIELDS_BYTES) {
    return walk(bytes, start + DECODER_CONFIG_FIELDS_BYTES, end, bytes[start], depth + 1);
  }
  if (tag === DECODER_SPECIFIC_INFO && objectTypeIndication !== undefined && end > start) {
    return { objectTypeIndication, decoderSpecificInfo: bytes.subarray(start, end) };
  }
  return undefined;
}

/** Length of an ES_Descriptor's own fields: three bytes and what its flags add. */
function streamFieldsBytes(bytes: Uint8Array, start: number): number {
  const flags = bytes[start + 2] ?? 0;
  const urlBytes = (flags & 0x40) === 0 ? 0 : 1 + (bytes[start + 3 + ((flags & 0x80) === 0 ? 0 : 2)] ?? 0);
  return 3 + ((flags & 0x80) === 0 ? 0 : 2) + urlBytes + ((flags & 0x20) === 0 ? 0 : 2);
}
