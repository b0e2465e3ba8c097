import { requiredVersion } from "../../required-version.ts";
import type { Rule } from "../rule.ts";
import type { MeasuredSegment } from "../segment-table.ts";

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
    id: "variants",
    level: "must",
    clause: "RFC 8216bis §4.4.6.2; that there must be one is a rule of Reelmill's own",
    title: "A multivariant playlist has a variant stream at least: players play nothing else of it.",
    check: ({ multivariant, rootPath }, verdict) => {
      if (multivariant === undefined) return;
      verdict.looked();
      if (multivariant.variants.length === 0) verdict.fail(rootPath, "EXT-X-STREAM-INF is not there.");
    },
  },
  {
    id: "segments",
    level: "must",
    clause: "RFC 8216bis §3; that an ended playlist must have one is a rule of Reelmill's own",
    title: "A media playlist to which no segments are added any more has one at least.",
    check: ({ playlists }, verdict) => {
      for (const { path, playlist, segments } of playlists) {
        if (!playlist.hasEndList && playlist.playlistType !== "VOD") continue;
        verdict.looked();
        if (segments.length === 0) verdict.fail(path, "It has no segment, and none will follow.");
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
];
