import { formatCount } from "../../base/units.ts";
import type { ByteSource } from "../../media/bytes/byte-source.ts";
import { liesElsewhere } from "../../media/isobmff/dref.ts";
import { readFragments } from "../../media/isobmff/fragments.ts";
import type { Movie, Track } from "../../media/isobmff/movie.ts";
import { topLevelEndBytes } from "../../media/isobmff/top-level.ts";
import { samplesWithin } from "../../media/isobmff/truncate-sample-table.ts";
import { describeElsewhere } from "../../repair/elsewhere.ts";
import { nameContent } from "../../repair/foreign-file.ts";
import type { Triage } from "../../repair/triage.ts";

/** The damage of a recording whose index lists nothing. */
export const NO_SAMPLES = "it holds no samples";

/** One thing wrong or odd about a file, told by its boxes alone. */
export interface DamageNote {
  /** `damage`: media is missing or cannot be found; `oddity`: it plays all the same. */
  readonly kind: "damage" | "oddity";
  /** In the user's terms, no full stop. */
  readonly text: string;
}

/** What is wrong with a file by its boxes and index; the samples themselves are not looked at. Never throws on content. */
export function findDamage(source: ByteSource, state: Triage): readonly DamageNote[] {
  if (state.container !== "isobmff") {
    const text = `it is no recording in MP4 or MOV (it looks like: ${nameContent(source, state.container)})`;
    return [{ kind: "damage", text }];
  }
  const movie = state.movies.at(-1)?.movie;
  const index = movie === undefined ? [describeMissingIndex(state)] : findIndexDamage(source, state, movie);
  return [...index, ...findBoxOddities(source, state)];
}

function describeMissingIndex(state: Triage): DamageNote {
  const moov = state.boxes.find((box) => box.type === "moov");
  const text =
    moov === undefined ? "it has no index (moov)" : `its index (moov at byte ${moov.offsetBytes}) cannot be read`;
  return { kind: "damage", text };
}

function findIndexDamage(source: ByteSource, state: Triage, movie: Movie): readonly DamageNote[] {
  const notes: DamageNote[] = (movie.problems ?? []).map(({ path, message }) => ({
    kind: "oddity",
    text: `${path}: ${message.replace(/\.$/, "")}`,
  }));
  if (!movie.isFragmented) return [...notes, ...findMissingSamples(movie.tracks, source.sizeBytes)];
  const { tracks, findings } = readFragments(source, state.boxes, movie);
  for (const finding of findings) {
    const text = `${finding.kind} at byte ${finding.byteStart}: ${finding.message.replace(/\.$/, "")}`;
    notes.push({ kind: "damage", text });
  }
  const isEmpty = tracks.every((track) => track.samples.sampleCount === 0);
  return isEmpty ? [...notes, { kind: "damage", text: NO_SAMPLES }] : notes;
}

function findMissingSamples(tracks: readonly Track[], sourceBytes: number): readonly DamageNote[] {
  if (tracks.every((track) => track.samples.sampleCount === 0)) return [{ kind: "damage", text: NO_SAMPLES }];
  const elsewhere = tracks.filter(liesElsewhere);
  const notes = elsewhere.length > 0 ? [{ kind: "damage" as const, text: describeElsewhere(elsewhere) }] : [];
  const missed = tracks
    .filter((track) => !elsewhere.includes(track))
    .flatMap(({ trackId, samples }): readonly DamageNote[] => {
      const missing = samples.sampleCount - samplesWithin(samples, sourceBytes);
      if (missing === 0) return [];
      const text = `${missing} of ${formatCount(samples.sampleCount, "sample")} of track ${trackId} ${missing === 1 ? "lies" : "lie"} beyond its end`;
      return [{ kind: "damage", text }];
    });
  return [...notes, ...missed];
}

function findBoxOddities(source: ByteSource, { boxes, dataEndOffset, movies }: Triage): readonly DamageNote[] {
  const notes: DamageNote[] = [];
  for (const box of boxes) {
    if (box.declaredSizeBytes <= box.sizeBytes) continue;
    const text = `the box ${box.type} at byte ${box.offsetBytes} claims ${formatCount(box.declaredSizeBytes, "byte")}, ${box.sizeBytes} are there`;
    notes.push({ kind: "oddity", text });
  }
  if (movies.length > 1) notes.push({ kind: "oddity", text: `it has ${movies.length} indexes` });
  const end = topLevelEndBytes(boxes);
  const rest = source.sizeBytes - end;
  if (boxes.length > 0 && rest > 0) {
    notes.push({
      kind: "oddity",
      text: `${formatCount(rest, "byte")} at its end ${rest === 1 ? "belongs" : "belong"} to no box`,
    });
  }
  if (dataEndOffset < source.sizeBytes) {
    notes.push({ kind: "oddity", text: `it ends in ${formatCount(source.sizeBytes - dataEndOffset, "zero")}` });
  }
  return notes;
}
