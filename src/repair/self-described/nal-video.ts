import { ReelmillError } from "../../base/errors.ts";
import { parseAvcPps } from "../../media/h264/pps.ts";
import { maxAvcReorderFrames } from "../../media/h264/reorder.ts";
import { type AvcSps, parseAvcSps } from "../../media/h264/sps.ts";
import { type HevcSps, parseHevcSps } from "../../media/hevc/sps.ts";
import { createVisualEntry } from "../../media/isobmff/create-entry.ts";
import { unescapeNal } from "../../media/nal/unescape.ts";
import { ASSUMED_RATE, type GuessedVideo, type PictureRate } from "./profile.ts";

/** Parameter sets are short; a longer NAL unit is none. */
const MAX_SET_BYTES = 512;
const MAX_SETS = 8;

/** H.264 or HEVC whose parameter sets stand at the start of `bytes`, each behind a length of four bytes. */
export function findNalVideo(bytes: Uint8Array): GuessedVideo | undefined {
  const nals = leadingSets(bytes);
  const first = nals[0]?.[0];
  if (first === undefined) return undefined;
  try {
    if ((first & 0x9f) === AVC_SPS) return describeAvc(nals);
    return first >> 1 === HEVC_VPS ? describeHevc(nals) : undefined;
  } catch (error) {
    // Bytes that only look like a parameter set.
    if (error instanceof ReelmillError) return undefined;
    throw error;
  }
}

const AVC_SPS = 7;
const AVC_PPS = 8;
const HEVC_VPS = 32;
const HEVC_SPS = 33;
const HEVC_PPS = 34;

function leadingSets(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const nals: Uint8Array[] = [];
  let index = 0;
  while (nals.length < MAX_SETS && index + 4 < bytes.length) {
    const length = view.getUint32(index);
    if (length < 4 || length > MAX_SET_BYTES || index + 4 + length > bytes.length) break;
    nals.push(bytes.slice(index + 4, index + 4 + length));
    index += 4 + length;
  }
  return nals;
}

function describeAvc(nals: readonly Uint8Array[]): GuessedVideo | undefined {
  const ofType = (type: number): Uint8Array[] => nals.filter((nal) => ((nal[0] ?? 0) & 0x9f) === type);
  const [spsNals, ppsNals] = [ofType(AVC_SPS), ofType(AVC_PPS)];
  const spsNal = spsNals[0];
  if (spsNal === undefined || ppsNals.length === 0) return undefined;
  const sps = parseAvcSps(spsNal);
  for (const nal of ppsNals) parseAvcPps(nal, () => sps.chromaFormatIdc);
  const timing = sps.vui?.timing;
  const delayPictures =
    sps.vui?.maxNumReorderFrames ?? (sps.profileIdc === BASELINE ? 0 : Math.min(2, maxAvcReorderFrames(sps)));
  return {
    name: `H.264 video, ${sps.width}×${sps.height}`,
    entry: createVisualEntry({
      format: "avc1",
      widthPixels: sps.width,
      heightPixels: sps.height,
      children: [{ type: "avcC", payload: avcRecord(sps, spsNals, ppsNals) }],
    }),
    rate: timing ? rateOf(timing.timeScale, timing.numUnitsInTick * 2) : ASSUMED_RATE,
    delayPictures,
  };
}

const BASELINE = 66;
const EXTENDED_PROFILES = [100, 110, 122, 144, 244];

/** AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1, lengths of four bytes. */
function avcRecord(sps: AvcSps, spsNals: readonly Uint8Array[], ppsNals: readonly Uint8Array[]): Uint8Array {
  const record = [1, sps.profileIdc, sps.constraintFlags, sps.levelIdc, 0xff, 0xe0 | spsNals.length];
  for (const nal of spsNals) record.push(nal.length >> 8, nal.length & 0xff, ...nal);
  record.push(ppsNals.length);
  for (const nal of ppsNals) record.push(nal.length >> 8, nal.length & 0xff, ...nal);
  if (EXTENDED_PROFILES.includes(sps.profileIdc)) {
    record.push(0xfc | sps.chromaFormatIdc, 0xf8 | (sps.bitDepthLuma - 8), 0xf8 | (sps.bitDepthChroma - 8), 0);
  }
  return Uint8Array.from(record);
}

function describeHevc(nals: readonly Uint8Array[]): GuessedVideo | undefined {
  const ofType = (type: number): Uint8Array[] => nals.filter((nal) => (nal[0] ?? 0) >> 1 === type && nal[1] === 1);
  const sets = [HEVC_VPS, HEVC_SPS, HEVC_PPS].map((type) => ({ type, nals: ofType(type) }));
  const spsNal = sets[1]?.nals[0];
  if (spsNal === undefined || sets.some((set) => set.nals.length === 0)) return undefined;
  const sps = parseHevcSps(spsNal);
  const timing = sps.vui?.timing;
  return {
    name: `HEVC video, ${sps.width}×${sps.height}`,
    entry: createVisualEntry({
      format: "hvc1",
      widthPixels: sps.width,
      heightPixels: sps.height,
      children: [{ type: "hvcC", payload: hevcRecord(sps, unescapeNal(spsNal, 2), sets) }],
    }),
    rate: timing ? rateOf(timing.timeScale, timing.numUnitsInTick) : ASSUMED_RATE,
    delayPictures: sps.maxNumReorderPics,
  };
}

/** HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 §8.3.3.1, lengths of four bytes; profile and level as the SPS has them. */
function hevcRecord(
  sps: HevcSps,
  spsPayload: Uint8Array,
  sets: readonly { readonly type: number; readonly nals: readonly Uint8Array[] }[],
): Uint8Array {
  const isNested = (spsPayload[0] ?? 0) & 1;
  const record = [1, ...spsPayload.subarray(1, 13), 0xf0, 0, 0xfc, 0xfc | sps.chromaFormatIdc];
  record.push(0xf8 | (sps.bitDepthLuma - 8), 0xf8 | (sps.bitDepthChroma - 8), 0, 0);
  record.push((sps.maxSubLayers << 3) | (isNested << 2) | 3, sets.length);
  for (const { type, nals } of sets) {
    record.push(0x80 | type, 0, nals.length);
    for (const nal of nals) record.push(nal.length >> 8, nal.length & 0xff, ...nal);
  }
  return Uint8Array.from(record);
}

/** Rates outside 1 to 1000 pictures a second are not believed. */
function rateOf(timescale: number, ticks: number): PictureRate {
  const isSane = ticks > 0 && timescale / ticks >= 1 && timescale / ticks <= 1000 && timescale < 2 ** 31;
  return isSane ? { timescale, ticks, isAssumed: false } : ASSUMED_RATE;
}
