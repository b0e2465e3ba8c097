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

function compareDiscontinuities(first: MeasuredPlaylist, other: MeasuredPlaylist, verdict: Verdict): void {
  const [expected, found] = [discontinuitiesOf(first), discontinuitiesOf(other)];
  const isSame = found.every((at, index) => Math.abs(at - (expected[index] ?? Number.NaN)) <= SAME_SECONDS);
  const [number, due] = [other.playlist.discontinuitySequence, first.playlist.discontinuitySequence];
  if (isSame && found.length === expected.length && number === due) return;
  const shown = (from: number, starts: readonly number[]): string =>
    `from number ${from} on at ${starts.slice(0, 10).map(shownSeconds).join(", ") || "no place"}`;
  verdict.fail(other.path, `It has discontinuities ${shown(number, found)}; ${first.path} ${shown(due, expected)}.`);
}

type Dated = readonly [startSeconds: number, dateMs: number];

function datesOf(media: MeasuredPlaylist): readonly Dated[] {
  return [
    ...placeSegments(media).flatMap(([at, { dateMs }]): readonly Dated[] =>
      dateMs === undefined ? [] : [[at, dateMs]],
    ),
  ];
}

function shownDate(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "beyond all dates" : date.toISOString();
}

function compareDates(first: MeasuredPlaylist, other: MeasuredPlaylist, verdict: Verdict): void {
  const [expected, dates] = [datesOf(first), datesOf(other)];
  if (dates.length === 0) verdict.fail(other.path, `EXT-X-PROGRAM-DATE-TIME is missing; ${first.path} has it.`);
  let next = 0;
  for (const [startSeconds, dateMs] of dates) {
    while ((expected[next + 1]?.[0] ?? Number.POSITIVE_INFINITY) <= startSeconds + SAME_SECONDS) next++;
    const [knownSeconds, knownMs] = expected[next] as Dated;
    const dueMs = knownMs + 1000 * (startSeconds - knownSeconds);
    if (Math.abs(dateMs - dueMs) <= 1000 * SAME_SECONDS) continue;
    const found = `EXT-X-PROGRAM-DATE-TIME is ${shownDate(dateMs)}; by ${first.path} it is ${shownDate(dueMs)}`;
    verdict.fail(`${other.path}, at ${shownSeconds(startSeconds)}`, `${found}.`);
    return;
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
      for (const other of others) {
        verdict.looked();
        compareDiscontinuities(first as MeasuredPlaylist, other, verdict);
      }
    },
  },
  {
    id: "program-date-times",
    level: "must",
    clause: "RFC 8216bis §6.2.4, §4.4.4.6",
    title: "Where one playlist has EXT-X-PROGRAM-DATE-TIME, all have, and it is the same time for the same media.",
    check: ({ playlists }, verdict) => {
      const first = playlists.find(({ segments }) =>
        segments.values().some(({ segment }) => segment.dateMs !== undefined),
      );
      if (first === undefined) return;
      verdict.looked();
      for (const other of playlists) if (other !== first) compareDates(first, other, verdict);
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
