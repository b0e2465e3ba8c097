/** One elementary stream of a program. */
export interface ElementaryStream {
  readonly pid: number;
  /** ISO/IEC 13818-1 table 2-34: 0x1b H.264, 0x24 HEVC, 0x0f AAC with ADTS, 0x03 and 0x04 MPEG audio, 0x81 AC-3, … */
  readonly streamType: number;
}

const PAT_ID = 0;
const PMT_ID = 2;
/** table_id to section_length, and what stands before the programs or streams. */
const SECTION_HEAD_BYTES = 8;
const CRC_BYTES = 4;

/**
 * The PID of the first program's map, out of the payload of a packet that a PAT section begins in (ISO/IEC 13818-1 §2.4.4.3).
 * Undefined where there is none.
 */
export function parsePat(payload: Uint8Array): number | undefined {
  const section = sectionOf(payload, PAT_ID);
  if (section === undefined) return undefined;
  for (let index = SECTION_HEAD_BYTES; index + 4 <= section.length; index += 4) {
    if (u16(section, index) !== 0) return u16(section, index + 2) & 0x1fff;
  }
  return undefined;
}

/** The streams of a program, out of the payload of a packet that holds a whole PMT section (§2.4.4.8). */
export function parsePmt(payload: Uint8Array): readonly ElementaryStream[] | undefined {
  const section = sectionOf(payload, PMT_ID);
  if (section === undefined) return undefined;
  const streams: ElementaryStream[] = [];
  let index = SECTION_HEAD_BYTES + 4 + (u16(section, SECTION_HEAD_BYTES + 2) & 0xfff);
  while (index + 5 <= section.length) {
    streams.push({ streamType: section[index] as number, pid: u16(section, index + 1) & 0x1fff });
    index += 5 + (u16(section, index + 3) & 0xfff);
  }
  return streams;
}

/** The section behind the pointer field, without its CRC; undefined where it is of another table or not whole. */
function sectionOf(payload: Uint8Array, tableId: number): Uint8Array | undefined {
  const start = 1 + (payload[0] ?? 0);
  if (start + SECTION_HEAD_BYTES > payload.length || payload[start] !== tableId) return undefined;
  const end = start + 3 + (u16(payload, start + 1) & 0xfff);
  return end > payload.length || end - CRC_BYTES < start ? undefined : payload.subarray(start, end - CRC_BYTES);
}

function u16(bytes: Uint8Array, index: number): number {
  return ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
}
