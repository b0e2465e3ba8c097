import { FieldWriter } from "../media/isobmff/box-writer.ts";
import type { EntryChild } from "../media/isobmff/create-entry.ts";

const U16_MAX = 0xffff;
const U32_MAX = 0xffff_ffff;

/**
 * `mdcv` and `clli` (ISO/IEC 14496-12 §12.1.5 to 6) of what `VideoStream` tells of mastering display and light levels; what is null or not of
 * that form, or out of range, is left out.
 */
export function hdrBoxes(masteringDisplay: string | null, contentLight: string | null): readonly EntryChild[] {
  const boxes: EntryChild[] = [];
  const display = numbersIn(masteringDisplay);
  if (display.length === 10 && display.every((value, index) => value <= (index < 8 ? U16_MAX : U32_MAX))) {
    const fields = new FieldWriter(24);
    for (const chromaticity of display.slice(0, 8)) fields.u16(chromaticity);
    for (const luminance of display.slice(8)) fields.u32(luminance);
    boxes.push({ type: "mdcv", payload: fields.finish() });
  }
  const light = numbersIn(contentLight);
  if (light.length === 2 && light.every((level) => level <= U16_MAX)) {
    const fields = new FieldWriter(4);
    for (const level of light) fields.u16(level);
    boxes.push({ type: "clli", payload: fields.finish() });
  }
  return boxes;
}

function numbersIn(text: string | null): readonly number[] {
  return (text?.match(/\d+/g) ?? []).map(Number);
}
