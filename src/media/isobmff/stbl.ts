import { formatCount } from "../../base/units.ts";
import type { BoxReader } from "./box-reader.ts";
import { type BoxPart, nestParts } from "./box-writer.ts";
import { parseCo64, serializeCo64 } from "./co64.ts";
import { serializeCslg } from "./cslg.ts";
import { parseCtts, serializeCtts } from "./ctts.ts";
import type { SampleEntry, SampleTable } from "./movie.ts";
import { fitDurations, fitOffsets } from "./runs.ts";
import { forEachSample, sum } from "./sample-table.ts";
import { countPackets, countSingleFrames } from "./sound-grouping.ts";
import { parseStco, serializeStco } from "./stco.ts";
import { type ChunkSampleCounts, parseStsc, serializeStsc } from "./stsc.ts";
import { serializeStsd } from "./stsd.ts";
import { parseStss, serializeStss } from "./stss.ts";
import { parseStsz, type SampleSizes, serializeStsz } from "./stsz.ts";
import { parseStts, serializeStts } from "./stts.ts";
import { parseStz2 } from "./stz2.ts";

/** Called for what had to be put right in a box; the message is a clause without a full stop. */
export type ReportProblem = (box: BoxReader, message: string) => void;

/**
 * Reads the index tables below `stbl`, ISO/IEC 14496-12 §8.5–8.7. Tables that disagree on the number of samples are
 * cut to what all of them cover and reported; PCM and constant-rate sound count frames and packets as `SampleTable`
 * says. Throws MEDIA_MALFORMED where a table is missing or lies about its length.
 */
export function parseSampleTable(
  stbl: BoxReader,
  boxes: ReadonlyMap<string, BoxReader>,
  entry: SampleEntry | undefined,
  report: ReportProblem,
): SampleTable {
  const sizes = parseSizes(stbl, boxes);
  const chunkOffsets = parseOffsets(stbl, boxes, sizes.sampleCount);
  const stsc = boxes.get("stsc");
  const counts = stsc
    ? parseStsc(stsc, chunkOffsets.length)
    : { chunkSampleCounts: new Uint32Array(chunkOffsets.length) };
  const chunks = withoutEmptyChunks(chunkOffsets, counts, sizes.sampleCount);
  const sampleCount = sum(chunks.chunkSampleCounts);
  if (sampleCount < sizes.sampleCount) {
    report(stsc ?? stbl, `${formatCount(sizes.sampleCount, "sample")} with a size, ${sampleCount} with a place`);
  } else if (sum(counts.chunkSampleCounts) > sampleCount) {
    report(
      stsc ?? stbl,
      `${formatCount(sum(counts.chunkSampleCounts), "sample")} with a place, ${sampleCount} with a size`,
    );
  }
  const table: SampleTable = {
    sampleCount,
    ...chunks,
    constantSizeBytes: sizes.constantSizeBytes,
    sizes: sizes.sizes.length > sampleCount ? sizes.sizes.slice(0, sampleCount) : sizes.sizes,
    ...parseTimes(boxes, sampleCount, report),
    ...parseSync(boxes.get("stss"), sampleCount),
  };
  return countPackets(table, entry);
}

function parseSizes(stbl: BoxReader, boxes: ReadonlyMap<string, BoxReader>): SampleSizes {
  const stsz = boxes.get("stsz");
  if (stsz) return parseStsz(stsz);
  const stz2 = boxes.get("stz2");
  if (stz2) return parseStz2(stz2);
  throw stbl.fail("the sample sizes (stsz or stz2) are missing");
}

function parseOffsets(stbl: BoxReader, boxes: ReadonlyMap<string, BoxReader>, sampleCount: number): Float64Array {
  const co64 = boxes.get("co64");
  if (co64) return parseCo64(co64);
  const stco = boxes.get("stco");
  if (stco) return parseStco(stco);
  if (sampleCount === 0) return new Float64Array(0);
  throw stbl.fail("the chunk offsets (stco or co64) are missing");
}

/** Drops chunks without samples and cuts the rest to `sampleCount` samples in all. */
function withoutEmptyChunks(
  chunkOffsets: Float64Array,
  counts: ChunkSampleCounts,
  sampleCount: number,
): { chunkOffsets: Float64Array } & ChunkSampleCounts {
  if (sum(counts.chunkSampleCounts) === sampleCount && !counts.chunkSampleCounts.includes(0)) {
    return { chunkOffsets, ...counts };
  }
  const offsets = new Float64Array(chunkOffsets.length);
  const sampleCounts = new Uint32Array(chunkOffsets.length);
  const indexes = new Uint16Array(chunkOffsets.length);
  let kept = 0;
  let left = sampleCount;
  for (let chunk = 0; chunk < chunkOffsets.length; chunk++) {
    const taken = Math.min(counts.chunkSampleCounts[chunk] as number, left);
    if (taken === 0) continue;
    offsets[kept] = chunkOffsets[chunk] as number;
    sampleCounts[kept] = taken;
    indexes[kept++] = counts.chunkDescriptionIndexes?.[chunk] ?? 1;
    left -= taken;
  }
  const kinds = indexes.slice(0, kept);
  return {
    chunkOffsets: offsets.slice(0, kept),
    chunkSampleCounts: sampleCounts.slice(0, kept),
    ...(kinds.every((index) => index === 1) ? {} : { chunkDescriptionIndexes: kinds }),
  };
}

function parseTimes(
  boxes: ReadonlyMap<string, BoxReader>,
  sampleCount: number,
  report: ReportProblem,
): Pick<SampleTable, "durationRuns" | "compositionRuns"> {
  const stts = boxes.get("stts");
  const durations = fitDurations(stts ? parseStts(stts) : new Uint32Array(0), sampleCount);
  if (stts && durations.covered !== sampleCount) {
    report(stts, `${formatCount(durations.covered, "sample")} with a duration, ${sampleCount} with a place`);
  }
  const ctts = boxes.get("ctts");
  const offsets = fitOffsets(ctts ? parseCtts(ctts) : new Int32Array(0), sampleCount);
  if (ctts && offsets.covered !== sampleCount) {
    report(ctts, `${formatCount(offsets.covered, "sample")} with a composition offset, ${sampleCount} with a place`);
  }
  return {
    durationRuns: durations.runs,
    ...(offsets.runs ? { compositionRuns: offsets.runs } : {}),
  };
}

/** Keeps rising sync samples that exist; no column where every sample is one. */
function parseSync(stss: BoxReader | undefined, sampleCount: number): Pick<SampleTable, "syncSamples"> {
  if (stss === undefined) return {};
  const found = parseStss(stss);
  let kept = 0;
  let last = -1;
  for (const index of found) {
    if (index <= last || index >= sampleCount) continue;
    found[kept++] = index;
    last = index;
  }
  return kept === sampleCount ? {} : { syncSamples: found.slice(0, kept) };
}

/**
 * Writes the index tables of `stbl`: `stsd`, `stts`, `ctts`, `cslg`, `stss`, `stsc`, `stsz`, then `stco` or `co64`,
 * then the boxes of `others` as they are, as parts to be joined. The table must have passed `checkSampleTable`.
 */
export function serializeSampleTable(
  sampleEntries: readonly SampleEntry[],
  table: SampleTable,
  others: readonly Uint8Array[],
  hasLargeOffsets: boolean,
): readonly BoxPart[] {
  const written = countSingleFrames(table, sampleEntries[0]);
  const parts: BoxPart[] = [serializeStsd(sampleEntries), serializeStts(written.durationRuns)];
  if (written.compositionRuns && written.sampleCount > 0) {
    parts.push(serializeCtts(written.compositionRuns));
    if (hasNegative(written.compositionRuns)) parts.push(serializeCslg(compositionToDecode(written)));
  }
  if (written.syncSamples && written.syncSamples.length !== written.sampleCount) {
    parts.push(serializeStss(written.syncSamples));
  }
  parts.push(serializeStsc(written), serializeStsz(written));
  parts.push(hasLargeOffsets ? serializeCo64(written.chunkOffsets) : serializeStco(written.chunkOffsets));
  return nestParts("stbl", [...parts, ...others]);
}

function hasNegative(compositionRuns: Int32Array): boolean {
  for (let i = 1; i < compositionRuns.length; i += 2) if ((compositionRuns[i] as number) < 0) return true;
  return false;
}

function compositionToDecode(table: SampleTable) {
  let decodeTicks = 0;
  let leastOffsetTicks = Number.POSITIVE_INFINITY;
  let greatestOffsetTicks = Number.NEGATIVE_INFINITY;
  let startTicks = Number.POSITIVE_INFINITY;
  let endTicks = Number.NEGATIVE_INFINITY;
  forEachSample(table, (_sample, _offset, _size, durationTicks, offsetTicks) => {
    const ticks = decodeTicks + offsetTicks;
    if (offsetTicks < leastOffsetTicks) leastOffsetTicks = offsetTicks;
    if (offsetTicks > greatestOffsetTicks) greatestOffsetTicks = offsetTicks;
    if (ticks < startTicks) startTicks = ticks;
    if (ticks + durationTicks > endTicks) endTicks = ticks + durationTicks;
    decodeTicks += durationTicks;
  });
  const shiftTicks = Math.max(0, -leastOffsetTicks);
  return { shiftTicks, leastOffsetTicks, greatestOffsetTicks, startTicks, endTicks };
}
