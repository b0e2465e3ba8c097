import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import type { AudioSpecificConfig } from "./audio-specific-config.ts";
import { elementLayout } from "./element-layout.ts";
import type { GeneralAudioObjectType } from "./ics-info.ts";
import { type AacFrameProbe, NO_FRAME, RawDataBlockParser } from "./raw-data-block.ts";
import { scaleFactorBands } from "./scale-factor-bands.ts";

/** Finds AAC frames of one configuration. Holds buffers and is for one caller at a time. */
export interface AacProbe {
  /** Whether frames' ends follow from their bytes; if not, `parseFrame` answers `no` and `probe` answers `open`. */
  readonly isExact: boolean;
  /** What starts at `bytes[startIndex]`, looking no further than `endIndex`. Never throws. */
  parseFrame(bytes: Uint8Array, startIndex: number, endIndex: number): AacFrameProbe;
  /** The same as a packet of an audio track. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** Longest frame that an open answer admits, in bytes, for object types whose syntax is not parsed here. */
const OPEN_MAX_BYTES = 8191;

/**
 * A probe for the raw frames (no ADTS) of one track. Object types 1 to 4 are parsed to their exact end; for others
 * (error resilient, low delay, USAC) and for channel configurations not known the probe knows bounds alone.
 */
export function createAacProbe(config: AudioSpecificConfig): AacProbe {
  const bands = scaleFactorBands(config.rateIndex, config.frameLengthSamples);
  const layout = elementLayout(config);
  if (bands === undefined || layout === undefined || !isGeneralAudio(config.objectType)) return createOpenProbe();
  const { objectType, frameLengthSamples } = config;
  const parser = new RawDataBlockParser({ objectType, frameLengthSamples, bands }, layout);
  return {
    isExact: true,
    parseFrame: (bytes, startIndex, endIndex) => parser.parseFrame(bytes, startIndex, endIndex),
    probe(bytes, startIndex, endIndex) {
      const answer = parser.parseFrame(bytes, startIndex, endIndex);
      if (answer.kind !== "frame") return answer;
      const { sizeBytes, evidenceBits, durationSamples } = answer;
      return { kind: "packet", sizeBytes, evidenceBits, isSync: true, durationSamples };
    },
  };
}

function isGeneralAudio(objectType: number): objectType is GeneralAudioObjectType {
  return objectType >= 1 && objectType <= 4;
}

function createOpenProbe(): AacProbe {
  const open: PacketProbe = {
    kind: "open",
    minSizeBytes: 1,
    maxSizeBytes: OPEN_MAX_BYTES,
    evidenceBits: 0,
    isSync: true,
  };
  return {
    isExact: false,
    parseFrame: () => NO_FRAME,
    probe: (bytes, startIndex, endIndex) => (startIndex < Math.min(endIndex, bytes.length) ? open : NO_PACKET),
  };
}
