import { ReelmillError } from "../../base/errors.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { type ProgramConfig, parseProgramConfig } from "./program-config.ts";

/** What an MPEG-4 audio track's decoder is told, as far as finding frames needs it. */
export interface AudioSpecificConfig {
  /**
   * Audio object type of the core (ISO/IEC 14496-3 Table 1.17): 1 Main, 2 LC, 3 SSR, 4 LTP, 17 ER LC, 23 ER LD, 39 ER ELD, …
   * With hierarchical signalling of SBR (5) or PS (29) this is the type underneath.
   */
  readonly objectType: number;
  /** Sampling frequency index of the core, 0 to 12; for an explicit rate the one whose tables apply. */
  readonly rateIndex: number;
  /** Sampling rate of the core in Hz. */
  readonly samplingRateHz: number;
  /** channelConfiguration, 0 to 15; 0 says that `program` or the frames themselves tell. */
  readonly channelConfiguration: number;
  /** Samples per channel and frame, at the core's rate. */
  readonly frameLengthSamples: 960 | 1024;
  /** Spectral band replication, and parametric stereo over it, as announced; either may also come unannounced. */
  readonly extension: "none" | "sbr" | "ps";
  /** Sampling rate in Hz after spectral band replication, where announced. */
  readonly extensionRateHz?: number;
  /** Present where channelConfiguration is 0 and the configuration holds a program. */
  readonly program?: ProgramConfig;
}

const RATES_HZ = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350] as const;
/** From this rate in Hz on an explicit rate uses the tables of the index (Table 4.82); below the last, index 11. */
const RATE_LIMITS_HZ = [92017, 75132, 55426, 46009, 37566, 27713, 23004, 18783, 13856, 11502, 9391] as const;
const EXPLICIT_RATE = 15;
const ESCAPE_TYPE = 31;
const SBR_TYPE = 5;
const PS_TYPE = 29;
const SYNC_EXTENSION_SBR = 0x2b7;
const SYNC_EXTENSION_PS = 0x548;
/** Object types whose configuration goes on with `GASpecificConfig` (Table 1.15). */
const GENERAL_AUDIO_TYPES = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);

/**
 * Parses `AudioSpecificConfig()` (ISO/IEC 14496-3 §1.6.2.1), hierarchical and backward compatible SBR/PS signalling
 * included. Throws MEDIA_MALFORMED where the bytes end early or name a reserved rate.
 */
export function parseAudioSpecificConfig(bytes: Uint8Array): AudioSpecificConfig {
  const reader = new BitReader(bytes);
  let objectType = readObjectType(reader);
  const rate = readRate(reader);
  const channelConfiguration = reader.bits(4);
  let extension: AudioSpecificConfig["extension"] = "none";
  let extensionRateHz: number | undefined;
  if (objectType === SBR_TYPE || objectType === PS_TYPE) {
    extension = objectType === PS_TYPE ? "ps" : "sbr";
    extensionRateHz = readRate(reader).hz;
    objectType = readObjectType(reader);
  }
  const general = GENERAL_AUDIO_TYPES.has(objectType)
    ? readGeneralAudio(reader, objectType, channelConfiguration)
    : undefined;
  if (extension === "none" && general !== undefined) {
    const found = findSyncExtension(reader);
    extension = found.extension;
    extensionRateHz = found.rateHz;
  }
  return {
    objectType,
    rateIndex: rate.index,
    samplingRateHz: rate.hz,
    channelConfiguration,
    frameLengthSamples: general?.frameLengthSamples ?? 1024,
    extension,
    ...(extensionRateHz === undefined ? {} : { extensionRateHz }),
    ...(general?.program === undefined ? {} : { program: general.program }),
  };
}

/**
 * The two bytes of a plain configuration, for a track whose own is lost: object type 1 to 30, sampling frequency index
 * 0 to 12, channel configuration 1 to 15, no SBR signalled. Throws MEDIA_MALFORMED for values outside.
 */
export function serializeAudioSpecificConfig(
  config: Pick<AudioSpecificConfig, "objectType" | "rateIndex" | "channelConfiguration" | "frameLengthSamples">,
): Uint8Array {
  const { objectType, rateIndex, channelConfiguration } = config;
  if (!inRange(objectType, 1, 30) || !inRange(rateIndex, 0, 12) || !inRange(channelConfiguration, 1, 15)) {
    throw new ReelmillError(
      "MEDIA_MALFORMED",
      `No AAC configuration can be written for object type ${objectType} (1 to 30), rate index ${rateIndex} (0 to 12), ` +
        `channel configuration ${channelConfiguration} (1 to 15).`,
    );
  }
  const frameLengthFlag = config.frameLengthSamples === 960 ? 1 : 0;
  const word = (objectType << 11) | (rateIndex << 7) | (channelConfiguration << 3) | (frameLengthFlag << 2);
  return Uint8Array.of(word >> 8, word & 0xff);
}

/** The sampling rate in Hz of a sampling frequency index, 0 to 12. */
export function samplingRateOfIndex(rateIndex: number): number | undefined {
  return RATES_HZ[rateIndex];
}

function inRange(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function readObjectType(reader: BitReader): number {
  const type = reader.bits(5);
  return type === ESCAPE_TYPE ? 32 + reader.bits(6) : type;
}

function readRate(reader: BitReader): { readonly index: number; readonly hz: number } {
  const index = reader.bits(4);
  if (index === EXPLICIT_RATE) {
    const hz = reader.bits(24);
    const found = RATE_LIMITS_HZ.findIndex((limit) => hz >= limit);
    return { index: found === -1 ? 11 : found, hz };
  }
  const hz = RATES_HZ[index];
  if (hz === undefined) {
    throw new ReelmillError("MEDIA_MALFORMED", `AudioSpecificConfig: sampling frequency index ${index} is reserved.`);
  }
  return { index, hz };
}

interface GeneralAudio {
  readonly frameLengthSamples: 960 | 1024;
  readonly program?: ProgramConfig;
}

/** `GASpecificConfig()` (Table 4.1). */
function readGeneralAudio(reader: BitReader, objectType: number, channelConfiguration: number): GeneralAudio {
  const frameLengthSamples = reader.flag() ? 960 : 1024;
  if (reader.flag()) reader.skip(14);
  const hasExtension = reader.flag();
  const program = channelConfiguration === 0 ? parseProgramConfig(reader) : undefined;
  if (objectType === 6 || objectType === 20) reader.skip(3);
  if (hasExtension) {
    if (objectType === 22) reader.skip(16);
    if (objectType === 17 || objectType === 19 || objectType === 20 || objectType === 23) reader.skip(3);
    reader.skip(1);
  }
  return { frameLengthSamples, ...(program === undefined ? {} : { program }) };
}

/** Backward compatible signalling after the configuration proper; whatever else stands there is passed over. */
function findSyncExtension(reader: BitReader): {
  readonly extension: AudioSpecificConfig["extension"];
  readonly rateHz: number | undefined;
} {
  const nothing = { extension: "none", rateHz: undefined } as const;
  if (reader.bitsLeft < 16 || reader.bits(11) !== SYNC_EXTENSION_SBR) return nothing;
  if (readObjectType(reader) !== SBR_TYPE || reader.bitsLeft < 1 || !reader.flag()) return nothing;
  if (reader.bitsLeft < 4) return nothing;
  const rateHz = readRate(reader).hz;
  const hasPs = reader.bitsLeft >= 12 && reader.bits(11) === SYNC_EXTENSION_PS && reader.flag();
  return { extension: hasPs ? "ps" : "sbr", rateHz };
}
