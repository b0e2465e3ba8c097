import type { Playlist } from "./playlist.ts";
import { serializeMedia } from "./serialize-media.ts";
import { serializeMultivariant } from "./serialize-multivariant.ts";

/** Writes a playlist of either kind, as `serializeMedia` and `serializeMultivariant` do. */
export function serializePlaylist(playlist: Playlist): string {
  return playlist.kind === "media" ? serializeMedia(playlist) : serializeMultivariant(playlist);
}
