import { BitReader } from "../bytes/bit-reader.ts";
import type { ByteWindow } from "../bytes/byte-window.ts";
import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import { findSequenceHeader, parseAv1Configuration } from "./configuration.ts";
import { parseAv1FrameHeader } from "./frame-header.ts";
import { type Av1State, createAv1State } from "./frame-state.ts";
import {
  OBU_FRAME,
  OBU_FRAME_HEADER,
  OBU_METADATA,
  OBU_SEQUENCE_HEADER,
  OBU_TEMPORAL_DELIMITER,
  parseObuHeader,
} from "./obu.ts";
import { type Av1SampleProbe, probeAv1Sample } from "./sample.ts";
import { parseAv1SequenceHeader } from "./sequence-header.ts";

/** Finds AV1 samples with one track's configuration. */
export interface Av1Probe {
  /** The state before the track's first sample. After a loss, use `createAv1State(state.sequence)`. */
  readonly initialState: Av1State;
  /** `probeAv1Sample`: the exact size of the sample at an absolute offset. */
  probeSample(window: ByteWindow, offset: number, state: Av1State, endOffset?: number): Av1SampleProbe;
  /** `probeAv1Start` with the initial state. */
  probeStart(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/**
 * Makes the probe of a track from the payload of its `av1C` box and, where a healthy recording of the same device is
 * at hand, the bytes of one of its sync samples. The sequence header in the sample wins: some encoders write one into
 * `av1C` before they have chosen their tools, and frame headers then parse wrongly with it. Throws MEDIA_MALFORMED
 * where the record is broken. With a sequence header in neither, the state learns it from the first sync sample.
 */
export function createAv1Probe(av1cPayload: Uint8Array, syncSample?: Uint8Array): Av1Probe {
  const inBand = syncSample && findSequenceHeader(syncSample);
  const initialState = createAv1State(inBand ?? parseAv1Configuration(av1cPayload).sequence);
  return {
    initialState,
    probeSample: probeAv1Sample,
    probeStart: (bytes, startIndex, endIndex) => probeAv1Start(bytes, startIndex, endIndex, initialState),
  };
}

/** What a header that parses to its trailing bits shows at least. */
const SEQUENCE_BITS = 16;
/** Shorter frames hold no tile data worth the name. */
const FRAME_MIN_BYTES = 4;

/**
 * A cheap look, for resync: whether a sample may start at `startIndex`. Answers `open` with the evidence of the first
 * OBU alone; `probeAv1Sample` then decides and gives the size.
 */
export function probeAv1Start(bytes: Uint8Array, startIndex: number, endIndex: number, state: Av1State): PacketProbe {
  const obu = parseObuHeader(bytes, startIndex, endIndex);
  if (!obu) return NO_PACKET;
  const open = (evidenceBits: number, isSync: boolean): PacketProbe => ({
    kind: "open",
    minSizeBytes: obu.headerBytes + obu.payloadBytes,
    maxSizeBytes: Number.MAX_SAFE_INTEGER,
    evidenceBits,
    isSync,
  });
  const payload = startIndex + obu.headerBytes;
  switch (obu.type) {
    case OBU_TEMPORAL_DELIMITER:
      return obu.payloadBytes === 0 && parseObuHeader(bytes, payload, endIndex) ? open(18, false) : NO_PACKET;
    case OBU_SEQUENCE_HEADER:
      if (obu.payloadBytes < 5 || obu.payloadBytes >= 64) return NO_PACKET;
      return isSequenceHeader(bytes, payload, endIndex, obu.payloadBytes) ? open(SEQUENCE_BITS, true) : NO_PACKET;
    case OBU_METADATA:
      return obu.payloadBytes >= 2 && obu.payloadBytes < 4096 ? open(8, false) : NO_PACKET;
    case OBU_FRAME:
      if (obu.payloadBytes < FRAME_MIN_BYTES) return NO_PACKET;
      break;
    case OBU_FRAME_HEADER:
      if (obu.payloadBytes > 1024) return NO_PACKET;
      break;
    default:
      return NO_PACKET;
  }
  const { sequence } = state;
  if (!sequence) return open(6, false);
  try {
    const end = Math.min(endIndex, payload + obu.payloadBytes);
    const header = parseAv1FrameHeader(new BitReader(bytes, payload, end), sequence, state, obu);
    const isSync = header.frameType === 0 && header.showFrame && !header.showsExisting;
    return open(header.showsExisting ? 12 : 10, isSync);
  } catch {
    return NO_PACKET;
  }
}

/** Whether a payload parses as a sequence header whose trailing bits fill it; true also where the data end inside it. */
function isSequenceHeader(bytes: Uint8Array, startIndex: number, endIndex: number, payloadBytes: number): boolean {
  const end = startIndex + payloadBytes;
  if (end > endIndex) return true;
  try {
    const reader = new BitReader(bytes, startIndex, end);
    parseAv1SequenceHeader(reader);
    if (!reader.flag()) return false;
    while (reader.bitsLeft > 0) if (reader.flag()) return false;
    return true;
  } catch {
    return false;
  }
}
