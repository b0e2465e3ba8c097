import { formatCount } from "../base/units.ts";
import type { SampleEntry } from "../media/isobmff/movie.ts";
import { codecNameOf } from "./codecs/codec-name.ts";

/** A track's kind in the user's terms: `h264, 640×360`, `aac, 2 channels, 48000 Hz`. */
export function describeEntry(entry: SampleEntry): string {
  const { visual, audio } = entry;
  const codec = codecNameOf(entry);
  if (visual) return `${codec}, ${visual.widthPixels}×${visual.heightPixels}`;
  if (audio) return `${codec}, ${formatCount(audio.channelCount, "channel")}, ${audio.sampleRateHz} Hz`;
  return codec;
}
