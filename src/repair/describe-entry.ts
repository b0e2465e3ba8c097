import { formatCount } from "../base/units.ts";
import type { SampleEntry } from "../media/isobmff/movie.ts";

/** A track's kind in the user's terms: `avc1, 640×360`, `mp4a, 2 channels, 48000 Hz`. */
export function describeEntry({ format, visual, audio }: SampleEntry): string {
  const codec = format.trim();
  if (visual) return `${codec}, ${visual.widthPixels}×${visual.heightPixels}`;
  if (audio) return `${codec}, ${formatCount(audio.channelCount, "channel")}, ${audio.sampleRateHz} Hz`;
  return codec;
}
