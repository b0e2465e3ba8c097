import type { SampleEntry, SampleTable } from "./movie.ts";

/**
 * QuickTime's tables of PCM and of old constant-rate sound count single frames and often give their size as 1,
 * whatever the frame takes (QuickTime File Format, "Sample size atoms"). This puts `constantSizeBytes` to the bytes
 * of one PCM frame, or counts whole packets with the frames each decodes to as its duration. Other tables come back
 * as they are.
 */
export function countPackets(table: SampleTable, entry: SampleEntry | undefined): SampleTable {
  const audio = entry?.audio;
  if (audio === undefined || table.constantSizeBytes === 0) return table;
  const [, durationTicks = 1] = table.durationRuns;
  const isUniform = table.durationRuns.length === 2;
  if (audio.bytesPerFrame > 0) {
    const isSingleFrames = table.constantSizeBytes === 1 || (isUniform && durationTicks === 1);
    return isSingleFrames ? { ...table, constantSizeBytes: audio.bytesPerFrame } : table;
  }
  if (audio.packet === undefined || table.constantSizeBytes !== 1 || !isUniform) return table;
  const { frameCount, sizeBytes } = audio.packet;
  const chunkSampleCounts = table.chunkSampleCounts.map((frames) => Math.ceil(frames / frameCount));
  const sampleCount = chunkSampleCounts.reduce((total, count) => total + count, 0);
  return {
    ...table,
    sampleCount,
    chunkSampleCounts,
    constantSizeBytes: sizeBytes,
    durationRuns: Uint32Array.of(sampleCount, Math.min(durationTicks * frameCount, 0xffff_ffff)),
  };
}

/**
 * The reverse for the writer: constant-rate sound under an entry whose table counts single frames. PCM needs none:
 * readers take the bytes of a frame as its size.
 */
export function countSingleFrames(table: SampleTable, entry: SampleEntry | undefined): SampleTable {
  const packet = entry?.audio?.packet;
  if (packet === undefined || table.constantSizeBytes !== packet.sizeBytes || packet.sizeBytes === 1) return table;
  const [, durationTicks = 0] = table.durationRuns;
  const fits = table.durationRuns.length === 2 && durationTicks % packet.frameCount === 0;
  const sampleCount = table.sampleCount * packet.frameCount;
  if (!fits || sampleCount > 0xffff_ffff) return table;
  return {
    ...table,
    sampleCount,
    chunkSampleCounts: table.chunkSampleCounts.map((packets) => packets * packet.frameCount),
    constantSizeBytes: 1,
    durationRuns: Uint32Array.of(sampleCount, durationTicks / packet.frameCount),
  };
}
