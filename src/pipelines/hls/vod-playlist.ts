import type { MediaPlaylist, MediaSegment } from "../../media/hls/playlist.ts";
import { requiredVersion } from "../../media/hls/required-version.ts";

/** A media playlist of all that there is, in the version that its tags need. */
export function vodPlaylist(
  segments: readonly MediaSegment[],
  kind: Pick<MediaPlaylist, "targetDurationSeconds" | "isIFramesOnly" | "hasIndependentSegments">,
): MediaPlaylist {
  const playlist: MediaPlaylist = {
    kind: "media",
    ...kind,
    mediaSequence: 0,
    discontinuitySequence: 0,
    playlistType: "VOD",
    hasEndList: true,
    dateRanges: [],
    segments,
  };
  return { ...playlist, version: requiredVersion(playlist).version };
}
