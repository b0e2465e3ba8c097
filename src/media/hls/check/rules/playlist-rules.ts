import { requiredVersion } from "../../required-version.ts";
import { shownSeconds } from "../figures.ts";
import type { MeasuredPlaylist } from "../presentation.ts";
import type { Rule, Verdict } from "../rule.ts";
import type { MeasuredSegment, SegmentEntry } from "../segment-table.ts";

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

function discontinuitiesOf(media: MeasuredPlaylist): readonly number[] {
  return [...placeSegments(media).flatMap(([at, { isDiscontinuity }]) => (isDiscontinuity ? [at] : []))];
}

interface Discontinuities {
  readonly path: string;
  /** The number of what comes before the first of them. */
  readonly number: number;
  readonly starts: readonly number[];
}

function readDiscontinuities(media: MeasuredPlaylist): Discontinuities {
  return { path: media.path, number: media.playlist.discontinuitySequence, starts: discontinuitiesOf(media) };
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

/** Dates by the number of the discontinuity behind which they stand: across one, nothing can be told. */
function datesOf(media: MeasuredPlaylist): ReadonlyMap<number, readonly Dated[]> {
  let number = media.playlist.discontinuitySequence;
  const dates = new Map<number, Dated[]>();
  for (const [startSeconds, { isDiscontinuity, dateMs }] of placeSegments(media)) {
    if (isDiscontinuity) number++;
    if (dateMs === undefined) continue;
    const before = dates.get(number);
    if (before === undefined) dates.set(number, [[startSeconds, dateMs]]);
    else before.push([startSeconds, dateMs]);
  }
  return dates;
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
    for (const [number, dates] of datesOf(media)) {
      const before = known.get(number);
      if (before === undefined) known.set(number, { path, dates });
      const wrong = before && findWrongDate(before.dates, dates);
      if (before === undefined || wrong === undefined) continue;
      const found = `EXT-X-PROGRAM-DATE-TIME is ${shownDate(wrong.dateMs)}; by ${before.path} it is ${shownDate(wrong.dueMs)}`;
      verdict.fail(`${path}, at ${shownSeconds(wrong.startSeconds)}`, `${found}.`);
    }
  }
}

/** Rules of media playlists by themselves, and of the version that each playlist announces. */
export const PLAYLIST_RULES: readonly Rule[] = [
  {
    id: "version",
    level: "must",
    clause: "RFC 8216bis §4.4.1.2, §8",
    title: "EXT-X-VERSION is as high as the playlist's features need.",
    check: ({ multivariant, playlists, rootPath }, verdict) => {
      const root =
        multivariant === undefined
          ? []
          : [{ path: rootPath, playlist: multivariant, versionNeed: requiredVersion(multivariant) }];
      for (const { path, playlist, versionNeed } of [...root, ...playlists]) {
        verdict.looked();
        const { version, feature } = versionNeed;
        const announced = playlist.version ?? 1;
        if (announced < version)
          verdict.fail(path, `EXT-X-VERSION is ${announced}; ${feature} needs ${version} or more.`);
      }
    },
  },
  {
    id: "playlist-type-vod",
    level: "must",
    clause: "Apple 8.6; RFC 8216bis §4.4.3.5",
    title: "EXT-X-PLAYLIST-TYPE is VOD.",
    check: ({ playlists }, verdict) => {
      for (const { path, playlist } of playlists) {
        verdict.looked();
        if (playlist.playlistType === "VOD") continue;
        verdict.fail(
          path,
          `EXT-X-PLAYLIST-TYPE is ${playlist.playlistType ?? "not there"}; VOD is what finished content has.`,
        );
      }
    },
  },
  {
    id: "endlist",
    level: "must",
    clause: "RFC 8216bis §4.4.3.4",
    title: "EXT-X-ENDLIST says that no more segments follow; without it players wait for them.",
    check: ({ playlists }, verdict) => {
      for (const { path, playlist } of playlists) {
        verdict.looked();
        if (!playlist.hasEndList) verdict.fail(path, "EXT-X-ENDLIST is not there.");
      }
    },
  },
  {
    id: "map-for-fmp4",
    level: "must",
    clause: "RFC 8216bis §3.1.1; Apple 8.20",
    title: "Segments of fragmented MP4 have an EXT-X-MAP.",
    check: ({ playlists, faults }, verdict) => {
      const isFmp4 = ({ content }: MeasuredSegment): boolean => content?.container === "fmp4";
      if (playlists.some(({ segments }) => segments.values().some(isFmp4))) verdict.looked();
      for (const { kind, where, message } of faults) if (kind === "map-for-fmp4") verdict.fail(where, message);
    },
  },
  {
    id: "target-duration",
    level: "must",
    clause: "RFC 8216bis §4.4.3.1",
    title: "No EXTINF, rounded to a whole number, is above EXT-X-TARGETDURATION.",
    check: ({ playlists }, verdict) => {
      for (const { path, playlist, segments } of playlists) {
        for (const { segment, index } of segments) {
          verdict.looked();
          const { durationSeconds } = segment;
          if (Math.round(durationSeconds) <= playlist.targetDurationSeconds) continue;
          const allowed = `rounded it may be ${playlist.targetDurationSeconds}, EXT-X-TARGETDURATION`;
          verdict.fail(`${path}, segment ${index}`, `EXTINF is ${durationSeconds} s; ${allowed}.`);
        }
      }
    },
  },
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
