import { ReelmillError } from "../../base/errors.ts";
import { OBU_FRAME, OBU_FRAME_HEADER, OBU_METADATA, OBU_SEQUENCE_HEADER, parseObuHeader } from "../../media/av1/obu.ts";
import { type Av1SequenceHeader, parseAv1SequenceHeader } from "../../media/av1/sequence-header.ts";
import { BitReader } from "../../media/bytes/bit-reader.ts";
import { createVisualEntry } from "../../media/isobmff/create-entry.ts";
import { ASSUMED_RATE, type GuessedVideo } from "./profile.ts";

const MAX_SEQUENCE_HEADER_BYTES = 128;
const LEAST_SIDE_PIXELS = 16;

/** AV1 whose sequence header stands at the start of `bytes`, with a frame or metadata behind it. */
export function findAv1Video(bytes: Uint8Array): GuessedVideo | undefined {
  const obu = parseObuHeader(bytes, 0, bytes.length);
  if (obu?.type !== OBU_SEQUENCE_HEADER || obu.payloadBytes > MAX_SEQUENCE_HEADER_BYTES) return undefined;
  const end = obu.headerBytes + obu.payloadBytes;
  const next = parseObuHeader(bytes, end, bytes.length);
  if (next === undefined || ![OBU_FRAME, OBU_FRAME_HEADER, OBU_METADATA].includes(next.type)) return undefined;
  const sequence = tryParse(bytes.subarray(obu.headerBytes, end));
  if (sequence === undefined) return undefined;
  const { maxFrameWidth: widthPixels, maxFrameHeight: heightPixels } = sequence;
  if (widthPixels < LEAST_SIDE_PIXELS || heightPixels < LEAST_SIDE_PIXELS) return undefined;
  const children = [{ type: "av1C", payload: configurationRecord(sequence, bytes.subarray(0, end)) }];
  return {
    name: `AV1 video, ${widthPixels}×${heightPixels}`,
    entry: createVisualEntry({ format: "av01", widthPixels, heightPixels, children }),
    rate: ASSUMED_RATE,
    delayPictures: 0,
  };
}

function tryParse(payload: Uint8Array): Av1SequenceHeader | undefined {
  try {
    return parseAv1SequenceHeader(new BitReader(payload));
  } catch (error) {
    if (error instanceof ReelmillError) return undefined;
    throw error;
  }
}

/** `av1C` (AV1-ISOBMFF §2.3.3). Level 31 is "no bound"; what matters stands in the sequence header itself. */
function configurationRecord(sequence: Av1SequenceHeader, obu: Uint8Array): Uint8Array {
  const flags =
    (sequence.monochrome ? 0x10 : 0) | (sequence.subsamplingX ? 0x08 : 0) | (sequence.subsamplingY ? 0x04 : 0);
  const record = new Uint8Array(4 + obu.length);
  record.set([0x81, (sequence.profile << 5) | 31, flags, 0]);
  record.set(obu, 4);
  return record;
}
