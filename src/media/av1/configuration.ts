import { ReelmillError } from "../../base/errors.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { OBU_SEQUENCE_HEADER, parseObuHeader } from "./obu.ts";
import { type Av1SequenceHeader, parseAv1SequenceHeader } from "./sequence-header.ts";

/** The AV1 codec configuration record (AV1-ISOBMFF §2.3). */
export interface Av1Configuration {
  readonly profile: number;
  readonly level: number;
  /** The sequence header among configOBUs; undefined where the record has none. */
  readonly sequence: Av1SequenceHeader | undefined;
}

/** Parses the payload of an `av1C` box. Throws MEDIA_MALFORMED where it is cut short or of another version. */
export function parseAv1Configuration(payload: Uint8Array): Av1Configuration {
  const [marker, profileLevel] = payload;
  if (payload.length < 4 || marker !== 0x81 || profileLevel === undefined) {
    throw new ReelmillError("MEDIA_MALFORMED", `av1C: ${payload.length} bytes that are not a version 1 record.`);
  }
  return { profile: profileLevel >>> 5, level: profileLevel & 31, sequence: findSequenceHeader(payload.subarray(4)) };
}

/**
 * The first sequence header among the OBUs of `bytes` (a sample, or configOBUs), undefined where there is none.
 * Throws MEDIA_MALFORMED where one is there but broken.
 */
export function findSequenceHeader(bytes: Uint8Array): Av1SequenceHeader | undefined {
  let index = 0;
  while (index < bytes.length) {
    const obu = parseObuHeader(bytes, index, bytes.length);
    if (!obu) break;
    const start = index + obu.headerBytes;
    index = start + obu.payloadBytes;
    if (obu.type === OBU_SEQUENCE_HEADER) return parseAv1SequenceHeader(new BitReader(bytes, start, index));
  }
  return undefined;
}
