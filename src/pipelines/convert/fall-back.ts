import { describeFallback } from "../../ffmpeg/device-fault.ts";
import type { EncodedVideo } from "./conversion.ts";

/** Pictures as they are encoded without the device, and the sentence on that. Throws RangeError where no encoder was planned to take over. */
export function fallBack(
  video: EncodedVideo,
  fault: string,
): { readonly video: EncodedVideo; readonly finding: string } {
  const { name, fallback } = video.encoder;
  if (fallback === null) throw new RangeError(`No encoder was planned to take over from ${name}.`);
  return { video: { ...video, encoder: fallback }, finding: describeFallback(name, fault, fallback.name) };
}
