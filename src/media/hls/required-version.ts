import type { MediaPlaylist, MultivariantPlaylist, Playlist } from "./playlist.ts";

/** Something in a playlist that players of older protocol versions do not know. */
export interface VersionNeed {
  readonly version: number;
  /** What needs it, as a message names it. */
  readonly feature: string;
}

/**
 * The lowest protocol version that a playlist may announce (RFC 8216bis §8), with the feature that needs it; version 1 where
 * none does. Durations count by their value: a packager that writes `6.0` for 6 may announce 2.
 */
export function requiredVersion(playlist: Playlist): VersionNeed {
  const needs = playlist.kind === "media" ? mediaNeeds(playlist) : multivariantNeeds(playlist);
  return needs.reduce((most, need) => (need.version > most.version ? need : most), { version: 1, feature: "nothing" });
}

function mediaNeeds({ segments, isIFramesOnly }: MediaPlaylist): readonly VersionNeed[] {
  const keys = segments.flatMap((segment) => segment.keys);
  const needs: readonly (readonly [boolean, number, string])[] = [
    [keys.some((key) => key.initializationVector !== undefined), 2, "the attribute IV of EXT-X-KEY"],
    [segments.some(({ durationSeconds }) => !Number.isInteger(durationSeconds)), 3, "EXTINF with a fraction"],
    [segments.some(({ byteRange }) => byteRange !== undefined), 4, "EXT-X-BYTERANGE"],
    [isIFramesOnly, 4, "EXT-X-I-FRAMES-ONLY"],
    [keys.some((key) => key.method.startsWith("SAMPLE-AES")), 5, "EXT-X-KEY with METHOD=SAMPLE-AES"],
    [keys.some((key) => key.keyFormat !== undefined || key.keyFormatVersions !== undefined), 5, "KEYFORMAT"],
    [segments.some(({ map }) => map !== undefined), isIFramesOnly ? 5 : 6, "EXT-X-MAP"],
  ];
  return needs.flatMap(([isNeeded, version, feature]) => (isNeeded ? [{ version, feature }] : []));
}

function multivariantNeeds({ renditions, variants, iFrameVariants }: MultivariantPlaylist): readonly VersionNeed[] {
  const hasService = renditions.some(({ instreamId }) => instreamId?.startsWith("SERVICE") === true);
  const hasOther = renditions.some(({ type, instreamId }) => instreamId !== undefined && type !== "CLOSED-CAPTIONS");
  const hasRequirement = [...variants, ...iFrameVariants].some((stream) => stream.requiredVideoLayout !== undefined);
  return [
    ...(hasService ? [{ version: 7, feature: "INSTREAM-ID with SERVICE" }] : []),
    ...(hasRequirement ? [{ version: 12, feature: "an attribute that begins with REQ-" }] : []),
    ...(hasOther ? [{ version: 13, feature: "INSTREAM-ID outside of closed captions" }] : []),
  ];
}
