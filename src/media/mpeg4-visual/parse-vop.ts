import {
  createMacroblockState,
  type MacroblockState,
  skipBidirectionalMacroblock,
  skipInterVopMacroblock,
  skipIntraVopMacroblock,
} from "./macroblocks.ts";
import { BitCursor } from "./vlc.ts";
import type { VisualCodes } from "./vlc-tables.ts";
import type { VolConfig } from "./vol-config.ts";
import type { VopHeader } from "./vop-header.ts";

/** Outcome of parsing a VOP's macroblocks. */
export type VopParse =
  /** `endIndex` is after the stuffing; `skips` marks macroblocks of a P-VOP without code, undefined for others. */
  | { readonly kind: "vop"; readonly endIndex: number; readonly skips: Uint8Array | undefined }
  | { readonly kind: "more" }
  | { readonly kind: "no" };

const MORE: VopParse = { kind: "more" };
const NO: VopParse = { kind: "no" };

/**
 * Walks the macroblocks of a VOP of type I, P or B whose header was read from `bytes`. `skips` are those of the
 * reference VOP that a B-VOP's future picture is (its macroblocks have no bits where that one's are skipped).
 */
export function parseVop(
  bytes: Uint8Array,
  endIndex: number,
  config: VolConfig,
  header: VopHeader,
  codes: VisualCodes,
  skips?: Uint8Array,
): VopParse {
  const cursor = new BitCursor(bytes, header.endBit, endIndex);
  if (!header.isCoded) return finish(cursor, undefined);
  const columns = Math.ceil(config.widthPixels / 16);
  const macroblocks = columns * Math.ceil(config.heightPixels / 16);
  const state = createMacroblockState(cursor, codes, config.isInterlaced, header);
  const ownSkips = header.codingType === "P" ? new Uint8Array(macroblocks) : undefined;
  for (let number = 0; number < macroblocks; number++) {
    if (config.hasResyncMarkers && number > 0 && isResyncNext(cursor, header)) {
      const next = readVideoPacketHeader(cursor, config, header, macroblocks, state);
      if (next < number || next >= macroblocks) return isCut(cursor) ? MORE : NO;
      // Packets that are missing leave a gap in the numbers, which a decoder conceals.
      number = next;
    }
    if (header.codingType === "B" && skips?.[number] === 1) continue;
    const result = skipMacroblock(state, header);
    if (result === false || cursor.isPastEnd) return isCut(cursor) ? MORE : NO;
    if (result === "skipped" && ownSkips !== undefined) ownSkips[number] = 1;
  }
  return finish(cursor, ownSkips);
}

function skipMacroblock(state: MacroblockState, header: VopHeader): ReturnType<typeof skipIntraVopMacroblock> {
  if (header.codingType === "I") return skipIntraVopMacroblock(state);
  return header.codingType === "P" ? skipInterVopMacroblock(state) : skipBidirectionalMacroblock(state);
}

/** A code word near the end of what is visible may be wrong only because it is cut. */
function isCut(cursor: BitCursor): boolean {
  return cursor.position + 32 > cursor.endBit;
}

/** next_start_code(): a 0, then 1s up to the byte boundary, eight bits where that is reached already (§5.2.4). */
function finish(cursor: BitCursor, skips: Uint8Array | undefined): VopParse {
  const stuffingBits = 8 - (cursor.position & 7);
  const stuffing = cursor.read(stuffingBits);
  if (cursor.isPastEnd) return MORE;
  if (stuffing !== (1 << (stuffingBits - 1)) - 1) return NO;
  return { kind: "vop", endIndex: cursor.position >>> 3, skips };
}

/** Zeros of a resync marker before its 1 (§6.3.5.2 "resync_marker"). */
function resyncZeros(header: VopHeader): number {
  if (header.codingType === "I") return 16;
  if (header.codingType === "P") return 15 + header.forwardCode;
  return Math.max(15 + Math.max(header.forwardCode, header.backwardCode), 17);
}

/** Whether stuffing and a resync marker come; no code word can look like that. */
function isResyncNext(cursor: BitCursor, header: VopHeader): boolean {
  const stuffingBits = 8 - (cursor.position & 7);
  if (cursor.peek(stuffingBits) !== (1 << (stuffingBits - 1)) - 1) return false;
  const start = cursor.position;
  cursor.position += stuffingBits;
  const isMarker = cursor.peek(resyncZeros(header) + 1) === 1 && cursor.position + 24 <= cursor.endBit;
  cursor.position = start;
  return isMarker;
}

/** video_packet_header() (§6.2.5.2): the number of its first macroblock, or −1 where a field is wrong. */
function readVideoPacketHeader(
  cursor: BitCursor,
  config: VolConfig,
  header: VopHeader,
  macroblocks: number,
  state: MacroblockState,
): number {
  cursor.position += 8 - (cursor.position & 7);
  cursor.position += resyncZeros(header) + 1;
  const number = cursor.read(Math.max(1, Math.ceil(Math.log2(macroblocks))));
  const quant = cursor.read(config.quantPrecisionBits);
  if (quant === 0) return -1;
  state.quant = quant;
  if (cursor.read(1) === 0) return number;
  while (cursor.read(1) === 1) if (cursor.isPastEnd) return -1;
  if (cursor.read(1) === 0) return -1;
  cursor.position += config.timeIncrementBits;
  if (cursor.read(1) === 0) return -1;
  cursor.position += 2 + 3;
  if (header.codingType !== "I") cursor.position += 3;
  if (header.codingType === "B") cursor.position += 3;
  return number;
}
