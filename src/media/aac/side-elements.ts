import type { BitCursor } from "./bit-cursor.ts";
import { evidenceUnits, REJECTED } from "./evidence.ts";

const ESCAPE_COUNT = 15;
const SBR_EXTENSION = 13;
/** Extension types that are defined (Table 4.121): fill, fill data, data element, dynamic range, spatial, SBR, SBR with CRC. */
const KNOWN_EXTENSIONS = 0b0111_1000_0000_0111;
const KNOWN_EXTENSION_UNITS = evidenceUnits(0.98 / 7, 4);
const OTHER_EXTENSION_UNITS = evidenceUnits(0.02 / 9, 4);
const DATA_ESCAPE = 255;
/** Padding flagged in a data stream element is rare. */
const FIRST_TAG_UNITS = evidenceUnits(0.5, 4);
const OTHER_TAG_UNITS = evidenceUnits(0.5 / 15, 4);

/** Keeps count of what a frame carries beside its channels. Restarted for each frame. */
export class SideElements {
  /** Bytes of fill and data stream elements so far. */
  bytes = 0;
  hasSbr = false;

  restart(): void {
    this.bytes = 0;
    this.hasSbr = false;
  }

  /** Passes over `fill_element()` (ISO/IEC 14496-3 Table 4.11) after its id; returns evidence units. */
  skipFill(cursor: BitCursor): number {
    let countBytes = cursor.bits(4);
    if (countBytes === ESCAPE_COUNT) countBytes += cursor.bits(8) - 1;
    if (countBytes === 0) return 0;
    this.bytes += countBytes;
    const start = cursor.bit;
    const extension = cursor.bits(4);
    if (extension === SBR_EXTENSION || extension === SBR_EXTENSION + 1) this.hasSbr = true;
    cursor.bit = start + countBytes * 8;
    return (KNOWN_EXTENSIONS >> extension) & 1 ? KNOWN_EXTENSION_UNITS : OTHER_EXTENSION_UNITS;
  }
}

/** Passes over `data_stream_element()` (Table 4.10) after its id; returns evidence units. */
export function skipDataStream(cursor: BitCursor, side: SideElements): number {
  const tag = cursor.bits(4);
  const isAligned = cursor.bits(1) === 1;
  let countBytes = cursor.bits(8);
  if (countBytes === DATA_ESCAPE) countBytes += cursor.bits(8);
  if (isAligned) cursor.alignToByte();
  cursor.bit += countBytes * 8;
  side.bytes += countBytes;
  return tag === 0 ? FIRST_TAG_UNITS : OTHER_TAG_UNITS;
}

/** Passes over `program_config_element()` (Table 4.2) after its id; returns evidence units, REJECTED where it is empty. */
export function skipProgramConfig(cursor: BitCursor): number {
  cursor.bit += 4 + 2;
  const rateIndex = cursor.bits(4);
  if (rateIndex > 12) return REJECTED;
  const places = cursor.bits(4) + cursor.bits(4) + cursor.bits(4);
  const lfes = cursor.bits(2);
  const data = cursor.bits(3);
  const couplings = cursor.bits(4);
  if (places + lfes === 0) return REJECTED;
  if (cursor.bits(1) === 1) cursor.bit += 4;
  if (cursor.bits(1) === 1) cursor.bit += 4;
  if (cursor.bits(1) === 1) cursor.bit += 3;
  cursor.bit += 5 * (places + couplings) + 4 * (lfes + data);
  cursor.alignToByte();
  const commentBytes = cursor.bits(8);
  cursor.bit += commentBytes * 8;
  return 0;
}
