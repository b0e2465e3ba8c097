import type { Track } from "../media/isobmff/movie.ts";
import { pcmLayout } from "../media/pcm/pcm-layout.ts";

/** Whether a track is uncompressed sound, listed frame by frame: zeros in it may be silence. */
export function isRawSound({ handlerType, samples, sampleEntries }: Track): boolean {
  const entry = sampleEntries[0];
  if (handlerType !== "soun" || entry === undefined || samples.constantSizeBytes === 0) return false;
  // An entry may state frames of a width that no layout is known of: they are raw all the same.
  const frameBytes = [entry.audio?.bytesPerFrame, pcmLayout(entry)?.bytesPerFrame];
  return frameBytes.includes(samples.constantSizeBytes);
}
