import { ReelmillError } from "../../base/errors.ts";
import { openBox } from "./box-reader.ts";
import { type BoxPart, concatBytes, nestParts, serializeBox } from "./box-writer.ts";
import { createTrackBoxes } from "./create-track.ts";
import { serializeElst } from "./elst.ts";
import { parseMdhd, serializeMdhd } from "./mdhd.ts";
import type { Edit, Movie, Track } from "./movie.ts";
import { parseMvhd, serializeMvhd } from "./mvhd.ts";
import { checkSampleTable, totalDurationTicks } from "./sample-table.ts";
import { serializeSampleTable } from "./stbl.ts";
import { parseTkhd, serializeTkhd } from "./tkhd.ts";
import { dropMisfits } from "./trak.ts";

/**
 * Writes a whole, not fragmented `moov`, ISO/IEC 14496-12 §8.2.1. Durations of `mvhd`, `tkhd` and `mdhd` and the track
 * IDs and timescales follow the movie's fields, dates are 0, no user data are written; `stco` or `co64` is one choice
 * for all tracks. Boxes that a track lacks (`hdlr`, `dinf`, a media header) are made. An edit of duration 0 (as
 * fragmented files have it) runs to the end of the media. Throws INTERNAL where a table's sums disagree, track IDs
 * repeat, or a value does not fit its field.
 */
export function serializeMovie(movie: Movie): Uint8Array {
  const ids = new Set(movie.tracks.map((track) => track.trackId));
  if (ids.size !== movie.tracks.length || ids.has(0)) {
    throw new ReelmillError("INTERNAL", `Track IDs are unique and not 0, got ${movie.tracks.map((t) => t.trackId)}.`);
  }
  const hasLargeOffsets = movie.tracks.some((track) =>
    track.samples.chunkOffsets.some((offset) => offset > 0xffff_ffff),
  );
  let durationTicks = 0;
  const traks = movie.tracks.flatMap((track) => {
    checkSampleTable(track.samples, `track ${track.trackId}`);
    const edits = closeEdits(track, movie.timescale);
    const trackTicks = presentationTicks(track, edits, movie.timescale);
    durationTicks = Math.max(durationTicks, trackTicks);
    return serializeTrak(track, edits, trackTicks, hasLargeOffsets);
  });
  const header = parseMvhd(openBox(movie.movieHeader));
  // All bits set means that a free ID must be searched for, ISO/IEC 14496-12 §8.2.2.3.
  const nextTrackId = Math.min(Math.max(0, ...ids) + 1, 0xffff_ffff);
  const mvhd = serializeMvhd({ ...header, timescale: movie.timescale, durationTicks, nextTrackId });
  return concatBytes(nestParts("moov", [mvhd, ...traks]));
}

function toMovieTicks(mediaTicks: number, track: Track, movieTimescale: number): number {
  return Math.min(Math.ceil((mediaTicks * movieTimescale) / track.timescale), Number.MAX_SAFE_INTEGER);
}

/** Gives edits that run to the end of the media their duration in movie ticks. */
function closeEdits(track: Track, movieTimescale: number): readonly Edit[] {
  const mediaTicks = totalDurationTicks(track.samples);
  return track.edits.map((edit) => {
    if (edit.durationTicks !== 0 || edit.mediaTimeTicks < 0) return edit;
    const restTicks = Math.max(0, mediaTicks - edit.mediaTimeTicks);
    return { ...edit, durationTicks: toMovieTicks(restTicks, track, movieTimescale) };
  });
}

/** How long the track shows, in movie ticks: its edits together, or all of its media. */
function presentationTicks(track: Track, edits: readonly Edit[], movieTimescale: number): number {
  if (edits.length === 0) return toMovieTicks(totalDurationTicks(track.samples), track, movieTimescale);
  return Math.min(
    edits.reduce((ticks, edit) => ticks + edit.durationTicks, 0),
    Number.MAX_SAFE_INTEGER,
  );
}

function serializeTrak(
  track: Track,
  edits: readonly Edit[],
  trackTicks: number,
  hasLargeOffsets: boolean,
): readonly BoxPart[] {
  const boxes = withRequiredBoxes(track);
  dropMisfits(boxes, track.samples);
  const tkhd = parseTkhd(openBox(required(boxes, "tkhd")));
  const mdhd = parseMdhd(openBox(required(boxes, "mdia/mdhd")));
  const mediaTicks = Math.min(totalDurationTicks(track.samples), Number.MAX_SAFE_INTEGER);
  const below = (prefix: string, except: readonly string[]): readonly Uint8Array[] =>
    [...boxes]
      .filter(([path]) => path.startsWith(prefix) && !path.slice(prefix.length).includes("/"))
      .filter(([path]) => !except.includes(path))
      .map(([, bytes]) => bytes);
  const stbl = serializeSampleTable(track.sampleEntries, track.samples, below("mdia/minf/stbl/", []), hasLargeOffsets);
  const minf = nestParts("minf", [
    ...below("mdia/minf/", ["mdia/minf/dinf"]),
    required(boxes, "mdia/minf/dinf"),
    ...stbl,
  ]);
  const mdia = nestParts("mdia", [
    serializeMdhd({ ...mdhd, timescale: track.timescale, durationTicks: mediaTicks }),
    required(boxes, "mdia/hdlr"),
    ...below("mdia/", ["mdia/mdhd", "mdia/hdlr"]),
    ...minf,
  ]);
  return nestParts("trak", [
    serializeTkhd({ ...tkhd, trackId: track.trackId, durationTicks: trackTicks }),
    ...below("", ["tkhd"]),
    ...(edits.length > 0 ? [serializeBox("edts", serializeElst(edits))] : []),
    ...mdia,
  ]);
}

/** The track's boxes, with those made that every reader wants and the track lacks. */
function withRequiredBoxes(track: Track): Map<string, Uint8Array> {
  const boxes = new Map(track.boxes);
  const hasMediaHeader = [...boxes.keys()].some((path) => /^mdia\/minf\/(.mhd|sthd)$/.test(path));
  for (const [path, bytes] of createTrackBoxes(track)) {
    if (boxes.has(path) || (hasMediaHeader && /mhd$/.test(path))) continue;
    boxes.set(path, bytes);
  }
  return boxes;
}

function required(boxes: ReadonlyMap<string, Uint8Array>, path: string): Uint8Array {
  const bytes = boxes.get(path);
  if (bytes === undefined) throw new ReelmillError("INTERNAL", `A track without ${path} cannot be written.`);
  return bytes;
}
