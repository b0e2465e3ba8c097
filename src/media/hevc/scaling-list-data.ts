import type { BitReader } from "../bytes/bit-reader.ts";

/** Passes over scaling_list_data() (ITU-T H.265 §7.3.4). Throws MEDIA_MALFORMED where the bits run out. */
export function skipScalingListData(reader: BitReader): void {
  for (let sizeId = 0; sizeId < 4; sizeId++) {
    for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
      if (!reader.flag()) {
        reader.ue(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      if (sizeId > 1) reader.se(); // scaling_list_dc_coef_minus8
      const coefficients = Math.min(64, 1 << (4 + 2 * sizeId));
      for (let index = 0; index < coefficients; index++) reader.se();
    }
  }
}
