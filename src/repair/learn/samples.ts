import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { readExactly } from "../../media/bytes/byte-source.ts";
import type { Track } from "../../media/isobmff/movie.ts";

const MAX_SAMPLE_BYTES = 4 * 1024 * 1024;

/** The first `limit` samples of a reference's track, whole, in decode order; those over 4 MiB or outside the file are left out. */
export function* readSamples(source: ByteSource, track: Track, limit: number): Generator<Uint8Array> {
  const { samples } = track;
  let sample = 0;
  for (let chunk = 0; chunk < samples.chunkOffsets.length && sample < limit; chunk++) {
    let offset = samples.chunkOffsets[chunk] as number;
    const end = sample + (samples.chunkSampleCounts[chunk] as number);
    for (; sample < end && sample < limit; sample++) {
      const sizeBytes = samples.constantSizeBytes || (samples.sizes[sample] ?? 0);
      const bytes = sizeBytes <= MAX_SAMPLE_BYTES ? readExactly(source, offset, sizeBytes) : undefined;
      if (bytes) yield bytes;
      offset += sizeBytes;
    }
  }
}
