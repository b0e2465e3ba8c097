import { parseMedia } from "./parse-media.ts";
import { parseMultivariant } from "./parse-multivariant.ts";
import type { Playlist } from "./playlist.ts";
import { playlistError } from "./playlist-error.ts";
import { eachPlaylistLine, type PlaylistLine } from "./playlist-lines.ts";

/** Tags that stand in multivariant playlists alone (RFC 8216bis §4.4.6). */
const MULTIVARIANT_TAGS: ReadonlySet<string> = new Set([
  "#EXT-X-MEDIA",
  "#EXT-X-STREAM-INF",
  "#EXT-X-I-FRAME-STREAM-INF",
  "#EXT-X-SESSION-DATA",
  "#EXT-X-SESSION-KEY",
  "#EXT-X-CONTENT-STEERING",
]);

/** Tags that stand in media playlists alone (§4.4.3 to §4.4.5). */
const MEDIA_TAGS: ReadonlySet<string> = new Set([
  "#EXT-X-TARGETDURATION",
  "#EXT-X-MEDIA-SEQUENCE",
  "#EXT-X-DISCONTINUITY-SEQUENCE",
  "#EXT-X-ENDLIST",
  "#EXT-X-PLAYLIST-TYPE",
  "#EXT-X-I-FRAMES-ONLY",
  "#EXTINF",
  "#EXT-X-BYTERANGE",
  "#EXT-X-DISCONTINUITY",
  "#EXT-X-KEY",
  "#EXT-X-MAP",
  "#EXT-X-PROGRAM-DATE-TIME",
  "#EXT-X-GAP",
  "#EXT-X-BITRATE",
  "#EXT-X-PART",
  "#EXT-X-DATERANGE",
]);

/**
 * Parses a playlist of either kind: what breaks the specification is refused, what the specification does not know is passed
 * over. Throws MEDIA_MALFORMED, naming the line, what stands there and what is allowed.
 */
export function parsePlaylist(text: string): Playlist {
  const multivariant = firstOf(text, MULTIVARIANT_TAGS);
  const media = firstOf(text, MEDIA_TAGS);
  if (multivariant !== undefined && media !== undefined) {
    const [first, second] = multivariant.lineNumber < media.lineNumber ? [multivariant, media] : [media, multivariant];
    const rule = "a playlist is either multivariant or a media playlist, not both";
    throw playlistError(
      second.lineNumber,
      `${second.tag} does not go with ${first.tag} of line ${first.lineNumber}: ${rule}.`,
    );
  }
  const lines = eachPlaylistLine(text);
  return multivariant === undefined ? parseMedia(lines) : parseMultivariant(lines);
}

function firstOf(text: string, tags: ReadonlySet<string>): PlaylistLine | undefined {
  return eachPlaylistLine(text).find(({ tag }) => tag !== undefined && tags.has(tag));
}
