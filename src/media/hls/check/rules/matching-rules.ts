import { shownSeconds } from "../figures.ts";
import type { MeasuredPlaylist } from "../presentation.ts";
import type { Rule, Verdict } from "../rule.ts";
import type { SegmentEntry } from "../segment-table.ts";

/** Playlists place what is the same as far from each other: frames of sound do not end with pictures, at any cut. */
const SAME_SECONDS = 1;

/** Segments with where they begin, in seconds of all EXTINF before them. */
function* placeSegments({ segments }: MeasuredPlaylist): Generator<readonly [startSeconds: number, SegmentEntry]> {
  let startSeconds = 0;
  for (const { segment } of segments) {
    yield [startSeconds, segment];
    startSeconds += segment.durationSeconds;
  }
}

interface Discontinuities {
  readonly path: string;
  /** The number of what comes before the first of them. */
  readonly number: number;
  readonly starts: readonly number[];
}

function readDiscontinuities(media: MeasuredPlaylist): Discontinuities {
  const starts = placeSegments(media).flatMap(([at, { isDiscontinuity }]) => (isDiscontinuity ? [at] : []));
  return { path: media.path, number: media.playlist.discontinuitySequence, starts: [...starts] };
}

function compareDiscontinuities(first: Discontinuities, other: Discontinuities, verdict: Verdict): void {
  const isSame = other.starts.every((at, index) => isNear(at, first.starts[index] ?? Number.NaN));
  if (isSame && other.starts.length === first.starts.length && other.number === first.number) return;
  const shown = ({ number, starts }: Discontinuities): string =>
    `from number ${number} on at ${starts.slice(0, 10).map(shownSeconds).join(", ") || "no place"}`;
  verdict.fail(other.path, `It has discontinuities ${shown(other)}; ${first.path} ${shown(first)}.`);
}

function isNear(seconds: number, other: number): boolean {
  return Math.abs(seconds - other) <= SAME_SECONDS;
}

type Dated = readonly [startSeconds: number, dateMs: number];

/** Dates between discontinuities: across one, nothing can be told. Empty lists where there are none. */
function datesOf(media: MeasuredPlaylist): readonly (readonly Dated[])[] {
  const parts: Dated[][] = [[]];
  for (const [startSeconds, { isDiscontinuity, dateMs }] of placeSegments(media)) {
    if (isDiscontinuity) parts.push([]);
    if (dateMs !== undefined) parts.at(-1)?.push([startSeconds, dateMs]);
  }
  return parts;
}

function shownDate(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "beyond all dates" : date.toISOString();
}

/** The first of some dates that goes by neither of the known ones beside it, and what it should be; all rise by where they stand. */
function findWrongDate(known: readonly Dated[], dates: readonly Dated[]) {
  let next = 0;
  for (const [startSeconds, dateMs] of dates) {
    while ((known[next]?.[0] ?? Number.POSITIVE_INFINITY) < startSeconds - SAME_SECONDS) next++;
    const dueMs = known
      .slice(Math.max(0, next - 1), next + 2)
      .map(([knownSeconds, knownMs]) => knownMs + 1000 * (startSeconds - knownSeconds));
    if (!dueMs.some((ms) => isNear(ms / 1000, dateMs / 1000))) return { startSeconds, dateMs, dueMs: dueMs[0] ?? 0 };
  }
  return undefined;
}

/** Dates of the same media that differ from playlist to playlist. Those of I-frames may tell no discontinuities. */
function compareDates(playlists: readonly MeasuredPlaylist[], verdict: Verdict): void {
  const known = new Map<number, { readonly path: string; readonly dates: readonly Dated[] }>();
  for (const media of playlists.filter(({ playlist }) => !playlist.isIFramesOnly)) {
    const { path } = media;
    for (const [part, dates] of datesOf(media).entries()) {
      if (dates.length === 0) continue;
      const before = known.get(part) ?? { path, dates };
      known.set(part, before);
      const wrong = findWrongDate(before.dates, dates);
      if (wrong === undefined) continue;
      const found = `EXT-X-PROGRAM-DATE-TIME is ${shownDate(wrong.dateMs)}; by ${before.path} it is ${shownDate(wrong.dueMs)}`;
      verdict.fail(`${path}, at ${shownSeconds(wrong.startSeconds)}`, `${found}.`);
    }
  }
}

/** Rules of media playlists against each other, by their lines alone. */
export const MATCHING_RULES: readonly Rule[] = [
  {
    id: "discontinuities-match",
    level: "must",
    clause: "RFC 8216bis §6.2.4, §4.4.3.3",
    title: "All variants and renditions have their discontinuities at the same times, by the same numbers.",
    check: ({ playlists }, verdict) => {
      const [first, ...others] = playlists.filter(({ playlist }) => !playlist.isIFramesOnly);
      const expected = first && readDiscontinuities(first);
      for (const other of others) {
        verdict.looked();
        if (expected !== undefined) compareDiscontinuities(expected, readDiscontinuities(other), verdict);
      }
    },
  },
  {
    id: "program-date-times",
    level: "must",
    clause: "RFC 8216bis §6.2.4, §4.4.4.6",
    title: "Where one playlist has EXT-X-PROGRAM-DATE-TIME, all have, and it is the same time for the same media.",
    check: ({ playlists }, verdict) => {
      const isDated = ({ segments }: MeasuredPlaylist): boolean =>
        segments.values().some(({ segment }) => segment.dateMs !== undefined);
      const undated = playlists.filter((media) => !isDated(media));
      if (undated.length === playlists.length) return;
      verdict.looked();
      for (const { path } of undated)
        verdict.fail(path, "EXT-X-PROGRAM-DATE-TIME is missing; another playlist has it.");
      compareDates(playlists, verdict);
    },
  },
  {
    id: "same-target-duration",
    level: "must",
    clause: "RFC 8216bis §6.2.4; Apple 8.2",
    title: "Audio and video playlists have the same target duration.",
    check: ({ variants, renditions }, verdict) => {
      const sounds = renditions.filter(({ rendition }) => rendition.type === "AUDIO" || rendition.type === "VIDEO");
      const all = [...variants, ...sounds].flatMap(({ media }) => media ?? []);
      const [first] = all;
      for (const { path, playlist } of all.slice(1)) {
        verdict.looked();
        const expected = first?.playlist.targetDurationSeconds;
        if (playlist.targetDurationSeconds === expected) continue;
        verdict.fail(
          path,
          `EXT-X-TARGETDURATION is ${playlist.targetDurationSeconds}; ${first?.path} has ${expected}.`,
        );
      }
    },
  },
];
