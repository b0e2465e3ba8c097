import type { VideoStream } from "../../ffmpeg/manifest.ts";
import { planMatrix } from "../../ffmpeg/picture-filters.ts";
import type { OutputLook, VideoPlan } from "./conversion.ts";
import type { ConvertSettings } from "./options.ts";
import type { PictureFilters } from "./picture-filters.ts";

const STANDARD_RANGE = { matrix: "bt709", transfer: "bt709", primaries: "bt709" } as const;
/** Besides RGB: what of all others becomes 4:2:0 gets a matrix that the source cannot tell. */
const HAS_MATRIX = /^(?:yuv|nv|p01)/;

/** How the pictures of the output are to look. */
export function planLook(
  video: VideoStream,
  filters: Pick<PictureFilters, "size">,
  { toneMap }: Pick<ConvertSettings, "toneMap">,
  plan: VideoPlan,
): OutputLook {
  const { filters: made, colour: told } = planMatrix(video);
  const { matrix, transfer, primaries } = told;
  const isMapped = toneMap && video.isHdr;
  const colour = {
    matrix: made.length > 0 || HAS_MATRIX.test(video.pixelFormat) ? (matrix ?? null) : null,
    transfer: transfer ?? null,
    primaries: primaries ?? null,
  };
  if (plan.kind === "copy") {
    const { widthPixels, heightPixels, rotationDegrees, bitDepth, isHdr } = video;
    return { widthPixels, heightPixels, rotationDegrees, bitDepth, colour, isColourCertain: isHdr };
  }
  return {
    widthPixels: filters.size.width,
    heightPixels: filters.size.height,
    rotationDegrees: 0,
    bitDepth: plan.pixelFormat === "yuv420p10le" ? 10 : 8,
    colour: isMapped ? STANDARD_RANGE : colour,
    isColourCertain: video.isHdr,
  };
}
