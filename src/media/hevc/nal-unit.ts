/** nal_unit_type (ITU-T H.265 §7.3.1.2). */
function typeOf([first = 0]: Uint8Array): number {
  return (first >> 1) & 0x3f;
}

/** Whether a NAL unit is a slice segment of the base layer, of no reserved type (ITU-T H.265 table 7-1, §7.4.2.2). */
export function isHevcSlice(nal: Uint8Array): boolean {
  const [first = 0, second = 0] = nal;
  const type = typeOf(nal);
  const isBase = (first & 0x81) === 0 && second >> 3 === 0 && (second & 7) > 0;
  return isBase && (type <= 9 || (type >= 16 && type <= 21));
}

const CRA = 21;
const BLA_N_LP = 18;

/**
 * The NAL units of a picture as it can stand behind pictures that do not belong to it: a clean random access picture is made
 * a broken link one, with which it shares its syntax. Undefined for leading pictures (types 6–9), which need what is not
 * there (ITU-T H.265 §7.4.2.2, §8.1.3). What changes is copied.
 */
export function detachHevcPicture(picture: readonly Uint8Array[]): readonly Uint8Array[] | undefined {
  const type = typeOf(picture.find(isHevcSlice) ?? Uint8Array.of());
  if (type >= 6 && type <= 9) return undefined;
  if (type !== CRA) return picture;
  return picture.map((nal) => {
    if (typeOf(nal) !== CRA) return nal;
    const spliced = nal.slice();
    spliced[0] = ((nal[0] as number) & 0x81) | (BLA_N_LP << 1);
    return spliced;
  });
}
