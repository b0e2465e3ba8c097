import type { BitCursor } from "./bit-cursor.ts";
import { evidenceUnits, REJECTED } from "./evidence.ts";
import { type IcsInfo, parseIcsInfo, type StreamSetup } from "./ics-info.ts";
import { parseScaleFactors } from "./scale-factors.ts";
import { parseSections, type Sections } from "./sections.ts";
import { skipSpectralData } from "./spectral-data.ts";

/** How a channel stream stands in its element. */
export interface ChannelRole {
  /** Whether the element's common `ics_info` was already parsed. */
  readonly sharesInfo: boolean;
  /** Whether intensity codebooks may occur: the second channel of a pair with a common window. */
  readonly allowsIntensity: boolean;
}

const EIGHT_SHORT = 2;
const ZERO_BIT_UNITS = evidenceUnits(1, 1);
/** Few encoders write pulses. */
const PULSE_UNITS = [evidenceUnits(0.98, 1), evidenceUnits(0.02, 1)] as const;
/** Global gains of signals lie in the middle half of their 8 bits; those of digital silence may be anything. */
const GAIN_UNITS = [evidenceUnits(0.1, 1), evidenceUnits(0.9, 1)] as const;

/**
 * Passes over one `individual_channel_stream()` (ISO/IEC 14496-3 Table 4.50) and returns evidence units or REJECTED.
 * `info` is filled unless it is shared; `sections` is filled. Reads little further than `limitBit` before it gives up.
 */
export function parseChannelStream(
  cursor: BitCursor,
  setup: StreamSetup,
  info: IcsInfo,
  sections: Sections,
  role: ChannelRole,
  limitBit: number,
): number {
  const globalGain = cursor.bits(8);
  sections.globalGain = globalGain;
  let units = GAIN_UNITS[globalGain >= 64 && globalGain < 192 ? 1 : 0];
  if (!role.sharesInfo) {
    units += parseIcsInfo(cursor, setup, info, false);
    if (units < 0 && units < REJECTED / 2) return REJECTED;
  }
  const sectionUnits = parseSections(cursor, info, sections, role.allowsIntensity);
  if (sectionUnits === REJECTED) return REJECTED;
  if (!parseScaleFactors(cursor, sections)) return REJECTED;
  const toolUnits = parseTools(cursor, setup, info);
  if (toolUnits === REJECTED || cursor.bit > limitBit) return REJECTED;
  if (!skipSpectralData(cursor, sections, limitBit)) return REJECTED;
  return units + sectionUnits + toolUnits;
}

/** Pulse data, temporal noise shaping and gain control, each behind its flag. */
function parseTools(cursor: BitCursor, setup: StreamSetup, info: IcsInfo): number {
  const hasPulses = cursor.bits(1);
  if (hasPulses === 1 && !parsePulses(cursor, setup, info)) return REJECTED;
  if (cursor.bits(1) === 1 && !parseNoiseShaping(cursor, setup, info)) return REJECTED;
  // Gain control belongs to the scalable sampling rate type alone, which nobody records with.
  if (cursor.bits(1) === 1) return REJECTED;
  return (PULSE_UNITS[hasPulses] as number) + ZERO_BIT_UNITS;
}

/** `pulse_data()` (Table 4.7): long windows only, every pulse within the frame. */
function parsePulses(cursor: BitCursor, setup: StreamSetup, info: IcsInfo): boolean {
  if (info.windowSequence === EIGHT_SHORT) return false;
  const field = cursor.bits(8);
  const startBand = field & 0x3f;
  if (startBand >= info.edges.length - 1) return false;
  let position = info.edges[startBand] as number;
  for (let left = field >> 6; left >= 0; left--) {
    position += cursor.bits(9) >> 4;
    if (position >= setup.frameLengthSamples) return false;
  }
  return true;
}

/** `tns_data()` (Table 4.48), with the orders that Table 4.151 allows. */
function parseNoiseShaping(cursor: BitCursor, setup: StreamSetup, info: IcsInfo): boolean {
  const isShort = info.windowSequence === EIGHT_SHORT;
  const maxOrder = isShort ? 7 : setup.objectType === 1 ? 20 : 12;
  for (let window = isShort ? 8 : 1; window > 0; window--) {
    const filters = cursor.bits(isShort ? 1 : 2);
    if (filters === 0) continue;
    const coefficientBits = 3 + cursor.bits(1);
    for (let filter = filters; filter > 0; filter--) {
      const order = isShort ? cursor.bits(7) & 7 : cursor.bits(11) & 31;
      if (order > maxOrder) return false;
      if (order === 0) continue;
      const isCompressed = cursor.bits(2) & 1;
      cursor.bit += order * (coefficientBits - isCompressed);
    }
  }
  return true;
}
