import { parsePlaylist } from "../../../../../src/media/hls/parse-playlist.ts";
import type { MediaPlaylist, MediaSegment } from "../../../../../src/media/hls/playlist.ts";
import { resolveReference } from "../../../../../src/media/hls/resolve-reference.ts";
import type { Api } from "../../../api/api.ts";
import { baseName } from "../../../api/object-urls.ts";

/** A rung's bit rate over time. */
export interface RungRates {
  /** Of its folder. */
  readonly name: string;
  /** In order, without a gap; empty where the playlist does not tell how large its segments are. */
  readonly stretches: readonly Stretch[];
}

/** A segment, or several that follow each other. */
export interface Stretch {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** On average. */
  readonly bitsPerSecond: number;
}

/** More rungs than this nobody makes. */
const MAX_RUNGS = 30;
/** Longer recordings are shown by several segments together. */
const MAX_STRETCHES = 300;

/** Reads what every rung of pictures takes, the largest first, from the playlists of a package. Throws an ApiError, or MEDIA_MALFORMED. */
export async function readLadder(api: Api, playlistKey: string, signal: AbortSignal): Promise<readonly RungRates[]> {
  const folder = playlistKey.slice(0, -baseName(playlistKey).length);
  const paths = listRungs(await api.readObjectText(playlistKey, signal));
  return await Promise.all(
    paths.map(async (path) => ({
      name: path.split("/").at(-2) ?? path,
      stretches: parseRates(await api.readObjectText(folder + path, signal)),
    })),
  );
}

/** Paths of the rungs' playlists below the package's folder, the largest rung first, each but once. Throws MEDIA_MALFORMED. */
export function listRungs(text: string): readonly string[] {
  const main = parsePlaylist(text);
  if (main.kind !== "multivariant") return [];
  const falling = main.variants
    .filter(({ resolution }) => resolution !== undefined)
    .toSorted((one, other) => other.bandwidthBitsPerSecond - one.bandwidthBitsPerSecond);
  const paths = falling.flatMap(({ uri }) => {
    const resolved = resolveReference("main.m3u8", uri);
    return "path" in resolved ? [resolved.path] : [];
  });
  return [...new Set(paths)].slice(0, MAX_RUNGS);
}

/** What a media playlist tells of the bit rate, in 300 stretches at most. Throws MEDIA_MALFORMED. */
export function parseRates(text: string): readonly Stretch[] {
  const playlist = parsePlaylist(text);
  return playlist.kind === "media" ? ratesOf(playlist) : [];
}

function ratesOf({ segments }: MediaPlaylist): readonly Stretch[] {
  const perStretch = Math.ceil(segments.length / MAX_STRETCHES);
  const stretches: Stretch[] = [];
  let startSeconds = 0;
  for (let first = 0; first < segments.length; first += perStretch) {
    const group = segments.slice(first, first + perStretch);
    const seconds = group.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
    const bits = group.reduce((sum, segment) => sum + bitsOf(segment), 0);
    // NaN where one of them does not tell.
    if (!(seconds > 0 && bits >= 0)) return [];
    stretches.push({ startSeconds, endSeconds: startSeconds + seconds, bitsPerSecond: bits / seconds });
    startSeconds += seconds;
  }
  return stretches;
}

/** By its byte range or EXT-X-BITRATE; NaN where neither is there. */
function bitsOf({ byteRange, kilobitsPerSecond, durationSeconds }: MediaSegment): number {
  if (byteRange !== undefined) return 8 * byteRange.lengthBytes;
  return kilobitsPerSecond === undefined ? Number.NaN : 1000 * kilobitsPerSecond * durationSeconds;
}
