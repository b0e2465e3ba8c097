/** How pictures are coded: what tells a picture that begins a decode anew. */
export type NalFamily = "avc" | "hevc";

const AVC_IDR = 5;
/** IDR_W_RADL and IDR_N_LP (ITU-T H.265 table 7-1). */
const HEVC_IDR: readonly number[] = [19, 20];

/** nal_unit_type of a NAL unit's first byte. */
export function nalTypeOf(family: NalFamily, firstByte: number): number {
  return family === "avc" ? firstByte & 0x1f : (firstByte >> 1) & 0x3f;
}

/** Whether a NAL unit of the type holds a slice of a picture. */
export function isSliceType(family: NalFamily, type: number): boolean {
  return family === "avc" ? type >= 1 && type <= 5 : type <= 31;
}

/** Why a picture whose first slice is of the type is no IDR; undefined where it is one. */
export function idrFault(family: NalFamily, sliceType: number | undefined): string | undefined {
  if (sliceType === undefined) return "the first sample holds no slice of a picture";
  const isIdr = family === "avc" ? sliceType === AVC_IDR : HEVC_IDR.includes(sliceType);
  return isIdr ? undefined : `the first picture is no IDR: its slices are NAL units of type ${sliceType}`;
}
