import type { BitCursor } from "./vlc.ts";
import { type CoefficientCode, STEP_ESCAPE, STEP_LAST, STEP_PEEK_BITS, type VisualCodes } from "./vlc-tables.ts";
import type { VopHeader } from "./vop-header.ts";

/** Quantiser from which intra DC is coded like AC, by intra_dc_vlc_thr (ISO/IEC 14496-2 Table 6-21). */
const DC_THRESHOLDS = [99, 13, 15, 17, 19, 21, 23, 0] as const;
const DQUANT = [-1, -2, 1, 2] as const;
const MCBPC_INTRA_STUFFING = 8;
const MCBPC_INTER_STUFFING = 20;

/** What macroblock parsing carries from one macroblock to the next. */
export interface MacroblockState {
  readonly cursor: BitCursor;
  readonly codes: VisualCodes;
  readonly isInterlaced: boolean;
  quant: number;
  dcThreshold: number;
  forwardCode: number;
  backwardCode: number;
}

/** The state at the start of a VOP. */
export function createMacroblockState(
  cursor: BitCursor,
  codes: VisualCodes,
  isInterlaced: boolean,
  header: VopHeader,
): MacroblockState {
  return {
    cursor,
    codes,
    isInterlaced,
    quant: header.quant,
    dcThreshold: DC_THRESHOLDS[header.intraDcVlcThreshold & 7] ?? 99,
    forwardCode: header.forwardCode,
    backwardCode: header.backwardCode,
  };
}

/** Outcome of a macroblock: false where its bits are no macroblock. */
export type MacroblockResult = "coded" | "skipped" | false;

/** Moves over a macroblock of an I-VOP (§6.2.6). */
export function skipIntraVopMacroblock(state: MacroblockState): MacroblockResult {
  for (;;) {
    const symbol = state.cursor.symbol(state.codes.mcbpcIntra);
    if (symbol < 0 || state.cursor.isPastEnd) return false;
    if (symbol !== MCBPC_INTRA_STUFFING) return skipIntra(state, symbol & 3, symbol >= 4);
  }
}

/** Moves over a macroblock of a P-VOP. */
export function skipInterVopMacroblock(state: MacroblockState): MacroblockResult {
  for (;;) {
    if (state.cursor.isPastEnd) return false;
    if (state.cursor.read(1) === 1) return "skipped";
    const symbol = state.cursor.symbol(state.codes.mcbpcInter);
    if (symbol < 0) return false;
    if (symbol === MCBPC_INTER_STUFFING) continue;
    if ((symbol & 4) !== 0 && symbol < 16) return skipIntra(state, symbol & 3, (symbol & 8) !== 0);
    return skipInter(state, symbol);
  }
}

/** Moves over a macroblock of a B-VOP whose co-located macroblock in the reference to come was coded. */
export function skipBidirectionalMacroblock(state: MacroblockState): MacroblockResult {
  const { cursor, codes } = state;
  if (cursor.read(1) === 1) return "skipped";
  const hasNoPattern = cursor.read(1) === 1;
  const type = cursor.symbol(codes.mbTypeB);
  if (type < 0) return false;
  const isDirect = type === 0;
  const pattern = hasNoPattern ? 0 : cursor.read(6);
  if (!isDirect && pattern !== 0 && cursor.read(1) === 1)
    setQuant(state, state.quant + (cursor.read(1) === 1 ? 2 : -2));
  let isField = false;
  if (state.isInterlaced) {
    if (pattern !== 0) cursor.position++;
    isField = !isDirect && cursor.read(1) === 1;
  }
  const isForward = type === 1 || type === 3;
  const isBackward = type === 1 || type === 2;
  if (isField) cursor.position += (isForward ? 2 : 0) + (isBackward ? 2 : 0);
  const vectors = isField ? 2 : 1;
  if (isDirect && !skipVectors(state, 1, 1)) return false;
  if (isForward && !skipVectors(state, vectors, state.forwardCode)) return false;
  if (isBackward && !skipVectors(state, vectors, state.backwardCode)) return false;
  return skipBlocks(state, codes.inter, pattern) ? "coded" : false;
}

function skipIntra(state: MacroblockState, chroma: number, hasQuant: boolean): MacroblockResult {
  const { cursor, codes } = state;
  cursor.position++;
  const luma = cursor.symbol(codes.cbpy);
  if (luma < 0) return false;
  // The threshold is held against the quantiser of the macroblock before (§6.3.5, "running Qp").
  const hasDcCode = state.quant < state.dcThreshold;
  if (hasQuant) setQuant(state, state.quant + (DQUANT[cursor.read(2)] ?? 0));
  if (state.isInterlaced) cursor.position++;
  const pattern = (luma << 2) | chroma;
  for (let block = 0; block < 6; block++) {
    if (hasDcCode && !skipDc(state, block >= 4)) return false;
    const isCoded = ((pattern >>> (5 - block)) & 1) === 1;
    if (isCoded && !skipCoefficients(cursor, codes.intra, hasDcCode ? 1 : 0)) return false;
  }
  return "coded";
}

function skipInter(state: MacroblockState, symbol: number): MacroblockResult {
  const { cursor, codes } = state;
  const luma = cursor.symbol(codes.cbpy);
  if (luma < 0) return false;
  const pattern = ((luma ^ 15) << 2) | (symbol & 3);
  if ((symbol & 8) !== 0) setQuant(state, state.quant + (DQUANT[cursor.read(2)] ?? 0));
  let vectors = (symbol & 16) !== 0 ? 4 : 1;
  if (state.isInterlaced) {
    if (pattern !== 0) cursor.position++;
    if (vectors === 1 && cursor.read(1) === 1) {
      cursor.position += 2;
      vectors = 2;
    }
  }
  if (!skipVectors(state, vectors, state.forwardCode)) return false;
  return skipBlocks(state, codes.inter, pattern) ? "coded" : false;
}

function setQuant(state: MacroblockState, quant: number): void {
  state.quant = Math.max(1, Math.min(31, quant));
}

/** Both components of `count` motion vectors (§6.2.6.2). */
function skipVectors(state: MacroblockState, count: number, code: number): boolean {
  const { cursor, codes } = state;
  for (let component = 0; component < count * 2; component++) {
    const symbol = cursor.symbol(codes.motion);
    if (symbol < 0) return false;
    if (symbol > 0) cursor.position += code;
  }
  return true;
}

/** Intra DC: a size, the difference in as many bits, a marker after long ones (§6.2.7). */
function skipDc(state: MacroblockState, isChroma: boolean): boolean {
  const { cursor, codes } = state;
  const lengthBits = cursor.symbol(isChroma ? codes.dcChrominance : codes.dcLuminance);
  if (lengthBits < 0) return false;
  cursor.position += lengthBits;
  return lengthBits <= 8 || cursor.read(1) === 1;
}

function skipBlocks(state: MacroblockState, code: CoefficientCode, pattern: number): boolean {
  for (let bit = 32; bit > 0; bit >>>= 1) {
    if ((pattern & bit) !== 0 && !skipCoefficients(state.cursor, code, 0)) return false;
  }
  return true;
}

/** The coefficients of a block from `firstIndex` on, to the one marked last (§7.4.1.3). */
function skipCoefficients(cursor: BitCursor, code: CoefficientCode, firstIndex: number): boolean {
  const { steps } = code;
  const { bytes, endIndex } = cursor;
  let index = firstIndex;
  let { position } = cursor;
  for (;;) {
    // The cursor's own `peek`, written out: this is where nearly all of the time goes.
    const at = position >>> 3;
    if (at + 4 > endIndex) return skipLastCoefficients(cursor, code, index, position);
    const word =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
    const step = steps[(word << (position & 7)) >>> (32 - STEP_PEEK_BITS)] as number;
    position += step & 31;
    let isLast = (step & STEP_LAST) !== 0;
    if (step >= STEP_ESCAPE) {
      cursor.position = position;
      const escaped = skipEscape(cursor, code);
      if (escaped < 0) return false;
      position = cursor.position;
      index += (escaped & 127) + 1;
      isLast = escaped >= 128;
    } else index += (step >>> 5) & 127;
    if (step === 0 || index > 64 || isLast) {
      cursor.position = position;
      return step !== 0 && index <= 64;
    }
  }
}

/** The same for the last bytes that are visible, one code word at a time. */
function skipLastCoefficients(cursor: BitCursor, code: CoefficientCode, firstIndex: number, position: number): boolean {
  const { vlc, escapeSymbol, runs, lasts } = code;
  cursor.position = position;
  let index = firstIndex;
  for (;;) {
    const symbol = cursor.symbol(vlc);
    if (symbol < 0) return false;
    let isLast = lasts[symbol] === 1;
    if (symbol === escapeSymbol) {
      const escaped = skipEscape(cursor, code);
      if (escaped < 0) return false;
      index += (escaped & 127) + 1;
      isLast = escaped >= 128;
    } else {
      cursor.position++;
      index += (runs[symbol] as number) + 1;
    }
    if (index > 64) return false;
    if (isLast) return true;
  }
}

/** One escaped coefficient: its run, plus 128 where it is the last; −1 where the bits are wrong. */
function skipEscape(cursor: BitCursor, code: CoefficientCode): number {
  const type = cursor.read(1) === 0 ? 1 : cursor.read(1) === 0 ? 2 : 3;
  if (type === 3) {
    const fixed = cursor.read(21);
    const level = (fixed >>> 1) & 0xfff;
    if ((fixed & 1) === 0 || ((fixed >>> 13) & 1) === 0 || level === 0 || level === 0x800) return -1;
    return ((fixed >>> 20) << 7) | ((fixed >>> 14) & 63);
  }
  const symbol = cursor.symbol(code.vlc);
  if (symbol < 0 || symbol === code.escapeSymbol) return -1;
  cursor.position++;
  const run = (code.runs[symbol] as number) + (type === 2 ? (code.runOffsets[symbol] as number) : 0);
  return run > 63 ? -1 : ((code.lasts[symbol] as number) << 7) | run;
}
