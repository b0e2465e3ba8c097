import type { BitReader } from "../bytes/bit-reader.ts";

/** Size and format of a picture, as the references keep them. */
export interface Vp9Picture {
  readonly width: number;
  readonly height: number;
}

/** What the next header's syntax depends on. Immutable. */
export interface Vp9State {
  /** Eight slots; undefined where nothing is known, at the start and after a loss. */
  readonly references: readonly (Vp9Picture | undefined)[];
  /** Format of the stream; undefined while not known. */
  readonly profile: number | undefined;
}

/** A state in which no frame was seen. `profile` from the configuration record, where there is one. */
export function createVp9State(profile?: number): Vp9State {
  return { references: new Array<undefined>(8).fill(undefined), profile };
}

/** uncompressed_header (VP9 §6.2), with what the compressed header and the tiles need. */
export interface Vp9FrameHeader {
  readonly profile: number;
  /** Slot that is shown again; the frame then has no further data. Undefined for a coded frame. */
  readonly showExistingSlot: number | undefined;
  readonly isKeyFrame: boolean;
  readonly isIntra: boolean;
  readonly showFrame: boolean;
  readonly errorResilient: boolean;
  readonly refreshFlags: number;
  readonly allowHighPrecisionMv: boolean;
  readonly hasSwitchableFilter: boolean;
  readonly allowsCompound: boolean;
  /** Bits from the header's start that hold frame type, references and modes: few patterns of them recur. */
  readonly choiceBits: number;
  /** base_q_idx, 0 to 255. */
  readonly baseQuantizer: number;
  readonly isLossless: boolean;
  /** Undefined where the size is that of an unknown reference. */
  readonly picture: Vp9Picture | undefined;
  /** Undefined where the size is unknown. */
  readonly tileColumnsLog2: number | undefined;
  readonly tileRowsLog2: number;
  /** Bytes of the uncompressed header. */
  readonly headerBytes: number;
  /** Bytes of the compressed header after it; 0 where nothing is coded. */
  readonly compressedBytes: number;
  /** Bits whose value the syntax fixes (marker, sync code, reserved and padding bits): all were right. */
  readonly fixedBits: number;
}

/**
 * Parses an uncompressed header from its first bit; undefined where a fixed bit is wrong. Throws MEDIA_MALFORMED where
 * the bytes end early. Where the size hangs on an unknown reference, the state's other references decide if they agree.
 */
export function parseVp9FrameHeader(reader: BitReader, state: Vp9State): Vp9FrameHeader | undefined {
  const start = reader.bitPosition;
  const checks: Checks = { fixedBits: 2, isWrong: false };
  if (reader.bits(2) !== 2) return undefined;
  const profile = reader.bits(1) + 2 * reader.bits(1);
  if (profile === 3) expectZero(reader, 1, checks);
  if (reader.flag()) return parseShowExisting(reader, start, profile, checks);
  const isKeyFrame = !reader.flag();
  const showFrame = reader.flag();
  const errorResilient = reader.flag();
  const body = isKeyFrame
    ? parseKeyBody(reader, profile, checks)
    : parseOtherBody(reader, profile, state, { showFrame, errorResilient }, checks);
  if (checks.isWrong) return undefined;
  if (!errorResilient) reader.skip(2);
  reader.skip(2);
  const choiceBits = reader.bitPosition - start;
  skipLoopFilter(reader);
  const base = reader.bits(8);
  let hasDelta = false;
  for (let i = 0; i < 3; i++) if (reader.flag() && reader.bits(5) >>> 1 !== 0) hasDelta = true;
  skipSegmentation(reader);
  const tileColumnsLog2 = body.picture && parseTileColumns(reader, body.picture.width);
  const tileRowsLog2 = reader.flag() ? (reader.flag() ? 2 : 1) : 0;
  const compressedBytes = reader.bits(16);
  expectZero(reader, (8 - ((reader.bitPosition - start) & 7)) & 7, checks);
  if (checks.isWrong || compressedBytes === 0) return undefined;
  return {
    profile,
    showExistingSlot: undefined,
    isKeyFrame,
    showFrame,
    errorResilient,
    ...body,
    choiceBits,
    baseQuantizer: base,
    isLossless: base === 0 && !hasDelta,
    tileColumnsLog2,
    tileRowsLog2,
    headerBytes: (reader.bitPosition - start) / 8,
    compressedBytes,
    fixedBits: checks.fixedBits,
  };
}

/** The reference slots after a frame. */
export function refreshReferences(state: Vp9State, header: Vp9FrameHeader): Vp9State {
  return {
    profile: header.profile,
    references: state.references.map((old, slot) =>
      ((header.refreshFlags >>> slot) & 1) === 1 ? header.picture : old,
    ),
  };
}

/** Fixed bits met so far; `isWrong` once one was not as it must be. Flags, not exceptions: scans meet many. */
interface Checks {
  fixedBits: number;
  isWrong: boolean;
}

type Body = Pick<
  Vp9FrameHeader,
  "isIntra" | "refreshFlags" | "allowHighPrecisionMv" | "hasSwitchableFilter" | "allowsCompound" | "picture"
>;

function parseShowExisting(
  reader: BitReader,
  start: number,
  profile: number,
  checks: Checks,
): Vp9FrameHeader | undefined {
  const slot = reader.bits(3);
  // The rest of the byte is zero in what encoders write.
  const rest = (8 - ((reader.bitPosition - start) & 7)) & 7;
  expectZero(reader, rest, checks);
  if (checks.isWrong) return undefined;
  return {
    profile,
    showExistingSlot: slot,
    isKeyFrame: false,
    isIntra: false,
    showFrame: true,
    errorResilient: false,
    refreshFlags: 0,
    allowHighPrecisionMv: false,
    hasSwitchableFilter: false,
    allowsCompound: false,
    choiceBits: 5,
    baseQuantizer: 0,
    isLossless: false,
    picture: undefined,
    tileColumnsLog2: undefined,
    tileRowsLog2: 0,
    headerBytes: (reader.bitPosition - start) / 8,
    compressedBytes: 0,
    fixedBits: checks.fixedBits,
  };
}

const INTRA_BODY = { isIntra: true, allowHighPrecisionMv: false, hasSwitchableFilter: false, allowsCompound: false };

function parseKeyBody(reader: BitReader, profile: number, checks: Checks): Body {
  expectSyncCode(reader, checks);
  parseColorConfig(reader, profile, checks);
  const picture = parseFrameSize(reader);
  skipRenderSize(reader);
  return { ...INTRA_BODY, refreshFlags: 0xff, picture };
}

function parseOtherBody(
  reader: BitReader,
  profile: number,
  state: Vp9State,
  flags: { readonly showFrame: boolean; readonly errorResilient: boolean },
  checks: Checks,
): Body {
  const isIntraOnly = !flags.showFrame && reader.flag();
  if (!flags.errorResilient) reader.skip(2);
  if (isIntraOnly) {
    expectSyncCode(reader, checks);
    if (profile > 0) parseColorConfig(reader, profile, checks);
    const refreshFlags = reader.bits(8);
    const picture = parseFrameSize(reader);
    skipRenderSize(reader);
    return { ...INTRA_BODY, refreshFlags, picture };
  }
  const refreshFlags = reader.bits(8);
  const slots: number[] = [];
  const biases: number[] = [];
  for (let i = 0; i < 3; i++) {
    slots.push(reader.bits(3));
    biases.push(reader.bits(1));
  }
  const picture = parseSizeWithReferences(reader, state, slots);
  const allowHighPrecisionMv = reader.flag();
  const hasSwitchableFilter = reader.flag();
  if (!hasSwitchableFilter) reader.skip(2);
  const allowsCompound = biases[1] !== biases[0] || biases[2] !== biases[0];
  return { isIntra: false, refreshFlags, allowHighPrecisionMv, hasSwitchableFilter, allowsCompound, picture };
}

function parseSizeWithReferences(reader: BitReader, state: Vp9State, slots: readonly number[]): Vp9Picture | undefined {
  let picture: Vp9Picture | undefined;
  let isFound = false;
  for (const slot of slots) {
    if (!reader.flag()) continue;
    isFound = true;
    picture = state.references[slot] ?? commonPicture(state);
    break;
  }
  if (!isFound) picture = parseFrameSize(reader);
  skipRenderSize(reader);
  return picture;
}

/** The size of all known references, where they have the same. */
function commonPicture(state: Vp9State): Vp9Picture | undefined {
  const [first, ...others] = state.references.filter((picture) => picture !== undefined);
  if (!first) return undefined;
  return others.every((other) => other.width === first.width && other.height === first.height) ? first : undefined;
}

function expectSyncCode(reader: BitReader, checks: Checks): void {
  if (reader.bits(24) !== 0x498342) checks.isWrong = true;
  checks.fixedBits += 24;
}

/** color_config, §6.2.2. */
function parseColorConfig(reader: BitReader, profile: number, checks: Checks): void {
  if (profile >= 2) reader.skip(1);
  const isRgb = reader.bits(3) === 7;
  if (!isRgb) reader.skip(1);
  if (profile === 1 || profile === 3) {
    // Profiles 1 and 3 are not for 4:2:0.
    if (!isRgb && reader.bits(2) === 3) checks.isWrong = true;
    expectZero(reader, 1, checks);
  } else if (isRgb) checks.isWrong = true;
}

function parseFrameSize(reader: BitReader): Vp9Picture {
  return { width: reader.bits(16) + 1, height: reader.bits(16) + 1 };
}

function skipRenderSize(reader: BitReader): void {
  if (reader.flag()) reader.skip(32);
}

function skipLoopFilter(reader: BitReader): void {
  reader.skip(9);
  if (!reader.flag() || !reader.flag()) return;
  for (let i = 0; i < 6; i++) if (reader.flag()) reader.skip(7);
}

const SEGMENT_FEATURE_BITS = [8, 6, 2, 0] as const;

function skipSegmentation(reader: BitReader): void {
  if (!reader.flag()) return;
  if (reader.flag()) {
    skipProbabilities(reader, 7);
    if (reader.flag()) skipProbabilities(reader, 3);
  }
  if (!reader.flag()) return;
  reader.skip(1);
  for (let segment = 0; segment < 8; segment++) {
    for (const [feature, bits] of SEGMENT_FEATURE_BITS.entries()) {
      if (reader.flag()) reader.skip(bits + (feature < 2 ? 1 : 0));
    }
  }
}

function skipProbabilities(reader: BitReader, count: number): void {
  for (let i = 0; i < count; i++) if (reader.flag()) reader.skip(8);
}

function parseTileColumns(reader: BitReader, width: number): number {
  const superblocks = (width + 63) >>> 6;
  let minLog2 = 0;
  while (64 << minLog2 < superblocks) minLog2++;
  let maxLog2 = 1;
  while (superblocks >>> maxLog2 >= 4) maxLog2++;
  maxLog2--;
  let log2 = minLog2;
  while (log2 < maxLog2 && reader.flag()) log2++;
  return log2;
}

function expectZero(reader: BitReader, count: number, checks: Checks): void {
  if (reader.bits(count) !== 0) checks.isWrong = true;
  checks.fixedBits += count;
}
