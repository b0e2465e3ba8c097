import type { BitReader } from "../bytes/bit-reader.ts";

/** Element kinds of a raw data block (ISO/IEC 14496-3 Table 4.85), by their 3-bit number. */
export const ELEMENT = { SCE: 0, CPE: 1, CCE: 2, LFE: 3, DSE: 4, PCE: 5, FIL: 6, END: 7 } as const;

/** An element that carries channels: SCE 0, CPE 1, CCE 2 or LFE 3. */
export type ChannelElementId = 0 | 1 | 2 | 3;

/** One channel element that a program announces. */
export interface ChannelElement {
  readonly id: ChannelElementId;
  /** element_instance_tag, 0 to 15; absent where the standard leaves it to the encoder. */
  readonly tag?: number;
}

/** A `program_config_element()`. */
export interface ProgramConfig {
  /** Object type less one, as written: 0 Main, 1 LC, 2 SSR, 3 LTP. */
  readonly objectTypeIndex: number;
  readonly rateIndex: number;
  /** Front, side, back and LFE elements in the order announced; frames hold each exactly once. */
  readonly elements: readonly ChannelElement[];
  /** Tags of coupling channel elements, of which a frame may hold each once. */
  readonly couplingTags: readonly number[];
}

/**
 * Parses `program_config_element()` (ISO/IEC 14496-3 Table 4.2) from its instance tag on. The comment's byte alignment
 * counts from the first bit of the reader's bytes. Throws MEDIA_MALFORMED where the bytes end early.
 */
export function parseProgramConfig(reader: BitReader): ProgramConfig {
  reader.skip(4);
  const objectTypeIndex = reader.bits(2);
  const rateIndex = reader.bits(4);
  const placeCounts = [reader.bits(4), reader.bits(4), reader.bits(4)];
  const lfeCount = reader.bits(2);
  const dataCount = reader.bits(3);
  const couplingCount = reader.bits(4);
  if (reader.flag()) reader.skip(4);
  if (reader.flag()) reader.skip(4);
  if (reader.flag()) reader.skip(3);
  const elements: ChannelElement[] = [];
  for (let left = placeCounts.reduce((sum, count) => sum + count, 0); left > 0; left--) {
    const isPair = reader.flag();
    elements.push({ id: isPair ? ELEMENT.CPE : ELEMENT.SCE, tag: reader.bits(4) });
  }
  for (let left = lfeCount; left > 0; left--) elements.push({ id: ELEMENT.LFE, tag: reader.bits(4) });
  reader.skip(4 * dataCount);
  const couplingTags: number[] = [];
  for (let left = couplingCount; left > 0; left--) couplingTags.push(reader.bits(5) & 15);
  reader.alignToByte();
  reader.skip(8 * reader.bits(8));
  return { objectTypeIndex, rateIndex, elements, couplingTags };
}
