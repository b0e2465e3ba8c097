import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import { parseVop } from "./parse-vop.ts";
import { findStartCode, START_CODE } from "./start-codes.ts";
import type { VisualCodes } from "./vlc-tables.ts";
import { buildVisualCodes } from "./vlc-tables.ts";
import { parseVolConfig, type VolConfig } from "./vol-config.ts";
import { groupSeconds, type VopTime } from "./vop-clock.ts";
import { parseVopHeader, type VopHeader } from "./vop-header.ts";

/** How a track's samples are to be probed. */
export interface Mpeg4VisualOptions {
  /** A B-VOP that follows its reference VOP directly is in the same sample (DivX's "packed bitstream"). */
  readonly isPacked?: boolean;
  /** False: never parse macroblocks, leave the end open. For streams on which `isExactOn` is false. True by default. */
  readonly isExact?: boolean;
}

/** Finds MPEG-4 part 2 samples: headers, if any, then one VOP. */
export interface Mpeg4VisualProbe {
  /**
   * What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. The end of a VOP must be
   * visible: answers `more` ask for twice as much each time. The probe remembers the skipped macroblocks of the last
   * reference VOPs it saw, which B-VOPs need: feed it in decode order.
   */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): Mpeg4VisualAnswer;
}

/** What stands there; a packet's first VOP tells its time. */
export type Mpeg4VisualAnswer = PacketProbe & { readonly time?: VopTime };

/** Headers before a VOP are looked for this far. */
const MAX_HEADER_BYTES = 4096;
/** Reference VOPs whose skipped macroblocks are kept. */
const MAX_REFERENCES = 4;

interface ProbeState {
  readonly config: VolConfig | undefined;
  readonly options: Mpeg4VisualOptions;
  readonly codes: VisualCodes;
  /** The last reference VOPs, newest first. */
  readonly references: Reference[];
}

/** What B-VOPs need of the reference VOP that is shown after them. */
interface Reference {
  /** Time since the base that the B-VOPs' times count from too. */
  readonly ticks: number;
  /** 1 for each skipped macroblock; empty for an I-VOP. */
  readonly skips: Uint8Array;
}

/**
 * A probe for MPEG-4 part 2 visual (ISO/IEC 14496-2). `config` is the decoder configuration's layer, undefined where only
 * in-band headers will tell. Simple and advanced simple profiles give exact sizes; sprites (GMC), data partitioning,
 * shapes, scalability and B-VOPs whose reference was not seen give open ends.
 */
export function createMpeg4VisualProbe(
  config: VolConfig | undefined,
  options: Mpeg4VisualOptions = {},
): Mpeg4VisualProbe {
  const state: ProbeState = { config, options, codes: buildVisualCodes(), references: [] };
  return {
    probe(bytes, startIndex, endIndex) {
      const answer = probeSample(state, bytes, startIndex, endIndex);
      if (answer !== "more") return answer;
      return { kind: "more", neededBytes: Math.max(4096, (endIndex - startIndex) * 2) };
    },
  };
}

/** Whether parsing the given samples of a reference, in decode order, finds the end of every one of them. */
export function isExactOn(config: VolConfig | undefined, samples: Iterable<Uint8Array>, isPacked = false): boolean {
  const probe = createMpeg4VisualProbe(config, { isPacked });
  for (const sample of samples) {
    const answer = probe.probe(sample, 0, sample.length);
    if (answer.kind !== "packet" || answer.sizeBytes !== sample.length) return false;
  }
  return true;
}

/** Where the VOP of a sample starts, and the layer that applies to it. */
interface VopPlace {
  readonly vopIndex: number;
  readonly config: VolConfig | undefined;
  readonly headerCount: number;
  /** Time code of a group header before it. */
  readonly groupSeconds: number | undefined;
}

function probeSample(
  state: ProbeState,
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
): Mpeg4VisualAnswer | "more" {
  const place = findVop(state, bytes, startIndex, endIndex);
  if (place === undefined) return NO_PACKET;
  if (place === "more") return "more";
  const { vopIndex, config, headerCount } = place;
  // Zeros are common in files: a start code counts 24 bits, not 32.
  const startBits = 24 * (1 + headerCount);
  if (config === undefined) return open(startIndex, vopIndex, undefined, startBits, false);
  const header = parseVopHeader(bytes, vopIndex, endIndex, config);
  if (header === undefined) return NO_PACKET;
  if (header === "more") return "more";
  const isSync = header.codingType === "I";
  const headerBits = startBits + 5;
  if (!config.isParsable || header.codingType === "S" || state.options.isExact === false) {
    return open(startIndex, vopIndex, config, headerBits, isSync);
  }
  const vopEnd = endOfVop(state, bytes, endIndex, config, header);
  if (vopEnd === "more") return "more";
  if (vopEnd === undefined) {
    return header.codingType === "B" ? open(startIndex, vopIndex, config, headerBits, isSync) : NO_PACKET;
  }
  const sampleEnd =
    state.options.isPacked === true ? packedEnd(state, bytes, vopEnd.index, endIndex, config, header) : vopEnd.index;
  if (sampleEnd === "more") return "more";
  const macroblocks = Math.ceil(config.widthPixels / 16) * Math.ceil(config.heightPixels / 16);
  return {
    kind: "packet",
    sizeBytes: sampleEnd - startIndex,
    // A macroblock of random bits is refused about one time in six; short VOPs end by their stuffing.
    evidenceBits: headerBits + 4 + (header.isCoded && vopEnd.isSure ? Math.min(128, macroblocks / 4) : 0),
    isSync,
    time: timeOf(place, config, header),
  };
}

function timeOf({ groupSeconds }: VopPlace, config: VolConfig, header: VopHeader): VopTime {
  const { codingType, moduloTimeBaseSeconds, timeIncrementTicks } = header;
  const resolution = config.timeIncrementResolution;
  return { codingType, moduloTimeBaseSeconds, timeIncrementTicks, resolution, groupSeconds };
}

/** Steps over headers and user data to the VOP's start code. */
function findVop(
  state: ProbeState,
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
): VopPlace | "more" | undefined {
  if (endIndex - startIndex < 5) return isPrefix(bytes, startIndex, endIndex) ? "more" : undefined;
  if (!isPrefix(bytes, startIndex, startIndex + 4)) return undefined;
  let { config } = state;
  let headerCount = 0;
  let group: number | undefined;
  let index = startIndex;
  while (index - startIndex < MAX_HEADER_BYTES) {
    const code = bytes[index + 3] as number;
    if (code === START_CODE.vop) return { vopIndex: index, config, headerCount, groupSeconds: group };
    if (!isHeaderCode(code)) return undefined;
    const limit = Math.min(endIndex, startIndex + MAX_HEADER_BYTES);
    const next = findStartCode(bytes, index + 4, limit);
    if (next < 0) return limit < endIndex ? undefined : "more";
    if (code >= START_CODE.firstVideoObjectLayer && code <= START_CODE.lastVideoObjectLayer) {
      config = parseVolConfig(bytes, index, next) ?? config;
    }
    if (code === START_CODE.groupOfVop) group = groupSeconds(bytes, index);
    headerCount++;
    index = next;
  }
  return undefined;
}

function isPrefix(bytes: Uint8Array, startIndex: number, endIndex: number): boolean {
  for (let i = 0; i < Math.min(3, endIndex - startIndex); i++) {
    if (bytes[startIndex + i] !== (i === 2 ? 1 : 0)) return false;
  }
  return true;
}

/** Video object and layer, sequence, user data, group of VOPs, visual object. */
function isHeaderCode(code: number): boolean {
  return (
    code <= START_CODE.lastVideoObjectLayer ||
    code === START_CODE.visualObjectSequence ||
    code === START_CODE.userData ||
    code === START_CODE.groupOfVop ||
    code === START_CODE.visualObject
  );
}

/** Where a VOP ends; `isSure` is false where a B-VOP fits only a reference older than the newest. */
interface VopEnd {
  readonly index: number;
  readonly isSure: boolean;
}

function endOfVop(
  state: ProbeState,
  bytes: Uint8Array,
  endIndex: number,
  config: VolConfig,
  header: VopHeader,
): VopEnd | "more" | undefined {
  if (header.codingType === "B" && header.isCoded) return endOfBidirectional(state, bytes, endIndex, config, header);
  const parse = parseVop(bytes, endIndex, config, header, state.codes);
  if (parse.kind !== "vop") return parse.kind === "more" ? "more" : undefined;
  if (header.codingType !== "B" && header.isCoded && !config.isLowDelay) {
    remember(state, { ticks: relativeTicks(config, header), skips: parse.skips ?? new Uint8Array(0) });
  }
  return { index: parse.endIndex, isSure: true };
}

/**
 * A B-VOP is tried against the references that are shown after it, newest first. What the newest says holds, for a
 * wrong one may find an end by chance.
 */
function endOfBidirectional(
  state: ProbeState,
  bytes: Uint8Array,
  endIndex: number,
  config: VolConfig,
  header: VopHeader,
): VopEnd | "more" | undefined {
  const ticks = relativeTicks(config, header);
  let isSure = true;
  for (const reference of state.references) {
    if (ticks >= reference.ticks) continue;
    const parse = parseVop(bytes, endIndex, config, header, state.codes, reference.skips);
    if (parse.kind === "vop") return { index: parse.endIndex, isSure };
    if (parse.kind === "more") return "more";
    isSure = false;
  }
  return undefined;
}

/** Reference and the B-VOPs after it in decode order count from the same base (§6.3.5, modulo_time_base). */
function relativeTicks(config: VolConfig, header: VopHeader): number {
  return header.moduloTimeBaseSeconds * config.timeIncrementResolution + header.timeIncrementTicks;
}

function remember(state: ProbeState, reference: Reference): void {
  const { references } = state;
  const { ticks, skips } = reference;
  const known = references.findIndex(
    (old) =>
      old.ticks === ticks && old.skips.length === skips.length && old.skips.every((skip, i) => skip === skips[i]),
  );
  if (known >= 0) references.splice(known, 1);
  references.unshift(reference);
  references.length = Math.min(references.length, MAX_REFERENCES);
}

/** In a packed bitstream a B-VOP right behind its reference belongs to the same sample. */
function packedEnd(
  state: ProbeState,
  bytes: Uint8Array,
  vopEnd: number,
  endIndex: number,
  config: VolConfig,
  header: VopHeader,
): number | "more" {
  if (header.codingType === "B" || !header.isCoded) return vopEnd;
  if (endIndex - vopEnd < 5) return "more";
  if (!isPrefix(bytes, vopEnd, endIndex) || bytes[vopEnd + 3] !== START_CODE.vop) return vopEnd;
  if ((bytes[vopEnd + 4] as number) >>> 6 !== 2) return vopEnd;
  const second = parseVopHeader(bytes, vopEnd, endIndex, config);
  if (second === "more") return "more";
  if (second === undefined) return vopEnd;
  const secondEnd = endOfVop(state, bytes, endIndex, config, second);
  return secondEnd === "more" ? "more" : (secondEnd?.index ?? vopEnd);
}

function open(
  startIndex: number,
  vopIndex: number,
  config: VolConfig | undefined,
  evidenceBits: number,
  isSync: boolean,
): PacketProbe {
  const pixels = config === undefined ? 1 << 22 : config.widthPixels * config.heightPixels;
  const minSizeBytes = vopIndex - startIndex + 7;
  return { kind: "open", minSizeBytes, maxSizeBytes: minSizeBytes + 4096 + pixels * 3, evidenceBits, isSync };
}
