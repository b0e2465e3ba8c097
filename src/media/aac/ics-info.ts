import type { BitCursor } from "./bit-cursor.ts";
import { evidenceUnits, REJECTED } from "./evidence.ts";
import type { ScaleFactorBands } from "./scale-factor-bands.ts";

/** Object types whose frames this room parses (ISO/IEC 14496-3 Table 1.17): Main, LC, SSR, LTP. */
export type GeneralAudioObjectType = 1 | 2 | 3 | 4;

/** What the configuration fixes for every channel stream. */
export interface StreamSetup {
  readonly objectType: GeneralAudioObjectType;
  readonly frameLengthSamples: 960 | 1024;
  readonly bands: ScaleFactorBands;
}

/** window_sequence of a frame (Table 4.109): 0 only long, 1 long start, 2 eight short, 3 long stop. */
export type WindowSequence = 0 | 1 | 2 | 3;

/** The `ics_info()` of one channel, or of both channels of a pair with a common window. Reused from frame to frame. */
export interface IcsInfo {
  windowSequence: WindowSequence;
  /** 0 sine, 1 Kaiser-Bessel derived. */
  windowShape: 0 | 1;
  maxBands: number;
  /** Band edges of one window, in coefficients. */
  edges: Uint16Array;
  groupCount: number;
  /** Windows per group; long windows have one group of one. */
  readonly groupLengths: Uint8Array;
}

const EIGHT_SHORT = 2;
/** Long-term prediction reaches at most this many bands (MAX_LTP_LONG_SFB). */
const LONG_TERM_PREDICTION_BANDS = 40;
const ZERO_BIT_UNITS = evidenceUnits(1, 1);
const WINDOW_SEQUENCE_UNITS = [0.8, 0.06, 0.08, 0.06].map((chance) => evidenceUnits(chance, 2));
/** Silence has no bands at all; encoders write it now and then. */
const NO_BANDS_CHANCE = 0.05;

/** An empty `ics_info` to be filled by `parseIcsInfo`. */
export function createIcsInfo(bands: ScaleFactorBands): IcsInfo {
  return {
    windowSequence: 0,
    windowShape: 0,
    maxBands: 0,
    edges: bands.longEdges,
    groupCount: 1,
    groupLengths: new Uint8Array(8),
  };
}

/**
 * Parses `ics_info()` (ISO/IEC 14496-3 Table 4.6) into `info` and returns evidence units, REJECTED where the bits
 * break the syntax. `hasCommonWindow` says whether it stands for both channels of a pair.
 */
export function parseIcsInfo(cursor: BitCursor, setup: StreamSetup, info: IcsInfo, hasCommonWindow: boolean): number {
  const head = cursor.bits(4);
  if (head >> 3 !== 0) return REJECTED;
  info.windowSequence = ((head >> 1) & 3) as WindowSequence;
  info.windowShape = (head & 1) as 0 | 1;
  const units = ZERO_BIT_UNITS + (WINDOW_SEQUENCE_UNITS[info.windowSequence] as number);
  if (info.windowSequence === EIGHT_SHORT) return units + parseShortWindows(cursor, setup, info);
  info.edges = setup.bands.longEdges;
  info.groupCount = 1;
  info.groupLengths[0] = 1;
  const tail = cursor.bits(7);
  info.maxBands = tail >> 1;
  if (info.maxBands >= info.edges.length) return REJECTED;
  const bandUnits = units + maxBandsUnits(info, 6);
  if ((tail & 1) === 0) return bandUnits + ZERO_BIT_UNITS;
  return bandUnits + parsePrediction(cursor, setup, info, hasCommonWindow);
}

function parseShortWindows(cursor: BitCursor, setup: StreamSetup, info: IcsInfo): number {
  const field = cursor.bits(11);
  info.edges = setup.bands.shortEdges;
  info.maxBands = field >> 7;
  if (info.maxBands >= info.edges.length) return REJECTED;
  let group = 0;
  info.groupLengths[0] = 1;
  for (let mask = 0x40; mask !== 0; mask >>= 1) {
    // A set bit joins the next window to the group that is open.
    if ((field & mask) !== 0) info.groupLengths[group] = (info.groupLengths[group] as number) + 1;
    else info.groupLengths[++group] = 1;
  }
  info.groupCount = group + 1;
  return maxBandsUnits(info, 4);
}

function maxBandsUnits(info: IcsInfo, fieldBits: 4 | 6): number {
  const table = MAX_BANDS_UNITS[fieldBits];
  return info.maxBands === 0 ? table.none : (table.byBandCount[info.edges.length - 1] as number);
}

const MAX_BANDS_UNITS = { 4: maxBandsTable(4), 6: maxBandsTable(6) } as const;

function maxBandsTable(fieldBits: number): { readonly none: number; readonly byBandCount: readonly number[] } {
  const chances = Array.from({ length: 2 ** fieldBits }, (_, count) => (1 - NO_BANDS_CHANCE) / Math.max(count, 1));
  return {
    none: evidenceUnits(NO_BANDS_CHANCE, fieldBits),
    byBandCount: chances.map((chance) => evidenceUnits(chance, fieldBits)),
  };
}

/** The part after a set predictor_data_present: Main's backward prediction or LTP's long-term prediction. */
function parsePrediction(cursor: BitCursor, setup: StreamSetup, info: IcsInfo, hasCommonWindow: boolean): number {
  if (setup.objectType === 1) {
    if (cursor.bits(1) === 1) {
      const resetGroup = cursor.bits(5);
      if (resetGroup === 0 || resetGroup > 30) return REJECTED;
    }
    cursor.bit += Math.min(info.maxBands, setup.bands.predictionBands);
    return 0;
  }
  if (setup.objectType !== 4) return REJECTED;
  skipLongTermPrediction(cursor, info);
  if (hasCommonWindow) skipLongTermPrediction(cursor, info);
  return 0;
}

/** `ltp_data_present` and `ltp_data()` (Table 4.49) of a long window. */
function skipLongTermPrediction(cursor: BitCursor, info: IcsInfo): void {
  if (cursor.bits(1) === 0) return;
  cursor.bit += 11 + 3 + Math.min(info.maxBands, LONG_TERM_PREDICTION_BANDS);
}
