import { firstIndexWhere } from "../../base/first-index.ts";
import { formatCount } from "../../base/units.ts";
import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { readFragments } from "../../media/isobmff/fragments.ts";
import type { SampleTable } from "../../media/isobmff/movie.ts";
import { readMovie } from "../../media/isobmff/read-movie.ts";
import { scanTopLevelBoxes, type TopLevelBox, topLevelEndBytes } from "../../media/isobmff/top-level.ts";
import type { RepairReport, TrackReport } from "../../repair/report.ts";
import type { Check } from "./result.ts";

/** Reads a repaired MP4 or MOV back and holds its index against its bytes and against the report. Never throws on content. */
export function checkStructure(source: ByteSource, report: RepairReport): readonly Check[] {
  try {
    const boxes = scanTopLevelBoxes(source);
    const { tracks, isFragmented } = readTracks(source, boxes);
    const outside = isFragmented ? undefined : findSampleOutside(boxes, tracks);
    const end = topLevelEndBytes(boxes);
    const problem = end === source.sizeBytes ? outside : `the boxes end at byte ${end} of ${source.sizeBytes}`;
    return [
      problem === undefined
        ? { name: "structure", status: "passed", detail: "every sample lies within the media data" }
        : { name: "structure", status: "failed", detail: problem },
      checkPackets(tracks, report.tracks),
    ];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [{ name: "structure", status: "failed", detail: `the index cannot be read back: ${reason}` }];
  }
}

interface WrittenTrack {
  readonly trackId: number;
  readonly samples: SampleTable;
}

interface WrittenTracks {
  readonly tracks: readonly WrittenTrack[];
  readonly isFragmented: boolean;
}

function readTracks(source: ByteSource, boxes: readonly TopLevelBox[]): WrittenTracks {
  const box = boxes.find((candidate) => candidate.type === "moov");
  if (box === undefined) return { tracks: [], isFragmented: false };
  const movie = readMovie(source, box);
  const { tracks } = movie.isFragmented ? readFragments(source, boxes, movie) : movie;
  return { tracks, isFragmented: movie.isFragmented };
}

/** Chunks are held against the payload of one `mdat` after the other, because samples may not lie across two. */
function findSampleOutside(boxes: readonly TopLevelBox[], tracks: readonly WrittenTrack[]): string | undefined {
  const payloads = boxes.filter((box) => box.type === "mdat" && box.sizeBytes === box.declaredSizeBytes);
  const isInside = (start: number, end: number): boolean => {
    const box = lastStartingBefore(payloads, start);
    return box !== undefined && start >= box.offsetBytes + box.headerBytes && end <= box.offsetBytes + box.sizeBytes;
  };
  for (const { trackId, samples } of tracks) {
    let sample = 0;
    for (const [chunk, offset] of samples.chunkOffsets.entries()) {
      const count = samples.chunkSampleCounts[chunk] ?? 0;
      const bytes = bytesOfSamples(samples, sample, count);
      sample += count;
      if (!isInside(offset, offset + bytes)) {
        return `chunk ${chunk + 1} of track ${trackId} (bytes ${offset} to ${offset + bytes}) lies outside the media data`;
      }
    }
  }
  return undefined;
}

/** By halving: a recording may hold as many `mdat` boxes as chunks. */
function lastStartingBefore(boxes: readonly TopLevelBox[], offset: number): TopLevelBox | undefined {
  return boxes[firstIndexWhere(boxes.length, (index) => (boxes[index]?.offsetBytes ?? 0) > offset) - 1];
}

function bytesOfSamples(samples: SampleTable, first: number, count: number): number {
  if (samples.constantSizeBytes > 0) return samples.constantSizeBytes * count;
  let bytes = 0;
  for (let index = first; index < first + count; index++) bytes += samples.sizes[index] ?? 0;
  return bytes;
}

function checkPackets(tracks: readonly WrittenTrack[], reported: readonly TrackReport[]): Check {
  const mismatch = reported
    .map(({ trackId, packets, silence = 0 }) => {
      const written = (tracks.find((track) => track.trackId === trackId)?.samples.sampleCount ?? 0) - silence;
      return written === packets
        ? undefined
        : `track ${trackId} lists ${formatCount(written, "packet")}, ${packets} ${packets === 1 ? "was" : "were"} recovered`;
    })
    .find((problem) => problem !== undefined);
  if (mismatch !== undefined) return { name: "packets", status: "failed", detail: mismatch };
  const total = reported.reduce((sum, track) => sum + track.packets, 0);
  if (total === 0) return { name: "packets", status: "failed", detail: "the index lists no packet at all" };
  return { name: "packets", status: "passed", detail: `the index lists the ${formatCount(total, "packet")} recovered` };
}
