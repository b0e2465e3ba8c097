import { expect, it } from "vitest";
import { depthOf } from "./manifest.ts";

it.each([
  [8, "yuv420p yuvj420p nv12 rgb24 bgra gray pal8 gbrp yuva444p rgb565le monob 0rgb uyvy422"],
  [10, "yuv420p10le yuv444p9be p010le p210be gray10le gbrp10le x2rgb10le x2bgr10be y210le yuva422p10le"],
  [12, "yuv420p12le gbrap12be gray12le xyz12le"],
  [
    16,
    "yuv420p16le gray16be p016le rgb48le bgr48be rgba64le ayuv64le gbrp16le gbrp14be ya16le bayer_rggb16le gbrpf32le grayf32be",
  ],
] as const)("takes %d bits for those of %s", (depth, formats) => {
  for (const format of formats.split(" ")) expect(depthOf(format), format).toBe(depth);
});
