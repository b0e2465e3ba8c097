import type { RbspReader } from "../nal/rbsp-reader.ts";

/** A list has at most 32 entries, each changed once, and an end (ITU-T H.264 §7.4.3.1). */
const MAX_CHANGES = 66;

/** ref_pic_list_modification() of one list, §7.3.3.1. `maxPicNum` bounds the differences of picture numbers. */
export function skipRefListChanges(reader: RbspReader, maxPicNum: number): void {
  if (!reader.flag()) return;
  for (let count = 0; count < MAX_CHANGES && !reader.isBroken; count++) {
    const idc = reader.ue();
    if (idc === 3) return;
    // Views of MVC change by 4 and 5; the base view knows 0–2.
    if (idc > 5 || reader.ue() >= maxPicNum) break;
  }
  reader.fail();
}

/** pred_weight_table(), §7.3.3.2. `countL1` is 0 except in B slices. */
export function skipPredWeights(reader: RbspReader, countL0: number, countL1: number, hasChroma: boolean): void {
  if (reader.ue() > 7 || (hasChroma && reader.ue() > 7)) reader.fail();
  for (let index = 0; index < countL0 + countL1 && !reader.isBroken; index++) {
    if (reader.flag()) skipWeights(reader, 1);
    if (hasChroma && reader.flag()) skipWeights(reader, 2);
  }
}

function skipWeights(reader: RbspReader, components: number): void {
  for (let index = 0; index < components; index++) {
    const weight = reader.se();
    const offset = reader.se();
    if (weight < -128 || weight > 128 || offset < -128 || offset > 127) reader.fail();
  }
}

/** cabac_alignment_one_bit up to the byte boundary (§7.3.4): how many there are, or −1 where one of them is 0. */
export function readAlignment(reader: RbspReader): number {
  const count = reader.bitsToByteBoundary;
  return reader.bits(count) === (1 << count) - 1 ? count : -1;
}
