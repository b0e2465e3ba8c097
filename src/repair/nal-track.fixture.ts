import type { SampleEntry, Track } from "../media/isobmff/movie.ts";

export const [SPS, PPS, SEI, IDR, SLICE] = [0x67, 0x68, 0x06, 0x65, 0x41];

/** A NAL unit whose payload no emulation prevention would touch and which ends with its stop bit. */
export function nalOf(header: number, payloadBytes: number): Uint8Array {
  const nal = Uint8Array.from({ length: payloadBytes + 1 }, (_, index) => 16 + ((header + index * 7) % 200));
  nal[0] = header;
  nal[payloadBytes] = 0x80;
  return nal;
}

/** NAL units as a sample holds them, each behind its length. */
export function sampleOf(nals: readonly Uint8Array[], lengthSizeBytes: number): Uint8Array {
  const parts = nals.flatMap((nal) => {
    const length = Array.from(
      { length: lengthSizeBytes },
      (_, byte) => nal.length >>> (8 * (lengthSizeBytes - 1 - byte)),
    );
    return [...length.map((byte) => byte & 0xff), ...nal];
  });
  return Uint8Array.from(parts);
}

/** An `avc1` entry of 320×240 with one sequence and one picture parameter set. */
export function avcEntry(lengthSizeBytes: number): SampleEntry {
  const set = (header: number): number[] => [0, 4, ...nalOf(header, 3)];
  const avcC = Uint8Array.of(1, 100, 0, 30, 0xfc | (lengthSizeBytes - 1), 0xe1, ...set(SPS), 1, ...set(PPS));
  const visual = { widthPixels: 320, heightPixels: 240, depthBits: 24 };
  return { format: "avc1", raw: new Uint8Array(0), children: new Map([["avcC", avcC]]), visual };
}

/** A video track whose samples lie one behind the other from byte 0 on. */
export function trackOf(entry: SampleEntry, sampleBytes: readonly number[], syncSamples: readonly number[]): Track {
  return {
    trackId: 1,
    handlerType: "vide",
    timescale: 25,
    sampleEntries: [entry],
    samples: {
      sampleCount: sampleBytes.length,
      chunkOffsets: Float64Array.of(0),
      chunkSampleCounts: Uint32Array.of(sampleBytes.length),
      constantSizeBytes: 0,
      sizes: Uint32Array.from(sampleBytes),
      durationRuns: Uint32Array.of(sampleBytes.length, 1),
      syncSamples: Uint32Array.from(syncSamples),
    },
    edits: [],
    boxes: new Map(),
  };
}
